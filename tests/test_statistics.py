"""Statistics against scipy, published tables and hand-made cases; intervals cover as they say."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fusionzoo import statistics

GOLDEN = Path(__file__).parent / "golden" / "metrics"


@pytest.mark.parametrize(
    ("draw", "n", "least"), [("normal", 8, 0.915), ("normal", 42, 0.93), ("exponential", 42, 0.915)]
)
def test_intervals_cover_at_the_nominal_rate(draw: str, n: int, least: float) -> None:
    rng = np.random.default_rng(7)
    truth = 1.0 if draw == "exponential" else 0.0
    inside, trials = 0, 1500
    for _ in range(trials):
        low, high = statistics.bootstrap_interval(getattr(rng, draw)(size=n), resamples=1000)
        inside += low <= truth <= high
    # Two standard errors of 1500 trials are 0.011; skewed values lose some coverage.
    assert least <= inside / trials <= 0.962


def test_interval_agrees_with_scipys_bootstrap() -> None:
    values = np.random.default_rng(1).gamma(2, size=120)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    found = statistics.bootstrap_interval(values, resamples=9999)
    assert found == pytest.approx(tuple(reference), abs=0.02)


def test_intervals_are_paired_and_repeatable() -> None:
    values = np.random.default_rng(3).normal(size=30)
    low, high = statistics.bootstrap_interval(values)
    shifted = statistics.bootstrap_interval(values + 5)
    assert shifted == pytest.approx((low + 5, high + 5), abs=1e-12)
    assert statistics.bootstrap_interval([1.0]) is None
    assert statistics.bootstrap_interval([2.0, 2.0]) == (2.0, 2.0)


def test_ranks_share_ties_and_know_directions() -> None:
    scores = np.array([[0.1, 0.3, 0.3, 0.0]])
    assert statistics.ranks(scores, True).tolist() == [[3, 1.5, 1.5, 4]]
    assert statistics.ranks(scores, False).tolist() == [[2, 3.5, 3.5, 1]]


DEMSAR = np.array([  # JMLR 7 (2006), table 6, AUC; .9751 for a tie that only rounding made
    [.763, .768, .771, .798], [.599, .591, .590, .569], [.954, .971, .968, .967],
    [.628, .661, .654, .657], [.882, .888, .886, .898], [.936, .931, .916, .931],
    [.661, .668, .609, .685], [.583, .583, .563, .625], [.775, .838, .866, .875],
    [1.0, 1.0, 1.0, 1.0], [.940, .962, .965, .962], [.619, .666, .614, .669],
    [.972, .981, .9751, .975], [.957, .978, .946, .970],
])  # fmt: skip


def test_the_published_example_of_friedman_and_nemenyi() -> None:
    ranked = statistics.ranks(DEMSAR, True)
    assert ranked.mean(0) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    n, k = ranked.shape
    uncorrected = 12 * n / (k * (k + 1)) * (np.sum(ranked.mean(0) ** 2) - k * (k + 1) ** 2 / 4)
    assert uncorrected == pytest.approx(9.28, abs=0.01)
    found = statistics.friedman(ranked)
    assert found is not None
    assert found.chi_square == pytest.approx(stats.friedmanchisquare(*DEMSAR.T).statistic)
    assert found.chi_square >= uncorrected  # ties are corrected for
    assert found.f == pytest.approx((n - 1) * found.chi_square / (n * (k - 1) - found.chi_square))
    assert statistics.critical_difference(4, 14) == pytest.approx(1.25, abs=0.01)


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_nemenyis_published_critical_values(k: int, q: float) -> None:
    found = statistics.critical_difference(k, 30) / np.sqrt(k * (k + 1) / 180)
    assert found == pytest.approx(q, abs=1e-3)


def test_cliques_are_the_longest_runs() -> None:
    average = [1.0, 1.8, 2.1, 3.6, 4.0]
    assert statistics.cliques(average, 0.9) == [(0, 1), (1, 2), (3, 4)]
    assert statistics.cliques(average, 1.1) == [(0, 2), (3, 4)]
    assert statistics.cliques(average, 0.1) == []
    assert statistics.cliques(average, 9) == [(0, 4)]


def test_holm_by_hand() -> None:
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.9, 0.8]) == [1.0, 1.0]


def test_wilcoxon_against_all_sign_patterns() -> None:
    gap = np.array([1.5, -0.2, 0.9, 2.2, 0.4, 1.1, -0.3])
    (pair,) = statistics.pairwise(np.stack([gap, np.zeros(7)], 1))
    order = stats.rankdata(np.abs(gap))
    sums = [np.dot(order, signs) for signs in itertools.product((0, 1), repeat=7)]
    low = min(order[gap > 0].sum(), order[gap < 0].sum())
    exact = 2 * np.mean(np.array(sums) <= low)
    assert pair.p_value == pytest.approx(exact)
    assert pair.difference == pytest.approx(gap.mean())
    assert pair.wins == pytest.approx(5 / 7)


def test_equal_methods_do_not_differ() -> None:
    same = np.ones((5, 3))
    assert all(pair.holm == 1 and pair.wins == 0.5 for pair in statistics.pairwise(same))
    assert statistics.friedman(statistics.ranks(same, True)) is None


def test_stability_on_a_reversed_ranking() -> None:
    names = "abcd"
    up = dict(zip(names, (1.0, 2.0, 3.0, 4.0), strict=True))
    down = {name: -value for name, value in up.items()}
    found = statistics.stability(up, down)
    assert (found.tau, found.swapped, found.pairs, found.moved) == (-1.0, 6, 6, 4)
    assert found.winners == ("d", "a")
    assert statistics.stability(up, down, (True, False)).tau == 1.0
    with pytest.raises(ValueError, match="two methods"):
        statistics.stability({"a": 1.0}, {"a": 2.0})

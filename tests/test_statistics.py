"""Statistics against scipy, published tables and hand-made cases; intervals cover as they say."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from fusionzoo import statistics

GOLDEN = Path(__file__).parent / "golden" / "metrics"


@pytest.mark.parametrize("n", [4, 8, 42])
@pytest.mark.parametrize("draw", ["normal", "uniform", "exponential"])
def test_intervals_cover_at_the_nominal_rate(draw: str, n: int) -> None:
    rng = np.random.default_rng(7)
    truth = {"normal": 0.0, "uniform": 0.5, "exponential": 1.0}[draw]
    inside, trials = 0, 1500
    for _ in range(trials):
        low, high = statistics.bootstrap_interval(getattr(rng, draw)(size=n), resamples=500)
        inside += low <= truth <= high
    # Two standard errors of 1500 trials are 0.011, and 500 resamples blur the ends. Four values
    # say nothing of skewness, so there Student's t is short for exponential ones.
    least = 0.86 if (draw, n) == ("exponential", 4) else 0.925
    assert least <= inside / trials <= 0.975


def test_percentile_intervals_cover_with_enough_pictures() -> None:
    rng = np.random.default_rng(8)
    draws = statistics.draws(42, 500)
    inside = 0
    for _ in range(1000):
        ratio = rng.normal(3, 1, (42, 2))  # a ratio of means, as in robustness
        means = ratio[draws].mean(1)
        low, high = statistics.percentiles(means[:, 0] / means[:, 1], 42)
        inside += low <= 1 <= high
    assert 0.93 <= inside / 1000 <= 0.967


def test_percentiles_agree_with_scipys_bootstrap() -> None:
    values = np.random.default_rng(1).gamma(2, size=120)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    found = statistics.percentiles(values[statistics.draws(120, 9999)].mean(1), 120)
    assert found == pytest.approx(tuple(reference), abs=0.02)


def test_the_studentised_interval_step_by_step() -> None:
    values = np.random.default_rng(5).gamma(2, size=12)
    ratios = []
    for positions in statistics.draws(12, 400):
        again = [float(values[i]) for i in positions]
        spread = stats.tstd(again) / 12**0.5
        ratios.append((np.mean(again) - values.mean()) / spread)
    error = stats.sem(values)
    low, high = np.quantile(ratios, [0.025, 0.975])
    expected = values.mean() - high * error, values.mean() - low * error
    assert statistics.bootstrap_interval(values, resamples=400) == pytest.approx(expected)


def test_few_values_get_students_interval() -> None:
    values = [1.0, 2.0, 4.0]
    expected = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert statistics.bootstrap_interval(values) == pytest.approx(expected)


def test_values_that_are_nearly_all_equal_have_a_finite_interval() -> None:
    low, high = statistics.bootstrap_interval([0.0] * 7 + [1.0])
    assert -1 < low <= 0.125 <= high < 2


def test_intervals_are_paired_and_repeatable() -> None:
    values = np.random.default_rng(3).normal(size=30)
    low, high = statistics.bootstrap_interval(values)
    shifted = statistics.bootstrap_interval(values + 5)
    assert shifted == pytest.approx((low + 5, high + 5), abs=1e-9)
    assert statistics.bootstrap_interval([1.0]) is None
    assert statistics.bootstrap_interval([2.0, 2.0]) == (2.0, 2.0)
    assert statistics.bootstrap_interval([0.1] * 9) == pytest.approx((0.1, 0.1))


def test_ranks_share_ties_and_know_directions() -> None:
    scores = np.array([[0.1, 0.3, 0.3, 0.0]])
    assert statistics.ranks(scores, True).tolist() == [[3, 1.5, 1.5, 4]]
    assert statistics.ranks(scores, False).tolist() == [[2, 3.5, 3.5, 1]]


def test_friedman_by_hand() -> None:
    # Rank sums 4, 9, 11 over n = 4 blocks of k = 3: 12 / (4 * 3 * 4) * 218 - 3 * 4 * 4 = 6.5.
    ranked = np.array([[1, 2, 3], [1, 3, 2], [1, 2, 3], [1, 2, 3]], np.float64)
    found = statistics.friedman(ranked)
    assert found is not None
    assert found.chi_square == pytest.approx(6.5)
    assert found.p_value == pytest.approx(np.exp(-6.5 / 2))  # chi-square of two degrees of freedom
    assert found.f == pytest.approx(3 * 6.5 / (4 * 2 - 6.5))


def test_friedmans_ties_by_hand() -> None:
    # Rank sums 4.5, 8.5, 11 deviate from 8 by -3.5, 0.5, 3: 12 / (4 * 3 * 4) * 21.5 = 5.375. One
    # pair is tied: 2^3 - 2 = 6 of n (k^3 - k) = 96 is taken off.
    ranked = np.array([[1.5, 1.5, 3], [1, 3, 2], [1, 2, 3], [1, 2, 3]], np.float64)
    found = statistics.friedman(ranked)
    assert found is not None
    assert found.chi_square == pytest.approx(5.375 / (1 - 6 / 96))


@pytest.mark.parametrize("seed", range(4))
def test_iman_and_davenport_is_the_analysis_of_variance_of_ranks(seed: int) -> None:
    scores = np.random.default_rng(seed).normal([0, 0.4, 0.8, 0.8], size=(14, 4))
    ranked = statistics.ranks(scores, True)
    n, k = ranked.shape
    between = n * np.sum((ranked.mean(0) - (k + 1) / 2) ** 2)
    residual = np.sum((ranked - (k + 1) / 2) ** 2) - between  # blocks have equal sums
    expected = (between / (k - 1)) / (residual / ((n - 1) * (k - 1)))
    found = statistics.friedman(ranked)
    assert found is not None
    assert found.f == pytest.approx(expected)
    assert found.f_p_value == pytest.approx(stats.f.sf(expected, k - 1, (n - 1) * (k - 1)))
    assert found.chi_square == pytest.approx(stats.friedmanchisquare(*scores.T).statistic)


@pytest.mark.parametrize("k", [2, 3, 5, 10])
def test_the_critical_difference_from_the_range_of_normals(k: int) -> None:
    q = statistics.critical_difference(k, 30) / np.sqrt(k * (k + 1) / 180) * np.sqrt(2)
    grid = np.linspace(-9, 9, 20_001)
    inner = (stats.norm.cdf(grid) - stats.norm.cdf(grid - q)) ** (k - 1)
    covered = k * integrate.trapezoid(stats.norm.pdf(grid) * inner, grid)
    assert covered == pytest.approx(0.95, abs=1e-6)


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

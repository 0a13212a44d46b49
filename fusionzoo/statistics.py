"""What a table of means does not say: intervals, ranks, tests, and how stable a ranking is.

Sources. Intervals of means: studentised bootstrap (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, section 12.5), which covers what it says for few and skewed values too; below
STUDENT values Student's t. Other statistics: expanded percentile bootstrap (Hesterberg, "What
Teachers Should Know About the Bootstrap", The American Statistician 69 (2015), section 5.3): the
tail probability of the normal quantile -sqrt(n / (n - 1)) t(alpha / 2, n - 1) replaces alpha / 2.
benchmarks/interval_coverage.py measures what both cover. Ranks and tests:
Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7 (2006): Friedman's
chi-square (eq. 6), Iman and Davenport's F (eq. 7), Nemenyi's critical difference
q sqrt(k (k + 1) / (6 n)). Pairs: Wilcoxon's signed ranks (zero differences by Pratt's rule),
corrected by Holm's step-down procedure.

Scores are arrays (n, k): n blocks (pictures), k methods, float64, without NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 20_260
RESAMPLES = 2000
CONFIDENCE = 0.95
STUDENT = 6
"""Fewer values than this have too few resamples for a bootstrap."""


@lru_cache(maxsize=16)
def draws(n: int, resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.intp]:
    """(resamples, n) positions; the same for every method, so that intervals are paired."""
    return np.random.default_rng([seed, n]).integers(0, n, (resamples, n))


def bootstrap_interval(
    values: Sequence[float] | Array,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[float, float] | None:
    """Interval of the mean; None for fewer than two values.

    Equal n and seed resample the same pictures, whichever method's values are given.
    """
    from scipy.stats import t

    sample = np.asarray(values, np.float64)
    n = len(sample)
    if n < 2:
        return None
    mean = float(sample.mean())
    error = float(sample.std(ddof=1) / np.sqrt(n))
    tail = (1 - confidence) / 2
    if n < STUDENT or error == 0:
        half = float(t.ppf(1 - tail, n - 1)) * error
        return mean - half, mean + half
    positions = draws(n, resamples, seed)
    centred = sample - mean
    shifts = centred[positions].mean(1)
    variances = np.square(centred)[positions].mean(1) - np.square(shifts)
    # A resample of one value only has no spread: its ratio is infinite, or 0 at the mean.
    spreads = np.sqrt(np.maximum(variances, 0) / (n - 1))
    spreads[spreads < 1e-9 * error] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.nan_to_num(shifts / spreads, nan=0.0, posinf=np.inf, neginf=-np.inf)
        low, high = np.quantile(ratios, [tail, 1 - tail])
    if not (np.isfinite(low) and np.isfinite(high)):
        return percentiles(mean + shifts, n, confidence)
    return mean - float(high) * error, mean - float(low) * error


def percentiles(resampled: Array, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of any statistic from its values over resamples of n pictures."""
    tail = expanded_tail(n, confidence)
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(low), float(high)


def expanded_tail(n: int, confidence: float = CONFIDENCE) -> float:
    """Share of resamples beyond each end of a percentile interval."""
    from scipy.stats import norm, t

    quantile = float(t.ppf((1 - confidence) / 2, n - 1))
    return float(norm.cdf(np.sqrt(n / (n - 1)) * quantile))


def ranks(scores: Array, higher_is_better: bool) -> Array:
    """Ranks (n, k) within each block, 1 = best; equal scores share their mean rank."""
    from scipy.stats import rankdata

    signed = -scores if higher_is_better else scores
    return np.asarray(rankdata(signed, axis=1), np.float64)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that all methods rank alike.

    Attributes:
        chi_square: Friedman's statistic with correction for ties, k - 1 degrees of freedom.
        p_value: Of it.
        f: Iman and Davenport's statistic, less conservative; infinite if every block agrees.
        f_p_value: Of it, k - 1 and (k - 1)(n - 1) degrees of freedom.
    """

    chi_square: float
    p_value: float
    f: float
    f_p_value: float


def friedman(ranked: Array) -> Friedman | None:
    """Test ranks (n, k); None for fewer than three methods or two blocks, or if all are tied."""
    from scipy.stats import f as f_distribution
    from scipy.stats import friedmanchisquare

    n, k = ranked.shape
    if k < 3 or n < 2 or np.all(ranked == ranked[:, :1]):
        return None
    chi_square, p_value = friedmanchisquare(*ranked.T)
    rest = n * (k - 1) - chi_square
    statistic = float("inf") if rest <= 1e-12 else (n - 1) * chi_square / rest
    p_of_f = float(f_distribution.sf(statistic, k - 1, (k - 1) * (n - 1)))
    return Friedman(float(chi_square), float(p_value), float(statistic), p_of_f)


def critical_difference(methods: int, blocks: int, alpha: float = 0.05) -> float:
    """Nemenyi's smallest difference of average ranks that is significant."""
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - alpha, methods, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * blocks)))


def cliques(average: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """Longest runs of the sorted ranks within `difference`, as (first, last) positions."""
    order = sorted(average)
    found: list[tuple[int, int]] = []
    for first in range(len(order)):
        last = max(i for i in range(first, len(order)) if order[i] - order[first] <= difference)
        if last > first and not (found and found[-1][1] >= last):
            found.append((first, last))
    return found


@dataclass(frozen=True)
class Pair:
    """Two methods on the same pictures.

    Attributes:
        first: Position of one method.
        second: Position of the other.
        difference: Mean of first - second.
        wins: Share of pictures on which the first has the higher value; ties count half.
        p_value: Wilcoxon's, two-sided.
        holm: The same, corrected for the number of pairs.
    """

    first: int
    second: int
    difference: float
    wins: float
    p_value: float
    holm: float


def pairwise(scores: Array) -> list[Pair]:
    """Wilcoxon tests of all pairs of methods."""
    pairs = list(combinations(range(scores.shape[1]), 2))
    p_values = [_wilcoxon(scores[:, a] - scores[:, b]) for a, b in pairs]
    corrected = holm(p_values)
    rows = []
    for (a, b), p_value, adjusted in zip(pairs, p_values, corrected, strict=True):
        gap = scores[:, a] - scores[:, b]
        wins = float(np.mean(gap > 0) + np.mean(gap == 0) / 2)
        rows.append(Pair(a, b, float(gap.mean()), wins, p_value, adjusted))
    return rows


def _wilcoxon(gap: Array) -> float:
    from scipy.stats import wilcoxon

    if not np.any(gap):
        return 1.0
    method = "exact" if len(gap) <= 50 and np.all(gap) and _no_ties(gap) else "approx"
    return float(wilcoxon(gap, zero_method="pratt", method=method).pvalue)


def _no_ties(gap: Array) -> bool:
    return len(np.unique(np.abs(gap))) == len(gap)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for step, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = highest
    return adjusted


@dataclass(frozen=True)
class Stability:
    """How much a ranking depends on which of two definitions is used.

    Attributes:
        tau: Kendall's tau-b of the two rankings.
        swapped: Pairs of methods in opposite order.
        pairs: All pairs.
        moved: Methods whose rank differs.
        largest_move: By how many ranks at most.
        winners: Best method under each.
    """

    tau: float
    swapped: int
    pairs: int
    moved: int
    largest_move: int
    winners: tuple[str, str]


def stability(
    first: Mapping[str, float],
    second: Mapping[str, float],
    higher_is_better: tuple[bool, bool] = (True, True),
) -> Stability:
    """Compare the rankings of the same methods by two definitions of a metric.

    Args:
        first: Method to score by one definition.
        second: By the other; only methods in both are compared, at least two.
        higher_is_better: Direction of each.

    Raises:
        ValueError: Fewer than two methods in common.
    """
    from scipy.stats import kendalltau

    names = sorted(set(first) & set(second))
    if len(names) < 2:
        raise ValueError("a ranking needs at least two methods in both definitions")
    signs = [1 if higher else -1 for higher in higher_is_better]
    columns = [
        np.array([sign * values[name] for name in names])
        for sign, values in zip(signs, (first, second), strict=True)
    ]
    places = [np.argsort(np.argsort(-column, kind="stable"), kind="stable") for column in columns]
    moves = np.abs(places[0] - places[1])
    opposite = sum(
        (columns[0][a] - columns[0][b]) * (columns[1][a] - columns[1][b]) < 0
        for a, b in combinations(range(len(names)), 2)
    )
    tau = float(kendalltau(*columns).statistic)
    winners = (names[int(np.argmax(columns[0]))], names[int(np.argmax(columns[1]))])
    pairs = len(names) * (len(names) - 1) // 2
    moved, largest = int(np.count_nonzero(moves)), int(moves.max())
    return Stability(tau, int(opposite), pairs, moved, largest, winners)

"""Feature mutual information: how much of a source's local features the fused picture tells.

Every 3 x 3 window, read column by column and scaled to sum 1, is taken as a distribution over nine
positions. Two such marginals p, f with correlation c are joined into the mass
k d(U) + (1 - k) f_i p_j: U is the Frechet bound on the side of c's sign, d its second difference,
and k the share that gives the marginals' positions the correlation c. The score of a window is
2 MI / (h(p) + h(f)) of that joint mass, 1 for equal windows (Haghighat and Razian, AICT 2014, after
Haghighat, Aghagolzadeh and Seyedarabi, Computers and Electrical Engineering 2011).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusionzoo.core import Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import two_sources

Floats = NDArray[np.float64]

CELLS = 9
_CHUNK = 2048
"""Windows at a time: 81 float64 numbers each, which stay in the processor's cache."""


_SMALLEST = 1e-300
"""Its logarithm is finite, and 0 times that is 0."""


class Windows(NamedTuple):
    """Windows (9, n) as they are, as distributions, and what follows from each alone."""

    raw: Floats
    shares: Floats
    cumulative: Floats
    reversed: Floats
    centred: Floats
    length: Floats
    spread: Floats
    entropy: Floats


def _windows(feature: Floats) -> Floats:
    """(9, number of windows), each column by column."""
    views = np.lib.stride_tricks.sliding_window_view(feature, (3, 3))
    return np.ascontiguousarray(views.transpose(3, 2, 0, 1).reshape(CELLS, -1))


def _distributions(raw: Floats) -> Windows:
    low, high = raw.min(0), raw.max(0)
    flat = high == low
    scaled = (raw - low) / np.where(flat, 1, high - low)
    scaled[:, flat] = 1
    shares = scaled / scaled.sum(0)
    centred = shares - 1 / CELLS
    place = np.arange(1, CELLS + 1)[:, None]
    middle = (place * shares).sum(0)
    spread = np.sqrt(np.maximum((place**2 * shares).sum(0) - middle**2, 0))
    length = np.sqrt((centred**2).sum(0))
    length[flat] = 0
    entropy = -_logarithms(shares).sum(0)
    sums, backwards = _summed(shares), _summed(shares[::-1])
    return Windows(raw, shares, sums, backwards, centred, length, spread, entropy)


def _summed(shares: Floats) -> Floats:
    """Cumulative sums over the cells, row after row: faster than along an axis of nine."""
    sums = shares.copy()
    for cell in range(1, CELLS):
        sums[cell] += sums[cell - 1]
    return sums


def _logarithms(mass: Floats) -> Floats:
    """M log2 |m|, 0 at 0."""
    size = np.abs(mass)
    np.maximum(size, _SMALLEST, out=size)
    np.log2(size, out=size)
    size *= mass
    return size


def _scores(source: Windows, fused: Windows) -> Floats:
    """One score per window."""
    product = source.length * fused.length
    covariance = (source.centred * fused.centred).sum(0)
    known = (product > 0) & (covariance != 0)
    correlation = np.divide(covariance, product, out=np.zeros_like(product), where=known)
    # A negative correlation is a positive one with the source's positions reversed: the lower bound
    # max(F + P - 1, 0) becomes F - min(F, 1 - P), so one kind of bound serves both.
    falling = correlation < 0
    theirs = np.where(falling, source.shares[::-1], source.shares)
    reached = np.where(falling, source.reversed, source.cumulative)
    bound = np.minimum(fused.cumulative[:, None], reached[None])
    room = bound.sum((0, 1)) - fused.cumulative.sum(0) * reached.sum(0)
    wanted = np.abs(correlation) * source.spread * fused.spread
    share = np.divide(wanted, room, out=np.zeros_like(room), where=(wanted != 0) & (room != 0))
    mass = bound
    mass[1:] -= mass[:-1].copy()
    mass[:, 1:] -= mass[:, :-1].copy()
    mass *= share
    mass += fused.shares[:, None] * ((1 - share) * theirs)[None]
    together = -_logarithms(mass).sum((0, 1))
    alone = source.entropy + fused.entropy
    shared = 2 * (alone - together)
    score = np.divide(shared, alone, out=np.zeros_like(alone), where=alone > 0)
    return np.where((source.raw == fused.raw).all(0), 1.0, score)


def feature_information(fused: Floats, first: Floats, second: Floats) -> tuple[float, float]:
    """Mean score of each source for feature images of one size (sides of at least 3)."""
    rows = max(1, _CHUNK // (fused.shape[1] - 2))
    columns = _CHUNK
    sums = np.zeros(2)
    height, width = fused.shape[0] - 2, fused.shape[1] - 2
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            part = slice(top, top + rows + 2), slice(left, left + columns + 2)
            seen = _distributions(_windows(fused[part]))
            for index, source in enumerate((first, second)):
                sums[index] += _scores(_distributions(_windows(source[part])), seen).sum()
    one, two = sums / (height * width)
    return float(one), float(two)


def of_feature(
    feature: Callable[[Plane], Floats], fused: Plane, first: Plane, second: Plane
) -> Observation:
    """Feature mutual information of three pictures' feature images, mean over the sources."""
    images = (plane.once(feature) for plane in (fused, first, second))
    return two_sources(feature_information(*images), "mean")

"""QE, structural similarity of edge maps, weighted by salience (MEFB prints it as Qw).

SSIM (11 x 11 Gaussian, sigma 1.5, L = 255) of Prewitt magnitudes with zeros outside the picture;
l = v_A / (v_A + v_B) of their local variances, pixel weight max(v_A, v_B) divided by its sum,
QE = sum of weight (l S_FA + (1 - l) S_FB) (Piella and Heijmans, ICIP 2003).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, undefined
from fusionzoo.metrics._windows import (
    GAUSSIAN,
    Floats,
    Moments,
    covariance,
    factors,
    moments_of,
    under,
    values,
    zero_bordered,
)

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def prewitt(plane: Plane) -> Floats:
    """Gradient magnitude."""
    slope, flat = np.array([-1.0, 0, 1]), np.ones(3)
    levels = plane.once(values)
    across, down = zero_bordered(levels, slope, flat), zero_bordered(levels, flat, slope)
    return np.asarray(np.sqrt(across * across + down * down))


def _moments(plane: Plane) -> tuple[Moments, ...]:
    return tuple(moments_of(part, GAUSSIAN) for part in under(plane.once(prewitt), GAUSSIAN))


def _similarities(fused: Plane, source: Plane) -> Iterator[Floats]:
    parts = zip(*(under(plane.once(prewitt), GAUSSIAN) for plane in (fused, source)), strict=True)
    stats = zip(fused.once(_moments), source.once(_moments), strict=True)
    for (left, right), (one, two) in zip(parts, stats, strict=True):
        crossed = covariance(left, right, one, two, GAUSSIAN)
        light, structure = factors(one, two, crossed, C1, C2)
        yield light * structure


class Salience(NamedTuple):
    """What the sources alone decide in a strip: share of the first, weight of the pixel."""

    share: Floats
    weight: Floats


def saliences(first: Plane, second: Plane) -> tuple[Salience, ...]:
    """For each strip."""
    found = []
    for pair in zip(first.once(_moments), second.once(_moments), strict=True):
        one, two = (np.maximum(each.variance, 0) for each in pair)
        weight = np.maximum(one, two)
        silent = weight == 0
        one[silent] = two[silent] = 0.5
        found.append(Salience(one / (one + two), weight))
    return tuple(found)


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """Up to 1."""
    total = whole = 0.0
    maps = (_similarities(fused, source) for source in (first, second))
    for (share, weight), left, right in zip(first.once(saliences, second), *maps, strict=True):
        total += float((weight * (right + share * (left - right))).sum())
        whole += float(weight.sum())
    if whole <= 0:
        return undefined("no source has an edge that varies")
    return Observation(total / whole)


ENTRY = Metric(
    symbol="QE",
    title="Structural similarity of edges by salience (Piella)",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(-1, 1),
    minimum_side=11,
    aliases=("QW",),
    paper="Piella and Heijmans, ICIP 2003",
)

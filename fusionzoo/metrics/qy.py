"""QY, structural similarity weighted by which source is salient.

SSIM maps under a 7 x 7 Gaussian window of sigma 1.5 with constants 2e-16. With
l = v_A / (v_A + v_B): where S_AB >= 0.75, l S_AF + (1 - l) S_BF; elsewhere max(S_AF, S_BF); mean
over the pixels where a source varies (Yang, Zhang, Wang and Zhang, 2008). Flat windows are decided
by rounding, so values hold to 2e-5.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, undefined
from fusionzoo.metrics._windows import (
    Floats,
    Moments,
    Window,
    factors,
    moments,
    similarity_maps,
    values,
    zero_bordered,
)

WINDOW = Window(7, 1.5)
CONSTANTS = 2e-16, 2e-16
SIMILAR = 0.75
FLAT = 1e-10


def observe(
    fused: Plane, first: Plane, second: Plane, form: Literal["yang", "row"] = "yang"
) -> Observation:
    """Up to 1.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        form: "row" is IVIF_ZOO's window, one row of weights repeated seven times (sum 7), with
            zeros outside the picture; about 0.97 for everything.
    """
    if form == "row":
        return Observation(_row_form(fused, first, second))
    total, count = 0.0, 0
    maps = (similarity_maps(fused, x, WINDOW, CONSTANTS) for x in (first, second))
    for guide, left, right in zip(first.once(guides, second), *maps, strict=True):
        value = _chosen(guide.share, guide.similar, left, right)
        total += float(value[guide.known].sum())
        count += int(guide.known.sum())
    if not count:
        return undefined("no window with variance in either source")
    return Observation(total / count)


class Guide(NamedTuple):
    """What the sources alone decide in a strip: share of the first, likeness, and where known."""

    share: Floats
    similar: NDArray[np.bool_]
    known: NDArray[np.bool_]


def guides(first: Plane, second: Plane) -> tuple[Guide, ...]:
    """For each strip."""
    found = []
    between = similarity_maps(first, second, WINDOW, CONSTANTS)
    stats = zip(first.once(moments, WINDOW), second.once(moments, WINDOW), strict=True)
    for (one, two), alike in zip(stats, between, strict=True):
        varied = one.variance + two.variance
        known = varied >= FLAT
        share = np.divide(one.variance, varied, out=np.zeros_like(varied), where=known)
        found.append(Guide(share, alike >= SIMILAR, known))
    return tuple(found)


def _chosen(share: Floats, similar: NDArray[np.bool_], left: Floats, right: Floats) -> Floats:
    mixed = right + share * (left - right)
    return np.where(similar, mixed, np.maximum(left, right))


def _row_form(fused: Plane, first: Plane, second: Plane) -> float:
    one, two = (plane.once(_row_moments).variance for plane in (first, second))
    share = one / (one + two + 1e-10)
    alike = first.once(_row_similarity, second) >= SIMILAR
    left, right = (fused.once(_row_similarity, source) for source in (first, second))
    return float(_chosen(share, alike, left, right).mean())


def _row_average(picture: Floats) -> Floats:
    row = WINDOW.kernel.ravel()
    return zero_bordered(picture, row, np.ones_like(row))


def _row_moments(plane: Plane) -> Moments:
    picture = plane.once(values)
    mean = _row_average(picture)
    return Moments(mean, _row_average(picture * picture) - mean * mean)


def _row_similarity(plane: Plane, other: Plane) -> Floats:
    one, two = plane.once(_row_moments), other.once(_row_moments)
    crossed = _row_average(plane.once(values) * other.once(values)) - one.mean * two.mean
    light, structure = factors(one, two, crossed, 1e-4, 9e-4)
    return light * structure


ENTRY = Metric(
    symbol="QY",
    title="Structural similarity by salience (Yang)",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(-1, 1),
    minimum_side=11,
    paper="Yang, Zhang, Wang and Zhang, Int. Conf. Computer Science and Software Engineering 2008",
)

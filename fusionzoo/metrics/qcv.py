"""QCV, visible difference from the sources, weighted by where they are salient. Lower is better.

Pictures are stretched as for QCB; A - F and B - F are filtered with the contrast sensitivity
2.6 (0.0192 + 0.144 r) exp(-(0.144 r)^1.1). In blocks of 16 x 16, D is the mean square of that and
the salience l the sum of (Sobel magnitude)^5 of the source; QCV = sum(l_A D_A + l_B D_B) /
sum(l_A + l_B) (Chen and Varshney, Information Fusion 2007). Pixels missing in last blocks are 0.
"""

from __future__ import annotations

import cv2
import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, undefined
from fusionzoo.metrics._vision import Floats, filtered, frequency_filter, stretched

_DIVISOR, _BLOCK = 8.0, 16


def _sensitivity(radius: Floats) -> Floats:
    return 2.6 * (0.0192 + 0.144 * radius) * np.exp(-((0.144 * radius) ** 1.1))


def _blocks(picture: Floats) -> Floats:
    """Sums over the blocks."""
    height, width = picture.shape
    padded = np.pad(picture, ((0, -height % _BLOCK), (0, -width % _BLOCK)))
    rows, columns = padded.shape[0] // _BLOCK, padded.shape[1] // _BLOCK
    return np.asarray(padded.reshape(rows, _BLOCK, columns, _BLOCK).sum((1, 3)), np.float64)


def salience(plane: Plane) -> Floats | None:
    """Of each block of a source."""
    picture = plane.once(stretched)
    if picture is None:
        return None
    outside = cv2.BORDER_CONSTANT
    across, down = (
        np.asarray(cv2.Sobel(picture, cv2.CV_64F, *axis, borderType=outside))
        for axis in ((1, 0), (0, 1))
    )
    squared = across * across + down * down
    return _blocks(squared * squared * np.sqrt(squared))


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """Squared levels, 0 upwards; lower is better."""
    seen = fused.once(stretched)
    gains = first.once(_gains)
    weighted = whole = 0.0
    for source in (first, second):
        picture, weight = source.once(stretched), source.once(salience)
        if seen is None or picture is None or weight is None:
            return undefined("a constant picture cannot be stretched")
        difference = filtered(picture - seen, gains)
        weighted += float((weight * _blocks(difference * difference)).sum()) / _BLOCK**2
        whole += float(weight.sum())
    return Observation(weighted / whole)


def _gains(plane: Plane) -> Floats:
    return frequency_filter(plane.shape, _sensitivity, _DIVISOR)


ENTRY = Metric(
    symbol="QCV",
    title="Visible difference by salience (Chen and Varshney)",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=False,
    range=(0, None),
    paper="Chen and Varshney, Information Fusion 2007",
)

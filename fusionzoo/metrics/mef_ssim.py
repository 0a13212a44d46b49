"""MEF-SSIM, structural similarity of a fused exposure stack, at three scales.

In every 11 x 11 window the sources' centred patches d_x, brought to unit length and weighted by
their contrast, add up to a reference patch of the larger length; the fused patch is compared with
it by contrast and structure alone: (2 c + C) / (v_r + v_F + C), C = (0.03 x 255)^2 (Ma, Zeng and
Wang, IEEE TIP 2015; multi-scale form). Level means are combined with the first three weights of
MS-SSIM. The reference patch is a mix of two patches, so all its moments follow from local moments
of the sources and no window is ever cut out.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean
from fusionzoo.metrics._windows import GAUSSIAN, Floats, Window, averaged, values

EXPONENTS = np.array([0.0448, 0.2856, 0.3001]) / 0.6305
BOX = Window(GAUSSIAN.taps)
PIXELS = BOX.taps**2
CONSTANT = (0.03 * 255) ** 2
_EPSILON = 2.2e-16


class Pair(NamedTuple):
    """Local moments of two sources under one window."""

    first: Floats
    second: Floats
    crossed: Floats


class Mix(NamedTuple):
    """The reference patch as factors of the two centred patches, per window."""

    first: Floats
    second: Floats


def scales(plane: Plane) -> list[Floats]:
    """The picture at three scales: means of 2 x 2, the last line repeated where a side is odd."""
    found = [plane.once(values)]
    for _ in range(len(EXPONENTS) - 1):
        finer = found[-1]
        height, width = finer.shape
        padded = cv2.copyMakeBorder(finer, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        half = (padded.shape[1] // 2, padded.shape[0] // 2)
        found.append(np.asarray(cv2.resize(padded, half, interpolation=cv2.INTER_AREA)))
    return found


def _pair(one: Floats, two: Floats, window: Window) -> Pair:
    left, right = averaged(one, window), averaged(two, window)
    return Pair(
        averaged(one * one, window) - left * left,
        averaged(two * two, window) - right * right,
        averaged(one * two, window) - left * right,
    )


class References(NamedTuple):
    """What the sources alone decide at one scale."""

    mix: Mix
    variance: Floats


def references(first: Plane, second: Plane) -> list[References]:
    """The reference patches at every scale."""
    found = []
    for one, two in zip(first.once(scales), second.once(scales), strict=True):
        mix = _mix(_pair(one, two, BOX))
        gauss = _pair(one, two, GAUSSIAN)
        variance = (
            mix.first**2 * gauss.first
            + 2 * mix.first * mix.second * gauss.crossed
            + mix.second**2 * gauss.second
        )
        found.append(References(mix, variance))
    return found


def _mix(box: Pair) -> Mix:
    """Weights of the two centred patches (Ma et al., eq. 5 to 8)."""
    powers = [np.maximum(x, 0) * PIXELS for x in (box.first, box.second)]
    crossed = box.crossed * PIXELS
    lengths = [np.sqrt(power) for power in powers]
    contrasts = [length + 0.001 for length in lengths]
    together = np.sqrt(np.maximum(powers[0] + powers[1] + 2 * crossed, 0))
    agreement = (together + _EPSILON) / (lengths[0] + lengths[1] + _EPSILON)
    exponent = np.tan(np.pi / 2 * np.minimum(agreement, 1 - _EPSILON))
    exponent = np.minimum(exponent, 10)
    shares = [(c / BOX.taps) ** exponent + _EPSILON for c in contrasts]
    whole = shares[0] + shares[1]
    a, b = (share / whole / c for share, c in zip(shares, contrasts, strict=True))
    length = np.sqrt(np.maximum(a * a * powers[0] + 2 * a * b * crossed + b * b * powers[1], 0))
    scale = np.ones_like(length)
    np.divide(np.maximum(*contrasts), length, out=scale, where=length > 0)
    return Mix(a * scale, b * scale)


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1; the terms are the means of the three scales."""
    levels = []
    rows = zip(*(plane.once(scales) for plane in (fused, first, second)), strict=True)
    for (seen, one, two), reference in zip(rows, first.once(references, second), strict=True):
        average = averaged(seen, GAUSSIAN)
        variance = averaged(seen * seen, GAUSSIAN) - average * average
        shared = [
            averaged(seen * x, GAUSSIAN) - average * averaged(x, GAUSSIAN) for x in (one, two)
        ]
        crossed = reference.mix.first * shared[0] + reference.mix.second * shared[1]
        score = (2 * crossed + CONSTANT) / (reference.variance + variance + CONSTANT)
        levels.append(float(score.mean()))
    value = float(np.prod(np.maximum(levels, 0) ** EXPONENTS))
    return Observation(value, terms={f"scale {i + 1}": level for i, level in enumerate(levels)})


ENTRY = Metric(
    symbol="MEF-SSIM",
    title="Structural similarity of a fused exposure stack",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    minimum_side=44,
    paper="Ma, Zeng and Wang, IEEE Trans. Image Processing 2015",
)

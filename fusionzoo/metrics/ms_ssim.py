"""MS-SSIM, multi-scale structural similarity with each source; their sum is reported.

The contrast-structure factors of scales 1 to 4 and the full SSIM of scale 5, raised to the weights
below and multiplied (Wang, Simoncelli and Bovik, Asilomar 2003, eq. 7); negative means count as 0.
Windows and constants as for SSIM; between scales 2x2 means, see `_scales.pyramid` for odd sizes.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._scales import RANGE, similarities
from fusionzoo.metrics._summary import Combination, mean, two_sources
from fusionzoo.metrics._windows import (
    GAUSSIAN,
    Floats,
    Moments,
    covariance,
    factors,
    moments_of,
    values,
)

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MINIMUM_SIDE = 161
"""Four halvings of 161, rounded up, leave the 11 pixels of a window."""
OddRule = Literal["zero", "symmetric", "replicate", "crop"]


def observe(
    fused: Plane,
    first: Plane,
    second: Plane,
    data_range: float = RANGE,
    combine: Combination = "sum",
    odd: OddRule = "zero",
) -> Observation:
    """0 to 2; the terms are the two single similarities.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        data_range: L of the two constants (see SSIM).
        combine: Sum, or mean, of the two.
        odd: What joins the 2x2 means where a side is odd: a line of zeros before the first
            ("zero", as pytorch-msssim), the last line again after it ("symmetric"), the first line
            again before it ("replicate"), or nothing, the last line is dropped ("crop").
    """
    if data_range == RANGE and odd == "zero":
        scales = [_fast_factors(fused, source) for source in (first, second)]
    else:
        scales = [_exact_factors(fused, source, data_range, odd) for source in (first, second)]
    left, right = (_combined(one) for one in scales)
    return two_sources((left, right), combine)


def _combined(scales: list[float]) -> float:
    powers = (max(f, 0.0) ** exponent for f, exponent in zip(scales, EXPONENTS, strict=True))
    return float(math.prod(powers))


def _fast_factors(fused: Plane, source: Plane) -> list[float]:
    scales = fused.once(similarities, source)
    return [scale.structure for scale in scales[:4]] + [scales[4].ssim]


def _exact_factors(fused: Plane, source: Plane, data_range: float, odd: OddRule) -> list[float]:
    """The five factors in float64, which small constants need."""
    constants = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    found: list[float] = []
    for one, two in zip(fused.once(_scales, odd), source.once(_scales, odd), strict=True):
        crossed = covariance(one.picture, two.picture, one.moments, two.moments, GAUSSIAN)
        light, structure = factors(one.moments, two.moments, crossed, *constants)
        last = len(found) == len(EXPONENTS) - 1
        found.append(float((light * structure if last else structure).mean()))
    return found


class Scale(NamedTuple):
    """A picture at one scale, with its local moments."""

    picture: Floats
    moments: Moments


def _scales(plane: Plane, odd: OddRule) -> list[Scale]:
    """All five, in float64."""
    pictures = [plane.once(values)]
    for _ in EXPONENTS[1:]:
        pictures.append(_halved(pictures[-1], odd))
    return [Scale(picture, moments_of(picture, GAUSSIAN)) for picture in pictures]


def _halved(picture: Floats, odd: OddRule) -> Floats:
    """2x2 means."""
    height, width = picture.shape
    if odd == "crop":
        even = picture[: height - height % 2, : width - width % 2]
    elif odd == "symmetric":
        even = np.pad(picture, ((0, height % 2), (0, width % 2)), "symmetric")
    else:
        mode: Literal["constant", "edge"] = "constant" if odd == "zero" else "edge"
        even = np.pad(picture, ((height % 2, 0), (width % 2, 0)), mode)
    rows, columns = even.shape[0] // 2, even.shape[1] // 2
    return np.asarray(even.reshape(rows, 2, columns, 2).mean((1, 3)))


ENTRY = Metric(
    symbol="MS-SSIM",
    title="Multi-scale structural similarity, summed over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 2),
    minimum_side=MINIMUM_SIDE,
    paper="Wang, Simoncelli and Bovik, Asilomar Conference on Signals, Systems and Computers 2003",
    tensor="fusionzoo.metrics._tensor:ms_ssim",
    version=2,
)

"""PSNR between the fused picture and its sources, in dB.

PSNR = 10 log10(255^2 / MSE) with the mean of both squared errors (see MSE). It has no clean picture
to compare with: the plain average of the sources wins it, so it is not a core metric.
"""

from __future__ import annotations

import math
from typing import Literal

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import apart
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean
from fusionzoo.metrics.rmse import residual


def observe(
    fused: Plane,
    first: Plane,
    second: Plane,
    peak: Literal["255", "fused"] = "255",
    unit: float = 1.0,
    form: Literal["mse", "vifb"] = "mse",
) -> Observation:
    """Decibel; infinite when all three pictures are equal.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        peak: 255, or the largest level of the fused picture.
        unit: Levels that count as 1 in the error but not in the peak; 255 adds 48.13 dB.
        form: "vifb" puts `rmse.residual` in place of the mean squared error.
    """
    error = (fused.once(apart, first) + fused.once(apart, second)) / (2 * fused.levels.size)
    if error == 0:
        return Observation(math.inf, "infinite", "the pictures are equal")
    if form == "vifb":
        error = residual(fused, first, second)
    highest = 255.0 if peak == "255" else float(fused.levels.max())
    if highest == 0:
        return Observation(None, "undefined", "the fused picture is black, and its peak 0")
    return Observation(10 * math.log10(highest**2 * unit**2 / error))


ENTRY = Metric(
    symbol="PSNR",
    title="Peak signal-to-noise ratio, from the mean error of both sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    unit="dB",
    paper="Jagalingam and Hegde, Aquatic Procedia 2015",
    tensor="fusionzoo.metrics._tensor:psnr",
)

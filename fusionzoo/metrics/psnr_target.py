"""PSNR against a clean picture, for restoration, in dB.

10 log10(255^2 / MSE) with the mean over all pixels and the three channels of 8-bit RGB.
"""

from __future__ import annotations

import math

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(output: Plane, target: Plane) -> Observation:
    """Decibel; infinite for equal pictures. A grey picture stands for three equal channels."""
    first, second = (
        plane.picture if plane.picture.ndim == 3 else plane.picture[..., None]
        for plane in (output, target)
    )
    error = float(((first.astype(np.float64) - second) ** 2).mean())
    if error == 0:
        return Observation(math.inf, "infinite", "the pictures are equal")
    return Observation(10 * math.log10(255**2 / error))


ENTRY = Metric(
    symbol="PSNR-T",
    title="Peak signal-to-noise ratio against the clean picture",
    observe=observe,
    summarize=mean,
    reference="target",
    higher_is_better=True,
    range=(0, None),
    unit="dB",
    paper="Wang and Bovik, IEEE Signal Processing Magazine 2009",
)

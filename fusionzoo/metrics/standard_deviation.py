"""SD, standard deviation of the fused picture's grey levels (population form).

SD = sqrt(mean (F - mean F)^2) (Rao, Measurement Science and Technology 1997).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import LEVELS, probabilities, total, variance
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(fused: Plane, arithmetic: Literal["exact", "uint8"] = "exact") -> Observation:
    """Grey levels, 0 to 127.5.

    Args:
        fused: Picture.
        arithmetic: "uint8" saturates as MATLAB does on 8-bit arrays; never above sqrt(255).
    """
    if arithmetic == "uint8":
        return Observation(_saturated(fused))
    return Observation(math.sqrt(fused.once(variance)) / fused.levels.size)


def _saturated(fused: Plane) -> float:
    """Differences below 0 count 0 and squares above 255 count 255."""
    centre = fused.once(total) / fused.levels.size
    apart = np.floor(np.arange(LEVELS) - centre + 0.5).clip(0, 255)
    squares = np.minimum(apart**2, 255)
    return float(np.sqrt((fused.once(probabilities) * squares).sum()))


ENTRY = Metric(
    symbol="SD",
    title="Standard deviation",
    observe=observe,
    summarize=mean,
    reference="none",
    higher_is_better=True,
    range=(0, 127.5),
    unit="level",
    paper="Rao, Measurement Science and Technology 1997",
    tensor="fusionzoo.metrics._tensor:standard_deviation",
)

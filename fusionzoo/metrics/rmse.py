"""RMSE, root of the mean of both sources' squared errors (see MSE)."""

from __future__ import annotations

import math
from typing import Literal

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import apart
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(
    fused: Plane, first: Plane, second: Plane, form: Literal["root", "vifb"] = "root"
) -> Observation:
    """Grey levels, 0 to 255.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        form: "vifb" is `residual`, which is not a root mean square.
    """
    if form == "vifb":
        return Observation(residual(fused, first, second))
    total = fused.once(apart, first) + fused.once(apart, second)
    return Observation(math.sqrt(total / 2 / fused.levels.size))


def residual(fused: Plane, first: Plane, second: Plane) -> float:
    """(sqrt(SSE_A) + sqrt(SSE_B)) / (2 MN), as VIFB and MEFB print it; falls with size."""
    roots = (math.sqrt(fused.once(apart, source)) for source in (first, second))
    return sum(roots) / (2 * fused.levels.size)


ENTRY = Metric(
    symbol="RMSE",
    title="Root mean squared error over both sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=False,
    range=(0, 255),
    unit="level",
    paper="Zhang, Ye and Xiao, CVPR Workshops 2020 (VIFB)",
)

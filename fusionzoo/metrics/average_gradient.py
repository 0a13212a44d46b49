"""AG, average gradient of the fused picture.

AG = mean over all pixels of sqrt((gx^2 + gy^2) / 2), with central differences and full one-sided
ones in the first and last row and column (Cui et al., Optics Communications 2015).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def _gradient(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Derivative along the rows' direction (axis 0)."""
    slope = np.empty_like(levels)
    np.subtract(levels[2:], levels[:-2], out=slope[1:-1])
    slope[1:-1] *= 0.5
    slope[0] = levels[1] - levels[0]
    slope[-1] = levels[-1] - levels[-2]
    return slope


def observe(fused: Plane, divide_by: Literal["pixels", "inner"] = "pixels") -> Observation:
    """Grey levels per pixel, 0 upwards.

    Args:
        fused: Picture.
        divide_by: "inner" divides the sum by (M - 1)(N - 1) instead of MN, as MATLAB programs do.
    """
    levels = fused.levels.astype(np.float32)
    down = _gradient(levels)
    across = np.ascontiguousarray(_gradient(levels.T).T)
    # NumPy rather than OpenCV: its last bit does not depend on where an array lies in memory.
    length = np.sqrt(down * down + across * across)
    height, width = fused.shape
    inner = height * width / ((height - 1) * (width - 1)) if divide_by == "inner" else 1.0
    return Observation(float(length.mean(dtype=np.float64)) / math.sqrt(2) * inner)


ENTRY = Metric(
    symbol="AG",
    title="Average gradient",
    observe=observe,
    summarize=mean,
    reference="none",
    higher_is_better=True,
    range=(0, None),
    unit="level",
    minimum_side=2,
    paper="Cui, Feng, Xu, Li and Chen, Optics Communications 2015",
    tensor="fusionzoo.metrics._tensor:average_gradient",
)

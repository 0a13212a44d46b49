"""SF, spatial frequency of the fused picture.

SF = sqrt(R + C): R and C are the means of squared differences between vertical and horizontal
neighbours, each over its own number of pairs (Eskicioglu and Fisher, IEEE Trans. Communications
1995).
"""

from __future__ import annotations

import math
from typing import Literal

import cv2

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(
    fused: Plane, divide_by: Literal["pairs", "pixels"] = "pairs", unit: float = 1.0
) -> Observation:
    """Grey levels per pixel, 0 upwards.

    Args:
        fused: Picture.
        divide_by: Whether each mean runs over the pairs of neighbours or over all pixels.
        unit: Levels that count as 1; 255 for pictures in [0, 1].
    """
    levels = fused.levels
    pairs = divide_by == "pairs"
    rows = levels[1:].size if pairs else levels.size
    columns = levels[:, 1:].size if pairs else levels.size
    vertical = cv2.norm(levels[1:], levels[:-1], cv2.NORM_L2SQR) / rows
    horizontal = cv2.norm(levels[:, 1:], levels[:, :-1], cv2.NORM_L2SQR) / columns
    return Observation(math.sqrt(vertical + horizontal) / unit)


ENTRY = Metric(
    symbol="SF",
    title="Spatial frequency",
    observe=observe,
    summarize=mean,
    reference="none",
    higher_is_better=True,
    range=(0, None),
    unit="level",
    minimum_side=2,
    paper="Eskicioglu and Fisher, IEEE Trans. Communications 1995",
    tensor="fusionzoo.metrics._tensor:spatial_frequency",
)

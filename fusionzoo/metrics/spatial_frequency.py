"""SF, spatial frequency of the fused picture.

SF = sqrt(R + C): R and C are the means of squared differences between vertical and horizontal
neighbours, each over its own number of pairs (Eskicioglu and Fisher, IEEE Trans. Communications
1995).
"""

from __future__ import annotations

import math

import cv2

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(fused: Plane) -> Observation:
    """Grey levels per pixel, 0 upwards."""
    levels = fused.levels
    vertical = cv2.norm(levels[1:], levels[:-1], cv2.NORM_L2SQR) / levels[1:].size
    horizontal = cv2.norm(levels[:, 1:], levels[:, :-1], cv2.NORM_L2SQR) / levels[:, 1:].size
    return Observation(math.sqrt(vertical + horizontal))


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
)

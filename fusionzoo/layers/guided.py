"""The guided filter: a local linear model of a guide, in windows of radius r, by box filters.

He, Sun and Tang, "Guided Image Filtering", ECCV 2010.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def box_mean(plane: Any, radius: int) -> Any:
    """Mean over (2 radius + 1)^2 pixels, the border mirrored; (H, W) float32."""
    side = 2 * radius + 1
    return cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)


def guided_filter(target: Plane, guide: Plane, radius: int, epsilon: float) -> Plane:
    """Smooth `target` along the edges of `guide`; (H, W) float32 each."""
    guide_mean, target_mean = box_mean(guide, radius), box_mean(target, radius)
    variance = box_mean(guide * guide, radius) - guide_mean * guide_mean
    covariance = box_mean(guide * target, radius) - guide_mean * target_mean
    slope = covariance / (variance.clip(min=0) + epsilon)
    offset = target_mean - slope * guide_mean
    smoothed: Plane = box_mean(slope, radius) * guide + box_mean(offset, radius)
    return smoothed

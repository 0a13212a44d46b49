"""Sobel gradients of 8-bit pictures, exact in integers, in the two forms that metrics use."""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fusionzoo.metrics._plane import Plane

Floats = NDArray[np.float64]
Border = Literal["zero", "edge", "reflect"]
_BORDERS = {
    "zero": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
}


class Slope(NamedTuple):
    """Right minus left and below minus above, weights 1 2 1, as int16."""

    across: NDArray[np.int16]
    down: NDArray[np.int16]


def sobel(plane: Plane, border: Border) -> Slope:
    """Both derivatives; `border` says what stands outside the picture."""
    kind = _BORDERS[border]
    across = cv2.Sobel(plane.levels, cv2.CV_16S, 1, 0, borderType=kind)
    down = cv2.Sobel(plane.levels, cv2.CV_16S, 0, 1, borderType=kind)
    return Slope(np.asarray(across, np.int16), np.asarray(down, np.int16))


def strength(plane: Plane, border: Border) -> Floats:
    """Gradient magnitude sqrt(gx^2 + gy^2)."""
    across, down = plane.once(sobel, border)
    return np.sqrt(across.astype(np.float64) ** 2 + down.astype(np.float64) ** 2)

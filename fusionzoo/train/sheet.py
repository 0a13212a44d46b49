"""A sheet of pictures while training: one row a sample, one column a plane."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from fusionzoo import image

GAP, HEADING = 4, 18


def write_sheet(path: Path, pictures: Mapping[str, Tensor]) -> None:
    """Write (B, 1 or 3, H, W) planes in [0, 1] side by side, with their names above.

    Raises:
        OutputError: The folder cannot be written to.
    """
    columns = [_column(name, planes) for name, planes in pictures.items()]
    image.write(path, np.concatenate(columns, 1))


def _column(name: str, planes: Tensor) -> image.Levels:
    width = planes.shape[-1]
    heading = np.full((HEADING, width + GAP, 3), 255, np.uint8)
    cv2.putText(heading, name, (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    parts = [heading]
    for plane in planes:
        levels = image.to_levels(plane.expand(3, -1, -1))
        parts.append(np.pad(levels, ((0, GAP), (0, GAP), (0, 0)), constant_values=255))
    return np.concatenate(parts)

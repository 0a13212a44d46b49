"""A bridge for methods that are written for NumPy or OpenCV arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def on_arrays(function: Callable[..., NDArray[np.float32]], *planes: Tensor) -> Tensor:
    """Apply a function of (H, W) float32 arrays to every picture of (B, 1, H, W) planes."""
    batches = [plane.float().cpu().numpy()[:, 0] for plane in planes]
    fused = np.stack([function(*pictures) for pictures in zip(*batches, strict=True)])
    return torch.from_numpy(fused)[:, None].to(planes[0].device)

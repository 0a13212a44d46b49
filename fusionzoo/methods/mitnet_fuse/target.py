"""What the fusion head is taught: the stronger detail of both sources on the brighter base.

An undecimated pyramid of Gaussians (standard deviations 1, 2, 4 pixels) splits both planes into
three bands and a base. Each band is taken, pixel by pixel, from the source that has more of it
around (mean absolute value in 5x5 pixels); the base is the larger of the two. Phase tells where
structures are, so the target's phase has edges of both sources, which neither amplitude carries.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SCALES = (1.0, 2.0, 4.0)
AROUND = 5


def blur(plane: Tensor, sigma: float) -> Tensor:
    """Gaussian of a plane (B, 1, H, W), borders repeated."""
    radius = round(3 * sigma)
    position = torch.arange(-radius, radius + 1, dtype=plane.dtype, device=plane.device)
    line = torch.exp(-(position**2) / (2 * sigma**2))
    line = line / line.sum()
    padded = functional.pad(plane, (radius,) * 4, mode="replicate")
    rows = functional.conv2d(padded, line[None, None, None])
    return functional.conv2d(rows, line[None, None, :, None])


def composite(visible: Tensor, infrared: Tensor) -> Tensor:
    """Target (B, 1, H, W) in [0, 1] from two planes of that shape and range."""
    detail = torch.zeros_like(visible)
    low = [visible, infrared]
    for sigma in SCALES:
        smooth = [blur(plane, sigma) for plane in low]
        bands = [plane - blurred for plane, blurred in zip(low, smooth, strict=True)]
        strength = [
            functional.avg_pool2d(band.abs(), AROUND, 1, AROUND // 2, count_include_pad=False)
            for band in bands
        ]
        detail = detail + torch.where(strength[0] >= strength[1], bands[0], bands[1])
        low = smooth
    return (torch.maximum(low[0], low[1]) + detail).clamp(0, 1)

"""A picture stretched to its own range: the part of dense haze that needs no learning."""

from __future__ import annotations

import torch
from torch import Tensor

QUANTILES = (0.002, 0.998)
LEAST_RANGE = 0.05


def stretch(picture: Tensor, quantiles: Tensor) -> Tensor:
    """Map two quantiles of a picture's values to 0 and 1.

    All channels are mapped alike, so that colours keep their balance. Every other row and column is
    enough to find the quantiles.

    Args:
        picture: (B, C, H, W) float in [0, 1].
        quantiles: Two shares of 1, low and high.

    Returns:
        (B, C, H, W); values outside the quantiles leave [0, 1]. A flat picture is stretched as if
        its range were 0.05.
    """
    sampled = picture[..., ::2, ::2].flatten(1).float()
    low, high = torch.quantile(sampled, quantiles.float(), dim=1)[..., None, None, None]
    stretched: Tensor = (picture - low) / (high - low).clamp_min(LEAST_RANGE)
    return stretched.to(picture.dtype)

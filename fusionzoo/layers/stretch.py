"""A picture stretched to its own range: the part of dense haze that needs no learning."""

from __future__ import annotations

import torch
from torch import Tensor

QUANTILES = (0.002, 0.998)
LEAST_RANGE = 0.05


def limits(picture: Tensor, quantiles: Tensor) -> tuple[Tensor, Tensor]:
    """The values that stretching maps to 0 and 1, found on every other row and column.

    Args:
        picture: (B, C, H, W) float in [0, 1].
        quantiles: Two shares of 1, low and high.

    Returns:
        Low and high, (B, 1, 1, 1) float32 each, at least 0.05 apart.
    """
    sampled = picture[..., ::2, ::2].flatten(1).float()
    low, high = torch.quantile(sampled, quantiles.float(), dim=1)[..., None, None, None]
    return low, torch.maximum(high, low + LEAST_RANGE)


def stretch(picture: Tensor, quantiles: Tensor) -> Tensor:
    """Map two quantiles of a picture's values to 0 and 1.

    All channels are mapped alike, so that colours keep their balance.

    Args:
        picture: (B, C, H, W) float in [0, 1].
        quantiles: Two shares of 1, low and high.

    Returns:
        (B, C, H, W); values outside the quantiles leave [0, 1]. A flat picture is stretched as if
        its range were 0.05.
    """
    low, high = limits(picture, quantiles)
    stretched: Tensor = (picture - low) / (high - low)
    return stretched.to(picture.dtype)

"""From a restored small picture to a large one, along the large one's own details.

Haze is a local affine map of colours that changes slowly, so a correction found on a small picture
holds on the large one: He and Sun, "Fast Guided Filter", arXiv 1505.00996, with the small hazy
picture as guide. In every window the restored small picture is fitted as a * hazy + b; the means
of a and b are enlarged and applied to the large hazy picture.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

RADIUS, EPSILON = 4, 1e-3


def reduced(picture: Tensor, side: int) -> Tensor:
    """Average (B, C, H, W) down by the whole number that brings the smaller side nearest `side`."""
    height, width = picture.shape[-2:]
    factor = max(1, round(min(height, width) / side))
    if factor == 1:
        return picture
    size = (-(-height // factor), -(-width // factor))
    return functional.interpolate(picture, size, mode="area")


def _mean(plane: Tensor) -> Tensor:
    """Over (2 r + 1)^2 pixels, those outside the picture left out."""
    side = 2 * RADIUS + 1
    return functional.avg_pool2d(plane, side, 1, RADIUS, count_include_pad=False)


def carry(large: Tensor, small: Tensor, restored: Tensor) -> Tensor:
    """Restore `large` as `small` was restored.

    Args:
        large: Hazy picture (B, C, H, W).
        small: The same, reduced (B, C, h, w).
        restored: What the network made of `small`.

    Returns:
        (B, C, H, W).
    """
    # Variances are small differences of large numbers: never in half precision.
    small, restored = small.float(), restored.float()
    small_mean, restored_mean = _mean(small), _mean(restored)
    covariance = _mean(small * restored) - small_mean * restored_mean
    variance = (_mean(small * small) - small_mean * small_mean).clamp_min(0)
    slope = covariance / (variance + EPSILON)
    offset = restored_mean - slope * small_mean
    size = large.shape[-2:]
    slope, offset = (
        functional.interpolate(_mean(plane), size, mode="bilinear", align_corners=False)
        for plane in (slope, offset)
    )
    return (slope * large + offset).to(large.dtype)

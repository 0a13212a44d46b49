"""From a restored small picture to a large one, along the large one's own details.

Haze is a local affine map of colours that changes slowly, so a correction found on a small picture
holds on the large one: He and Sun, "Fast Guided Filter", arXiv 1505.00996, with the small hazy
picture as guide. In every window the restored small picture is fitted as a * hazy + b; the means
of a and b are enlarged and applied to the large hazy picture.

Two departures. Haze takes the same share of every colour's contrast, so the three channels have
one slope a, and offsets b of their own. And where a window shows nothing to fit a slope to, it
is not drawn to 0, which would erase what little detail is left, but to the slope of the whole
neighbourhood.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

RADIUS, WIDE_RADIUS = 2, 16
EPSILON = 1e-3


def reduced(picture: Tensor, side: int) -> Tensor:
    """Average (B, C, H, W) down by the whole number that brings the smaller side nearest `side`."""
    height, width = picture.shape[-2:]
    factor = max(1, round(min(height, width) / side))
    if factor == 1:
        return picture
    size = (-(-height // factor), -(-width // factor))
    return functional.interpolate(picture, size, mode="area")


def _mean(plane: Tensor, radius: int) -> Tensor:
    """Over (2 radius + 1)^2 pixels, those outside the picture left out."""
    return functional.avg_pool2d(plane, 2 * radius + 1, 1, radius, count_include_pad=False)


def _moments(guide: Tensor, goal: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Covariance and variance in windows, averaged over channels: (B, 1, H, W) each."""
    guide_mean, goal_mean = _mean(guide, radius), _mean(goal, radius)
    covariance = _mean(guide * goal, radius) - guide_mean * goal_mean
    variance = _mean(guide * guide, radius) - guide_mean * guide_mean
    return covariance.mean(1, keepdim=True), variance.mean(1, keepdim=True).clamp_min(0)


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
    covariance, variance = _moments(small, restored, WIDE_RADIUS)
    usual = (covariance + EPSILON) / (variance + EPSILON)
    covariance, variance = _moments(small, restored, RADIUS)
    slope = (covariance + EPSILON * usual) / (variance + EPSILON)
    offset = _mean(restored, RADIUS) - slope * _mean(small, RADIUS)
    size = large.shape[-2:]
    slope, offset = (
        functional.interpolate(_mean(plane, RADIUS), size, mode="bilinear", align_corners=False)
        for plane in (slope, offset)
    )
    return (slope * large + offset).to(large.dtype)

"""ReFusion's losses: how far the fused picture is from its sources, and what can be got back of it.

With sources a and b, fused picture f, weights W and V of P, reconstructions r of R, and
G(I) = |Sobel_x * I| + |Sobel_y * I|; all means are over pixels:

    fusion loss          mean (W_a (a - f))^2 + mean (W_b (b - f))^2
                         + c (mean (V_a (G(a) - G(f)))^2 + mean (V_b (G(b) - G(f)))^2)
    reconstruction loss  mean max(|a - r_a|, |b - r_b|)^2
                         + mean max(|G(a) - G(r_a)|, |G(b) - G(r_b)|)^2

so that at each pixel the source counts that was reconstructed worse.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Padding = Literal["zeros", "replicate"]
SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def gradient(planes: Tensor, padding: str = "zeros") -> Tensor:
    """|Sobel_x| + |Sobel_y| of (B, C, H, W) planes, with 1-2-1 kernels; at most 8.

    Args:
        planes: float.
        padding: "zeros" makes strong gradients at the border, as the authors do; "replicate" none.
    """
    batch, channels, height, width = planes.shape
    horizontal = torch.tensor(SOBEL).to(planes)
    kernels = torch.stack([horizontal, horizontal.t()])[:, None]
    single = planes.reshape(batch * channels, 1, height, width)
    mode = "constant" if padding == "zeros" else "replicate"
    edges = functional.conv2d(functional.pad(single, (1, 1, 1, 1), mode=mode), kernels)
    return edges.abs().sum(1).view(batch, channels, height, width)


def weighted_error(fused: Tensor, sources: Tensor, weights: Tensor) -> Tensor:
    """Sum over the sources of mean (weight (source - fused))^2.

    Args:
        fused: (B, 1, H, W).
        sources: (B, 2, H, W).
        weights: (B, 2, H, W).
    """
    return (weights * (sources - fused)).square().mean((0, 2, 3)).sum()


def fusion_loss(
    fused: Tensor,
    sources: Tensor,
    weights: tuple[Tensor, Tensor],
    gradient_factor: float = 1.0,
    padding: str = "zeros",
) -> Tensor:
    """The loss that P proposes.

    Args:
        fused: (B, 1, H, W) in [0, 1].
        sources: (B, 2, H, W) in [0, 1].
        weights: W and V, (B, 2, H, W) each.
        gradient_factor: c.
        padding: Of the gradients.
    """
    intensity, edge = weights
    error = weighted_error(fused, sources, intensity)
    slopes = gradient(fused, padding), gradient(sources, padding)
    return error + gradient_factor * weighted_error(*slopes, edge)


def reconstruction_loss(restored: Tensor, sources: Tensor, padding: str = "zeros") -> Tensor:
    """How badly the sources (B, 2, H, W) can be told from the fused picture, at worst."""
    error = (sources - restored).abs().amax(1).square().mean()
    edges = (gradient(sources, padding) - gradient(restored, padding)).abs().amax(1)
    return error + edges.square().mean()

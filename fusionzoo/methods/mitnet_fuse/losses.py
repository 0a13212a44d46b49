"""What MITNet's losses lack for fusion: a loss of the phase itself, and one of gradients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fusionzoo.methods.mitnet.layers import phase_of


def phase(output: Tensor, target: Tensor) -> Tensor:
    """Mean of 1 - cos(phase difference), each bin weighted by the target's amplitude.

    Without the mean (bin 0), whose phase says nothing and whose amplitude outweighs all others.

    Args:
        output: (B, 1, H, W).
        target: (B, 1, H, W).

    Returns:
        A number in [0, 2]; 1 for unrelated phases.
    """
    made, wanted = torch.fft.rfft2(output.float()), torch.fft.rfft2(target.float())
    weight = wanted.abs()
    weight[..., 0, 0] = 0
    # The cosine from the product, not from angles: those jump, and have no gradient at zero.
    product = (made * wanted.conj()).real / (made.abs() * wanted.abs()).clamp_min(1e-6)
    loss: Tensor = (weight * (1 - product)).sum() / weight.sum().clamp_min(1e-6)
    return loss


def phase_difference(one: Tensor, other: Tensor) -> Tensor:
    """Phase of `one` less that of `other`, (B, 1, H, W // 2 + 1) in (-pi, pi]."""
    return phase_of(torch.fft.rfft2(one.float()) * torch.fft.rfft2(other.float()).conj())


def gradients(output: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """L1 between differences of neighbouring pixels and the stronger ones of both sources."""
    total = output.new_zeros(())
    for axis in (-1, -2):
        made, first, second = (torch.diff(p, dim=axis) for p in (output, visible, infrared))
        stronger = torch.where(first.abs() >= second.abs(), first, second)
        total = total + functional.l1_loss(made, stronger)
    return total

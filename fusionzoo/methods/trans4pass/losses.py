"""Losses of supervised segmentation; pixels labelled 255 never count."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

IGNORE = 255
Loss = Literal["cross_entropy", "ohem", "focal", "focal_pixel"]


def pixel_cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """(B, H, W) cross entropy of logits (B, K, H, W) and labels (B, H, W); 0 where ignored."""
    return functional.cross_entropy(logits, labels, weight, ignore_index=IGNORE, reduction="none")


def cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean over the labelled pixels, weighted by class; 0 (with a gradient) if there is none."""
    total = pixel_cross_entropy(logits, labels, weight).sum()
    seen = labels[labels != IGNORE]
    count = weight[seen].sum() if weight is not None else torch.tensor(float(seen.numel()))
    return total / count.to(total).clamp_min(1e-12)


def ohem(
    logits: Tensor,
    labels: Tensor,
    weight: Tensor | None = None,
    threshold: float = 0.7,
    kept: float = 0.1,
) -> Tensor:
    """Online hard example mining: mean over pixels whose own class got less than `threshold`.

    Args:
        logits: (B, K, H, W).
        labels: (B, H, W), 255 = ignore.
        weight: (K,) of the classes.
        threshold: Probability above which a pixel counts as learnt.
        kept: Least share of the labelled pixels that stays, the hardest ones; the authors keep
            100,000 of four crops of 512x512, a share of 0.1.
    """
    known = labels != IGNORE
    if not known.any():
        return logits.sum() * 0
    losses = pixel_cross_entropy(logits, labels)[known]
    chance = torch.exp(-losses.detach())
    if weight is not None:
        losses = losses * weight[labels[known]]
    count = max(1, int(kept * len(chance)))
    limit = chance.kthvalue(count).values.clamp_min(threshold)
    return losses[chance <= limit].mean()


def focal(
    logits: Tensor, labels: Tensor, weight: Tensor | None = None, per_pixel: bool = False
) -> Tensor:
    """0.5 (1 - e^-c)^2 c (Lin et al., ICCV 2017, eq. 4, gamma 2).

    The authors' code takes c as the batch's mean cross entropy, which only rescales the loss as a
    whole; `per_pixel` is the published formula.
    """
    if not per_pixel:
        mean = cross_entropy(logits, labels, weight)
        return 0.5 * (1 - torch.exp(-mean)) ** 2 * mean
    losses = pixel_cross_entropy(logits, labels, weight)
    count = (labels != IGNORE).sum().clamp_min(1)
    return (0.5 * (1 - torch.exp(-losses)) ** 2 * losses).sum() / count


def of(name: Loss, logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """A loss by name."""
    if name == "ohem":
        return ohem(logits, labels, weight)
    if name == "cross_entropy":
        return cross_entropy(logits, labels, weight)
    return focal(logits, labels, weight, per_pixel=name == "focal_pixel")

"""Mutual prototypical adaptation: the parts that carry a segmenter from pinhole to panorama.

Trans4PASS, section 3.4. The feature f of a pixel is the sum of the decoder's four maps. One
prototype per class, made of features of both domains, teaches both of them (eq. 9 to 12):

    L_feature = 0.9 T^2 KL(softmax(t / T) || softmax(f / T)) + 0.1 CE(f, argmax t)

t is the prototype of the pixel's class, T = 20, and the softmax runs over the channels. A
discriminator of softmax maps (AdaptSegNet, CVPR 2018) aligns the outputs.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.trans4pass.losses import IGNORE

BankRule = Literal["class_mean", "fixed", "official"]
SOURCE, TARGET = 0.0, 1.0


class Discriminator(nn.Sequential):
    """Five 4x4 convolutions of stride 2 without normalisation; 2,781,121 parameters at 19 classes.

    Maps probabilities (B, K, H, W) to logits (B, 1, H / 32, W / 32) of being the target domain.
    """

    def __init__(self, classes: int, width: int = 64) -> None:
        """The first layer has `width` channels, each further one twice as many."""
        sides = [classes, width, 2 * width, 4 * width, 8 * width, 1]
        layers: list[nn.Module] = []
        for before, after in pairwise(sides):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
        super().__init__(*layers[:-1])


def domain_loss(judged: Tensor, domain: float) -> Tensor:
    """Binary cross entropy of a discriminator's logits against SOURCE or TARGET."""
    return functional.binary_cross_entropy_with_logits(judged, torch.full_like(judged, domain))


def quarter(labels: Tensor, like: Tensor) -> Tensor:
    """Labels (B, H, W) at the size of features (B, C, h, w), nearest neighbour."""
    small = functional.interpolate(labels[:, None].float(), like.shape[-2:], mode="nearest")
    return small[:, 0].long()


def feature_loss(
    feature: Tensor, labels: Tensor, bank: Tensor, temperature: float = 20.0
) -> Tensor:
    """Distance of features from their classes' prototypes; see the module.

    Args:
        feature: (B, C, h, w).
        labels: (B, h, w), 255 = ignore: such pixels are their own teacher.
        bank: (K, C) prototypes.
        temperature: T.
    """
    known = labels != IGNORE
    taught = bank[labels.where(known, 0)].permute(0, 3, 1, 2)
    teacher = torch.where(known[:, None], taught, feature.detach())
    soft = functional.kl_div(
        functional.log_softmax(feature / temperature, 1),
        functional.softmax(teacher / temperature, 1),
        reduction="sum",
    )
    soft = soft / feature.numel()  # the authors' mean over pixels and channels
    hard = functional.cross_entropy(feature, teacher.argmax(1))
    return 0.9 * temperature**2 * soft + 0.1 * hard


def class_sums(
    feature: Tensor, labels: Tensor, guess: Tensor, classes: int
) -> tuple[Tensor, Tensor]:
    """Sums (K, C) of the features of correctly predicted pixels, and their number (K,).

    Args:
        feature: (B, C, h, w).
        labels: (B, h, w), 255 = ignore.
        guess: (B, h, w) predicted ids.
        classes: K.
    """
    right = (labels == guess) & (labels != IGNORE)
    ids = labels[right]
    found = feature.permute(0, 2, 3, 1)[right].float()
    sums = found.new_zeros(classes, feature.shape[1]).index_add_(0, ids, found)
    return sums, torch.bincount(ids, minlength=classes).to(sums)


class PrototypeBank(nn.Module):
    """One vector per class, following the features by a moving average.

    `class_mean` is the paper's rule: each prototype moves towards the mean feature of its class
    since the last move; absent classes stay. `fixed` never moves. `official` does what the released
    code does: every prototype moves towards one number, the mean of everything collected so far,
    and classes without pixels move towards zero.
    """

    prototypes: Tensor
    sums: Tensor
    counts: Tensor

    def __init__(
        self, prototypes: Tensor, rule: BankRule = "class_mean", momentum: float = 0.999
    ) -> None:
        """Start from prototypes (K, C)."""
        super().__init__()
        self.rule, self.momentum = rule, momentum
        self.register_buffer("prototypes", prototypes.float().clone())
        self.register_buffer("sums", torch.zeros_like(self.prototypes))
        self.register_buffer("counts", torch.zeros(len(prototypes)))

    @torch.no_grad()
    def collect(self, feature: Tensor, labels: Tensor, guess: Tensor) -> None:
        """Remember the features (B, C, h, w) of correctly predicted pixels."""
        sums, counts = class_sums(feature, labels, guess, len(self.counts))
        self.sums += sums
        self.counts += counts

    @torch.no_grad()
    def move(self) -> None:
        """Update the prototypes from what was collected."""
        if self.rule == "fixed":
            return
        present = self.counts > 0
        if not present.any():
            return
        means = self.sums / self.counts.clamp_min(1)[:, None]
        if self.rule == "official":
            goal = means[present].mean().expand_as(means) * present[:, None]
            self.prototypes.lerp_(goal, 1 - self.momentum)
            return
        moved = torch.lerp(self.prototypes, means, 1 - self.momentum)
        self.prototypes.copy_(torch.where(present[:, None], moved, self.prototypes))
        self.sums.zero_()
        self.counts.zero_()

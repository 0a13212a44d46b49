"""Hyper-parameters of MITNet's training, and its learning rate."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fusionzoo.methods.mitnet.network import ZOO_WIDTH


@dataclass(frozen=True)
class RestoreSettings:
    """Hyper-parameters.

    Attributes:
        steps: Updates.
        batch: Crops a step, from the datasets together.
        paired: Further dataset whose real pairs join every batch, for example "reside_in:train".
        paired_batch: How many of them.
        height, width: Crop in pixels; multiples of 16.
        shrink: A crop is averaged down by this, or a part of that size is cut from it.
        whole: How often the former.
        seed: Of everything random.
        channels: Width of the network's finest level (the authors': 20).
        decoder_amplitude: Spectral branches in the first decoder, as in the paper.
        stretch: Pictures are stretched to their own range first (the authors' are not).
        side: Pictures are restored at about this smaller side, and the correction carried over; 0:
            at full size. Otherwise crops are cut from pictures reduced to `shrink` times that.
        rate: Peak learning rate (Adam); it rises for `warm_up` steps, then falls as a cosine.
        warm_up: Steps.
        fourier: Weight of the spectral terms (the authors': 0.05).
        mutual: Weight of the mutual-information term (the authors': 0.001); 0 leaves it out. With
            fixed projectors its cheapest way down are ever larger features (methods/mitnet.md).
        train_projector: Let its projectors learn with the network; the authors' stay random.
        similarity: Weight of 1 - SSIM of both stages (the authors': 1 for real haze).
        decibels: Weight of the output's negative PSNR in dB (not in the paper).
        held_out: One scene in so many is never trained on, for choosing; 0: none.
        real_share: How often a scene's own hazy picture is taken instead of synthetic haze.
        clip: Largest norm of the gradient.
        start: File of parameters to begin from; empty: from random ones.
    """

    steps: int = 2000
    batch: int = 3
    paired: str = ""
    paired_batch: int = 3
    height: int = 96
    width: int = 128
    shrink: int = 2
    whole: float = 0.85
    seed: int = 1
    channels: int = ZOO_WIDTH
    decoder_amplitude: bool = True
    stretch: bool = True
    side: int = 56
    rate: float = 1.5e-3
    warm_up: int = 100
    fourier: float = 0.01
    mutual: float = 0.0
    train_projector: bool = False
    similarity: float = 0.0
    decibels: float = 0.01
    held_out: int = 5
    real_share: float = 0.5
    clip: float = 1.0
    start: str = ""

    def __post_init__(self) -> None:
        """Refuse crops that the network's strides do not divide."""
        if self.height % (8 * self.shrink) or self.width % (8 * self.shrink):
            raise ValueError(
                f"height={self.height}, width={self.width}: expected multiples of {8 * self.shrink}"
            )


def cosine(step: int, steps: int, warm_up: int) -> float:
    """Share of the peak learning rate: a linear rise, then half a cosine down to 1 %."""
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return 0.01 + 0.99 * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * min(1.0, progress)))))

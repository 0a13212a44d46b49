"""ReFusion's networks: F fuses, R takes the fused picture apart again, P proposes the loss.

F has 59,856 parameters, R 59,648, P twice 44,529; none has a bias outside of normalisation. Only F
runs at test time. No padding to a multiple is needed, and no picture is too small.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.refusion.losses import gradient
from fusionzoo.methods.refusion.restormer import (
    HEADS,
    blocks,
    channel_attention,
    convolution,
    local_projection,
)

WIDTH = 16


class Branch(nn.Module):
    """One source's half of the mixer."""

    def __init__(self) -> None:
        """Width 16; the gated path is 64 wide and gives 32 channels."""
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.qkv = local_projection(WIDTH, 3 * WIDTH)
        self.project = nn.Conv2d(WIDTH, WIDTH, 1, bias=False)
        self.expand = local_projection(WIDTH, 4 * WIDTH)
        self.squeeze = nn.Conv2d(4 * WIDTH, 2 * WIDTH, 1, bias=False)


class Mixer(nn.Module):
    """Cross-attention, then a gate from both branches on each: two (B, 16, H, W) to (B, 32, H, W).

    A branch's query meets the other branch's key and value.
    """

    def __init__(self) -> None:
        """Two branches and their common gate."""
        super().__init__()
        self.first, self.second = Branch(), Branch()
        self.gate = local_projection(2 * WIDTH, 8 * WIDTH)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Mix the sources' feature maps."""
        one, other = self.first, self.second
        query1, key1, value1 = one.qkv(first).chunk(3, 1)
        query2, key2, value2 = other.qkv(second).chunk(3, 1)
        first = first + one.project(channel_attention(query2, key1, value1, one.temperature))
        second = second + other.project(channel_attention(query1, key2, value2, other.temperature))
        both = torch.cat([first, second], 1)
        gate1, gate2 = functional.gelu(self.gate(both)).chunk(2, 1)
        mixed = both + one.squeeze(gate1 * one.expand(first))
        return torch.add(mixed, other.squeeze(gate2 * other.expand(second)))


class Fusion(nn.Module):
    """F: two planes to one."""

    def __init__(self) -> None:
        """Random parameters; `fusionzoo.load("refusion")` fills in trained ones."""
        super().__init__()
        self.stem1, self.stem2 = convolution(1, WIDTH), convolution(1, WIDTH)
        self.encoder1, self.encoder2 = blocks(WIDTH), blocks(WIDTH)
        self.mixer = Mixer()
        self.decoder = blocks(2 * WIDTH)
        self.head = nn.Sequential(
            convolution(2 * WIDTH, WIDTH), nn.LeakyReLU(0.01), convolution(WIDTH, 1), nn.Sigmoid()
        )

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Fused plane (B, 1, H, W) in (0, 1) from planes (B, 1, H, W) in [0, 1].

        Args:
            first: Infrared, under-exposed, near-focused picture, or the CT, PET or SPECT scan.
            second: Visible, over-exposed, far-focused or MRI picture.
        """
        mixed = self.mixer(self.encoder1(self.stem1(first)), self.encoder2(self.stem2(second)))
        fused: Tensor = self.head(self.decoder(mixed))
        return fused

    def inference_form(self) -> nn.Module:
        """This network, arranged for speed and little memory; the outputs are the same."""
        from fusionzoo.methods.refusion.inference import FastFusion

        return FastFusion(self)


class Reconstruction(nn.Module):
    """R: what the two sources may have been, from the fused plane alone; one network for each."""

    def __init__(self) -> None:
        """Two networks of two blocks, width 32."""
        super().__init__()
        self.first, self.second = self._branch(), self._branch()

    @staticmethod
    def _branch() -> nn.Sequential:
        width = 2 * WIDTH
        return nn.Sequential(
            convolution(1, width),
            blocks(width),
            convolution(width, WIDTH),
            nn.LeakyReLU(0.01),
            convolution(WIDTH, 1),
            nn.Sigmoid(),
        )

    def forward(self, fused: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 2, H, W) in (0, 1): first and second source."""
        return torch.cat([self.first(fused), self.second(fused)], 1)


class Weighting(nn.Module):
    """Two planes to one logit for each; softmax over them gives weights of sum 1."""

    def __init__(self) -> None:
        """Two blocks for each source, two for both, width 16 and 32."""
        super().__init__()
        self.stem1, self.stem2 = convolution(1, WIDTH), convolution(1, WIDTH)
        self.encoder1, self.encoder2 = blocks(WIDTH), blocks(WIDTH)
        self.decoder = blocks(2 * WIDTH)
        self.head = nn.Sequential(convolution(2 * WIDTH, WIDTH), nn.PReLU(), convolution(WIDTH, 2))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Logits (B, 2, H, W) for two planes (B, 1, H, W)."""
        both = [self.encoder1(self.stem1(first)), self.encoder2(self.stem2(second))]
        logits: Tensor = self.head(self.decoder(torch.cat(both, 1)))
        return logits


class Proposal(nn.Module):
    """P: the loss's weights W of intensities and V of gradients, each (B, 2, H, W) of sum 1."""

    def __init__(self, padding: str = "zeros", symmetric: bool = False) -> None:
        """Random parameters.

        Args:
            padding: Of the gradients it sees.
            symmetric: Ask it in both orders and take the mean of the logits, so that swapped
                sources get swapped weights and no place of the two can be preferred.
        """
        super().__init__()
        self.padding, self.symmetric = padding, symmetric
        self.intensity, self.gradient = Weighting(), Weighting()

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """W and V for planes (B, 1, H, W) in [0, 1]; channel 0 is the first source's weight."""
        if self.symmetric:
            first, second = torch.cat([first, second]), torch.cat([second, first])
        edges = [gradient(plane, self.padding) for plane in (first, second)]
        logits = self.intensity(first, second), self.gradient(*edges)
        w, v = (self._balanced(x) if self.symmetric else x for x in logits)
        return w.softmax(1), v.softmax(1)

    @staticmethod
    def _balanced(logits: Tensor) -> Tensor:
        # Of logits, not of weights: a mean of saturated weights has no slope to learn from.
        straight, swapped = logits.chunk(2)
        return (straight + swapped.flip(1)) / 2


RENAMES = (
    (r"^project_in_(\d)\.", r"stem\1."),
    (r"^project_out_0\.", "head.0."),
    (r"^project_out_1\.", "head.2."),
    (r"norm(\d)\.body\.", r"norm\1."),
    (r"attn\.qkv\.", "attention.qkv.0."),
    (r"attn\.qkv_dwconv\.", "attention.qkv.1."),
    (r"attn\.project_out\.", "attention.project."),
    (r"attn\.temperature", "attention.temperature"),
    (r"ffn\.project_in\.", "feed_forward.expand.0."),
    (r"ffn\.dwconv\.", "feed_forward.expand.1."),
    (r"ffn\.project_out\.", "feed_forward.project."),
    (r"^FM\.temperature1", "mixer.first.temperature"),
    (r"^FM\.temperature2", "mixer.second.temperature"),
    (r"^FM\.project_E\.", "mixer.gate.0."),
    (r"^FM\.project_E_d\.", "mixer.gate.1."),
    (r"^FM\.(\D+)1(\D*)\.", r"mixer.first.\1\2."),
    (r"^FM\.(\D+)2(\D*)\.", r"mixer.second.\1\2."),
    (r"^(mixer\.\w+)\.qkv\.", r"\1.qkv.0."),
    (r"^(mixer\.\w+)\.qkv_dwconv\.", r"\1.qkv.1."),
    (r"^(mixer\.\w+)\.project_mid\.", r"\1.project."),
    (r"^(mixer\.\w+)\.project_E\.", r"\1.expand.0."),
    (r"^(mixer\.\w+)\.project_E_d\.", r"\1.expand.1."),
    (r"^(mixer\.\w+)\.project_out\.", r"\1.squeeze."),
)
"""The authors' keys to ours, applied in this order."""


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' state dict of F; each convolution is in it twice, as `x` and as `x.conv`."""
    converted = {}
    for key, value in tensors.items():
        if key.endswith(".conv.weight"):
            continue
        for pattern, replacement in RENAMES:
            key = re.sub(pattern, replacement, key)
        converted[key] = value
    return converted

"""The decoders: DMLP of Trans4PASS and DMLPv2 of Trans4PASS+.

Each stage has a head: a deformable 3x3 convolution brings it to one width (SDP), then token mixing
lets every channel look at a place of its own (DeformableMLP) and channel mixing follows. The four
maps are enlarged to the first one's size, added, and classified by a 1x1 convolution.

Names of modules are those of published checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.trans4pass.deformable import deformable_convolution
from fusionzoo.methods.trans4pass.encoder import DepthwiseConvolution, joined, to_map, to_tokens

OffsetLayout = Literal["official", "interleaved"]


def enlarge(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear with corners aligned, as the authors do everywhere."""
    return functional.interpolate(x, size=list(size), mode="bilinear", align_corners=True)


def neighbourhood_mean(x: Tensor) -> Tensor:
    """Mean of 3x3 pixels, of fewer at the border; three times as fast as avg_pool2d on a CPU."""
    padded = functional.pad(x, (1, 1, 1, 1))
    rows = padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]
    total = rows[..., :-2, :] + rows[..., 1:-1, :] + rows[..., 2:, :]
    height, width = x.shape[-2:]
    down, across = (_neighbours(size, x) for size in (height, width))
    return total / (down[:, None] * across)


def _neighbours(size: int, like: Tensor) -> Tensor:
    """How many of three adjacent places exist, for each of `size` places."""
    count = like.new_full((size,), 3)
    count[0] -= 1
    count[-1] -= 1
    return count


class DeformableProjection(nn.Module):
    """SDP: modulated deformable 3x3 convolution, batch normalisation, GELU."""

    def __init__(self, channels: int, width: int) -> None:
        """Offsets start at zero and weights at one."""
        super().__init__()
        self.proj = nn.Conv2d(channels, width, 3, padding=1)
        self.offset_conv = nn.Conv2d(channels, 18, 3, padding=1)
        self.modulator_conv = nn.Conv2d(channels, 9, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, N, H, W); taps move by at most a quarter of the shorter side."""
        reach = min(x.shape[-2:]) // 4
        both = joined(x, self.offset_conv, self.modulator_conv, 1, 1)
        offset = both[:, :18].clamp(-reach, reach)
        mask = 2 * torch.sigmoid(both[:, 18:])
        assert self.proj.bias is not None
        y = deformable_convolution(x, offset, mask, self.proj.weight, self.proj.bias, padding=1)
        return functional.gelu(self.norm(y))


class SeparableConvolution(nn.Module):
    """Depthwise 3x3 then 1x1, without bias."""

    def __init__(self, width: int, channels: int) -> None:
        """Predicts offsets and weights."""
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.pointwise = nn.Conv2d(width, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, N, H, W)."""
        y: Tensor = self.pointwise(self.depthwise(x))
        return y


class DeformableMlp(nn.Module):
    """Token mixing: one offset per channel and pixel, then a 1x1 convolution, BN and GELU."""

    def __init__(self, width: int, layout: OffsetLayout) -> None:
        """The layout says which channels are dy and which dx; see `_offsets`."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, width, 1, 1))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.offset_modulator_conv = SeparableConvolution(width, 3 * width)
        self.norm = nn.BatchNorm2d(width)
        self.layout: OffsetLayout = layout

    def _offsets(self, a: Tensor, b: Tensor) -> Tensor:
        """(B, 2 C, H, W): channel g reads places 2g and 2g + 1.

        The official code concatenates a and b although the operator wants dy and dx in turn, so
        that the first half of the channels moves by `a` alone. Published weights need that order.
        """
        if self.layout == "official":
            return torch.cat([a, b], 1)
        return torch.stack([a, b], 2).flatten(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W); channels move by at most a quarter of the longer side."""
        reach = max(x.shape[-2:]) // 4
        a, b, strength = self.offset_modulator_conv(x).chunk(3, 1)
        offset = self._offsets(a, b).clamp(-reach, reach)
        mask = 2 * torch.sigmoid(strength)
        y = deformable_convolution(x, offset, mask, self.weight, self.bias)
        return functional.gelu(self.norm(y))


class DmlpHead(nn.Module):
    """Head of Trans4PASS (CVPR 2022, figure 4): two parallel token mixers, then channel mixing.

    The two are called horizontal and vertical, but the kernel size that would tell them apart is
    not used by the official code: they are the same operator with parameters of their own.
    """

    def __init__(self, channels: int, width: int, layout: OffsetLayout) -> None:
        """Build with random parameters."""
        super().__init__()
        self.sdp = DeformableProjection(channels, width)
        self.h_mlp = DeformableMlp(width, layout)
        self.w_mlp = DeformableMlp(width, layout)
        self.c_mlp = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, N, H, W)."""
        x = self.sdp(x)
        height, width = x.shape[-2:]
        x = to_tokens(x + self.h_mlp(x) + self.w_mlp(x))
        x = x + self.c_mlp(x)
        return to_map(self.proj(x), height, width)


class SqueezeExcitation(nn.Module):
    """Scales channels by what the whole map holds."""

    def __init__(self, width: int) -> None:
        """A quarter of the width inside."""
        super().__init__()
        self.conv_reduce = nn.Conv2d(width, width // 4, 1)
        self.conv_expand = nn.Conv2d(width // 4, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        pooled = functional.relu(self.conv_reduce(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.conv_expand(pooled))


class SqueezeMlp(nn.Module):
    """Channel mixing of Trans4PASS+: linear, scaled depthwise 3x3, linear, squeeze-excitation."""

    def __init__(self, width: int, activation: bool) -> None:
        """The official code builds a GELU here that it never calls; `activation` calls it."""
        super().__init__()
        self.fc1 = nn.Linear(width, width)
        self.dwconv = DepthwiseConvolution(width)
        self.gamma = nn.Parameter(torch.ones(width))
        self.fc2 = nn.Linear(width, width)
        self.se = SqueezeExcitation(width)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        height, width = x.shape[-2:]
        y = self.fc1(to_tokens(x))
        y = self.gamma * self.dwconv(y, height, width) + y
        if self.activation:
            y = functional.gelu(y)
        z: Tensor = self.se(to_map(self.fc2(y), height, width))
        return z


class PlusHead(nn.Module):
    """Head of Trans4PASS+ (arXiv 2207.11860): pooling beside the first channel mixing."""

    def __init__(self, channels: int, width: int, layout: OffsetLayout, activation: bool) -> None:
        """Build with random parameters."""
        super().__init__()
        self.sdp = DeformableProjection(channels, width)
        self.cmlp1 = SqueezeMlp(width, activation)
        self.norm1 = nn.GroupNorm(1, width)
        self.cmlp2 = SqueezeMlp(width, activation)
        self.dmlp = DeformableMlp(width, layout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, N, H, W)."""
        x = self.sdp(x)
        pooled = neighbourhood_mean(self.norm1(x))
        x = self.cmlp1(x) + pooled
        y: Tensor = self.cmlp2(x) + self.dmlp(x)
        return y


class Decoder(nn.Module):
    """Four heads, their sum, one classifier."""

    def __init__(self, heads: Sequence[nn.Module], width: int, classes: int) -> None:
        """Heads in the order of the stages."""
        super().__init__()
        for number, head in enumerate(heads, 1):
            setattr(self, f"head{number}", head)
        self.pred = nn.Conv2d(width, classes, 1)

    def heads(self, stages: Sequence[Tensor]) -> list[Tensor]:
        """The four maps (B, N, H / 4, W / 4) that are added."""
        size = stages[0].shape[-2:]
        maps = [getattr(self, f"head{i}")(x) for i, x in enumerate(stages, 1)]
        return [maps[0], *(enlarge(one, size) for one in maps[1:])]

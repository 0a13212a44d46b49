"""The encoder: a Mix Transformer (Xie et al., SegFormer, NeurIPS 2021) that sees bent pictures.

Four stages at strides 4 to 32. Attention reads keys and values from a map shrunk by a convolution.
The first patch embedding is deformable (Trans4PASS, eq. 1 to 3): each 7x7 window chooses where its
49 taps lie, because a panorama stretches objects differently at every latitude.

Names of modules are those of published checkpoints, so that these load unchanged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.trans4pass.deformable import deformable_convolution

BlockNorm = partial(nn.LayerNorm, eps=1e-6)


@dataclass(frozen=True)
class Size:
    """Width and depth of a network.

    Attributes:
        widths: Channels of each stage.
        depths: Blocks of each stage.
        heads: Attention heads of each stage.
        decoder: Channels of the decoder.
    """

    widths: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]
    heads: tuple[int, int, int, int] = (1, 2, 5, 8)
    decoder: int = 128


SIZES = {
    "nano": Size((32, 64, 128, 160), (2, 2, 2, 2), (1, 2, 4, 5), decoder=64),
    "t": Size((64, 128, 320, 512), (2, 2, 2, 2)),
    "s": Size((64, 128, 320, 512), (3, 4, 6, 3)),
}
"""T and S of the papers (MiT-B1, MiT-B2), and nano: narrower than MiT-B0, for CPUs."""

REDUCTIONS = (8, 4, 2, 1)
DROP_PATH = 0.1


def to_map(tokens: Tensor, height: int, width: int) -> Tensor:
    """(B, H W, C) -> (B, C, H, W)."""
    b, _, c = tokens.shape
    return tokens.transpose(1, 2).reshape(b, c, height, width)


def to_tokens(plane: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H W, C)."""
    return plane.flatten(2).transpose(1, 2)


def joined(x: Tensor, first: nn.Conv2d, second: nn.Conv2d, stride: int, padding: int) -> Tensor:
    """Two convolutions of the same window in one, which reads the picture once."""
    assert first.bias is not None
    assert second.bias is not None
    weight = torch.cat([first.weight, second.weight])
    return functional.conv2d(x, weight, torch.cat([first.bias, second.bias]), stride, padding)


class PatchEmbedding(nn.Module):
    """Overlapping windows to normalised tokens."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        """A convolution and a layer normalisation (whose epsilon is 1e-5, unlike the blocks')."""
        super().__init__()
        self.proj = nn.Conv2d(channels, width, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(width)

    def embed(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, N, h, w) before normalisation."""
        y: Tensor = self.proj(x)
        return y

    def forward(self, x: Tensor) -> tuple[Tensor, int, int]:
        """Tokens (B, h w, N) with h and w."""
        y = self.embed(x)
        return self.norm(to_tokens(y)), y.shape[-2], y.shape[-1]


class DeformablePatchEmbedding(PatchEmbedding):
    """DPE: offsets and weights of the taps are predicted from the picture itself."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        """Two more convolutions of the same window."""
        super().__init__(channels, width, kernel, stride)
        taps = kernel * kernel
        self.offset_conv = nn.Conv2d(channels, 2 * taps, kernel, stride, kernel // 2)
        self.modulator_conv = nn.Conv2d(channels, taps, kernel, stride, kernel // 2)

    def embed(self, x: Tensor) -> Tensor:
        """See `PatchEmbedding.embed`; taps move by at most a quarter of the shorter side."""
        reach = min(x.shape[-2:]) // 4
        stride, padding = self.proj.stride[0], int(self.proj.padding[0])
        both = joined(x, self.offset_conv, self.modulator_conv, stride, padding)
        offset = both[:, : self.offset_conv.out_channels].clamp(-reach, reach)
        mask = 2 * torch.sigmoid(both[:, self.offset_conv.out_channels :])
        assert self.proj.bias is not None
        return deformable_convolution(
            x, offset, mask, self.proj.weight, self.proj.bias, stride, padding
        )


def _attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot product attention of (B, heads, N, d) with (B, heads, M, d)."""
    if query.requires_grad and not query.is_cuda:
        # The fused kernel's backward pass on a CPU takes 2.5 times as long for so few keys.
        chances = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        mixed: Tensor = chances.softmax(-1).to(value.dtype) @ value
        return mixed
    return functional.scaled_dot_product_attention(query, key, value)


class Attention(nn.Module):
    """Multi-head attention whose keys and values come from a map shrunk `reduction` times."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        """Query, key and value projections have a bias."""
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)
        self.reduction = reduction
        if reduction > 1:
            self.sr = nn.Conv2d(width, width, reduction, reduction)
            self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """Tokens (B, H W, C) of a map of that height and width."""
        b, n, c = x.shape
        query = self.q(x).view(b, n, self.heads, c // self.heads).transpose(1, 2)
        if self.reduction > 1:
            x = self.norm(to_tokens(self.sr(to_map(x, height, width))))
        pair = self.kv(x).view(b, -1, 2, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        mixed = _attention(query, pair[0], pair[1])
        y: Tensor = self.proj(mixed.transpose(1, 2).reshape(b, n, c))
        return y


class DepthwiseConvolution(nn.Module):
    """A 3x3 convolution per channel on tokens."""

    def __init__(self, width: int) -> None:
        """Zero padding; it is what tells tokens where the border is."""
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 3, padding=1, groups=width)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """(B, H W, C) -> (B, H W, C)."""
        return to_tokens(self.dwconv(to_map(x, height, width)))


class Mlp(nn.Module):
    """Mix-FFN: linear, depthwise 3x3, GELU, linear."""

    def __init__(self, width: int) -> None:
        """Four times as wide inside."""
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.dwconv = DepthwiseConvolution(4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """(B, H W, C) -> (B, H W, C)."""
        y: Tensor = self.fc2(functional.gelu(self.dwconv(self.fc1(x), height, width)))
        return y


class Block(nn.Module):
    """Attention and Mix-FFN, each behind a normalisation and beside a shortcut."""

    def __init__(self, width: int, heads: int, reduction: int, drop: float) -> None:
        """In training each branch is left out with probability `drop` for a whole sample."""
        super().__init__()
        self.norm1 = BlockNorm(width)
        self.attn = Attention(width, heads, reduction)
        self.norm2 = BlockNorm(width)
        self.mlp = Mlp(width)
        self.drop = drop

    def _kept(self, branch: Tensor) -> Tensor:
        if not self.training or self.drop == 0:
            return branch
        keep = torch.rand(len(branch), 1, 1, device=branch.device) >= self.drop
        return branch * keep / (1 - self.drop)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """(B, H W, C) -> (B, H W, C)."""
        x = x + self._kept(self.attn(self.norm1(x), height, width))
        return x + self._kept(self.mlp(self.norm2(x), height, width))


class Encoder(nn.Module):
    """Four stages; see the module."""

    def __init__(self, size: Size, drop_path: float = DROP_PATH) -> None:
        """Build with random parameters."""
        super().__init__()
        drops = torch.linspace(0, drop_path, sum(size.depths)).tolist()
        channels = 3
        for i, width in enumerate(size.widths):
            make, kernel, stride = (
                (DeformablePatchEmbedding, 7, 4) if i == 0 else (PatchEmbedding, 3, 2)
            )
            setattr(self, f"patch_embed{i + 1}", make(channels, width, kernel, stride))
            blocks = [
                Block(width, size.heads[i], REDUCTIONS[i], drops.pop(0))
                for _ in range(size.depths[i])
            ]
            setattr(self, f"block{i + 1}", nn.ModuleList(blocks))
            setattr(self, f"norm{i + 1}", BlockNorm(width))
            channels = width

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Maps (B, C_i, H / s, W / s) at s = 4, 8, 16, 32 of a picture (B, 3, H, W)."""
        found = []
        x = picture
        for stage in range(1, 5):
            tokens, height, width = getattr(self, f"patch_embed{stage}")(x)
            for block in getattr(self, f"block{stage}"):
                tokens = block(tokens, height, width)
            x = to_map(getattr(self, f"norm{stage}")(tokens), height, width)
            found.append(x)
        return found


def initialise(network: nn.Module, zero_offsets: bool = False) -> None:
    """The official start: truncated normal for linear layers, N(0, 2 / fan_out) for convolutions.

    Args:
        network: Changed in place.
        zero_offsets: Start deformable layers on the regular grid. In the official code the
            backbone's general rule overwrites their zeros (quirk 5 of methods/trans4pass.md).
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
        elif isinstance(module, nn.Conv2d):
            fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
            nn.init.normal_(module.weight, 0, math.sqrt(2 * module.groups / fan_out))
            if zero_offsets and name.endswith(("offset_conv", "modulator_conv")):
                nn.init.zeros_(module.weight)
        if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.bias)

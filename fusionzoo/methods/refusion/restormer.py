"""Restormer's block: attention between channels, then a gated feed-forward network.

Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration", CVPR 2022.
Both parts see their input normalised and are added to it. Attention compares the channels of a head
by their pictures, so its cost grows linearly with the number of pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 8
EXPANSION = 2


def local_projection(channels: int, width: int) -> nn.Sequential:
    """A 1x1 convolution, then a depthwise 3x3 one; no bias."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 1, bias=False),
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
    )


def channel_attention(query: Tensor, key: Tensor, value: Tensor, temperature: Tensor) -> Tensor:
    """softmax(q k^T temperature) v between the channels of each head.

    Args:
        query: (B, C, H, W); the channels of a head are neighbours, unit length over the pixels is
            given to them here.
        key: Likewise.
        value: Likewise, used as it is.
        temperature: (heads, 1, 1).
    """
    batch, channels, height, width = value.shape
    heads = temperature.shape[0]
    # Pixels first: no copy for channels-last maps, and one wide product instead of a narrow one
    # for each head, whose own channels are the diagonal blocks.
    q, k, v = (x.permute(0, 2, 3, 1).reshape(batch, -1, channels) for x in (query, key, value))
    blocks = (batch, heads, channels // heads, heads, channels // heads)
    products = (q.transpose(1, 2) @ k).view(blocks).diagonal(0, 1, 3).movedim(-1, 1)
    lengths = [torch.linalg.vector_norm(x, dim=1).clamp_min(1e-12).view(blocks[:3]) for x in (q, k)]
    cosine = products / (lengths[0].unsqueeze(-1) * lengths[1].unsqueeze(-2))
    weights = (cosine * temperature).softmax(-1)
    matrix = torch.diag_embed(weights.movedim(1, -1), 0, 1, 3).reshape(batch, channels, channels)
    mixed = v @ matrix.transpose(1, 2)
    return mixed.view(batch, height, width, channels).permute(0, 3, 1, 2)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel, epsilon 1e-5."""

    def __init__(self, channels: int) -> None:
        """Weight 1 and bias 0."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W)."""
        last = x.permute(0, 2, 3, 1)
        return functional.layer_norm(last, self.weight.shape, self.weight, self.bias).permute(
            0, 3, 1, 2
        )


class Attention(nn.Module):
    """Self-attention between channels."""

    def __init__(self, channels: int) -> None:
        """`channels` must be a multiple of the 8 heads."""
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.qkv = local_projection(channels, 3 * channels)
        self.project = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W)."""
        query, key, value = self.qkv(x).chunk(3, 1)
        attended: Tensor = self.project(channel_attention(query, key, value, self.temperature))
        return attended


class FeedForward(nn.Module):
    """GELU(first half) times second half of a widened map."""

    def __init__(self, channels: int) -> None:
        """The map is widened to twice `channels`, twice: one half is the gate."""
        super().__init__()
        self.expand = local_projection(channels, 2 * EXPANSION * channels)
        self.project = nn.Conv2d(EXPANSION * channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W)."""
        gate, value = self.expand(x).chunk(2, 1)
        gated: Tensor = self.project(functional.gelu(gate) * value)
        return gated


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, channels: int) -> None:
        """Eight heads, expansion two."""
        super().__init__()
        self.norm1 = ChannelNorm(channels)
        self.attention = Attention(channels)
        self.norm2 = ChannelNorm(channels)
        self.feed_forward = FeedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W)."""
        x = x + self.attention(self.norm1(x))
        result: Tensor = x + self.feed_forward(self.norm2(x))
        return result


def blocks(channels: int, count: int = 2) -> nn.Sequential:
    """Several blocks of one width."""
    return nn.Sequential(*(Block(channels) for _ in range(count)))


def convolution(channels: int, width: int) -> nn.Conv2d:
    """3x3, no bias, the size is kept."""
    return nn.Conv2d(channels, width, 3, padding=1, bias=False)

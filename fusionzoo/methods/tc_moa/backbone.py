"""The masked autoencoder's transformer, with attention in shifted windows.

He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022; windows and relative
positions as in Liu et al., "Swin Transformer", ICCV 2021, but without a mask where the cyclic shift
joins opposite borders. Token maps are (B, H, W, C). Parameter names inside a block are MAE's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.tc_moa.configuration import GRID, MLP_RATIO, NORM_EPSILON

CACHED = 32
"""Windows times heads that go through a block at once on a CPU, so that its cache holds them."""


def sine_cosine_table(width: int) -> Tensor:
    """MAE's positions (width, 14, 14): first half of the channels for columns, second for rows.

    Each half is [sin | cos] of the coordinate times 10000^(-2 i / (width / 2)).
    """
    quarter = width // 4
    frequencies = 10000.0 ** -(torch.arange(quarter, dtype=torch.float64) / quarter)
    angles = torch.arange(GRID, dtype=torch.float64)[:, None] * frequencies
    wave = torch.cat([angles.sin(), angles.cos()], 1).T
    columns = wave[:, None, :].expand(-1, GRID, -1)
    rows = wave[:, :, None].expand(-1, -1, GRID)
    return torch.cat([columns, rows]).float()


def positions(table: Tensor, height: int, width: int, official: bool = False) -> Tensor:
    """The table (C, 14, 14) resized to a token map (1, H, W, C).

    Args:
        table: See `sine_cosine_table`.
        height: Rows of tokens.
        width: Columns of tokens.
        official: Resize to (width, height) and read the result in token order, as the released
            code does.
    """
    size = (width, height) if official else (height, width)
    resized = functional.interpolate(table[None], size=size, mode="bilinear", align_corners=False)
    return resized.flatten(2).transpose(1, 2).reshape(1, height, width, -1)


class RelativePosition(nn.Module):
    """A learned bias for each offset between two tokens of a window and each head."""

    def __init__(self, window: int, heads: int) -> None:
        """One table for `heads` heads."""
        super().__init__()
        self.table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.table, std=0.02)
        self.register_buffer("index", _offsets(window), persistent=False)
        self.index: Tensor

    def forward(self) -> Tensor:
        """(heads, window^2, window^2)."""
        # Contiguous: otherwise adding it takes longer than the products it is added to.
        return self.table.T.contiguous()[:, self.index]


def _offsets(window: int) -> Tensor:
    """(window^2, window^2) row of the table for each pair of tokens."""
    axis = torch.arange(window)
    rows, columns = (grid.flatten() for grid in torch.meshgrid(axis, axis, indexing="ij"))
    down = rows[:, None] - rows[None] + window - 1
    across = columns[:, None] - columns[None] + window - 1
    return down * (2 * window - 1) + across


def to_windows(tokens: Tensor, window: int) -> Tensor:
    """(B, H, W, C) -> (B windows, window^2, C)."""
    batch, height, width, channels = tokens.shape
    cut = tokens.reshape(batch, height // window, window, width // window, window, channels)
    return cut.transpose(2, 3).reshape(-1, window * window, channels)


def from_windows(windows: Tensor, window: int, height: int, width: int) -> Tensor:
    """The inverse of `to_windows`."""
    grid = windows.reshape(-1, height // window, width // window, window, window, windows.shape[-1])
    return grid.transpose(2, 3).reshape(-1, height, width, windows.shape[-1])


class Attention(nn.Module):
    """Multi-head self-attention inside each window."""

    def __init__(self, width: int, heads: int) -> None:
        """`width` channels, divided among the heads."""
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, windows: Tensor, bias: Tensor) -> Tensor:
        """Maps (N, window^2, C), with a bias (heads, window^2, window^2) on the scores."""
        count, length, width = windows.shape
        packed = self.qkv(windows).reshape(count, length, 3, self.heads, width // self.heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        bias = bias.to(query.dtype)
        if self.training or query.device.type == "cpu":
            mixed = _attend(query, key, value, bias)
        else:
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        attended: Tensor = self.proj(mixed.transpose(1, 2).reshape(count, length, width))
        return attended


def _attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """The formula itself: it holds all scores, but is twice as fast in bfloat16 on CPUs."""
    with torch.autocast(query.device.type, enabled=False):  # else softmax would be in float32
        scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2) + bias
        return scores.softmax(-1) @ value


class Mlp(nn.Module):
    """Two linear maps with GELU between."""

    def __init__(self, width: int) -> None:
        """Four times as wide inside."""
        super().__init__()
        self.fc1 = nn.Linear(width, MLP_RATIO * width)
        self.fc2 = nn.Linear(MLP_RATIO * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps (..., C)."""
        mapped: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return mapped


class Block(nn.Module):
    """A transformer block on a token map; every second one sees windows shifted by half."""

    def __init__(self, width: int, heads: int, window: int, shifted: bool) -> None:
        """See `Size`."""
        super().__init__()
        self.window, self.shift = window, window // 2 if shifted else 0
        self.norm1 = nn.LayerNorm(width, NORM_EPSILON)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, NORM_EPSILON)
        self.mlp = Mlp(width)

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Maps (B, H, W, C); H and W are multiples of the window."""
        height, width = tokens.shape[1:3]
        windows = to_windows(self._rolled(tokens, -self.shift), self.window)
        if not self.training and windows.device.type == "cpu":
            few = max(1, CACHED // self.attn.heads)
            windows = torch.cat([self._windows(part, bias) for part in torch.split(windows, few)])
        else:
            windows = self._windows(windows, bias)
        return self._rolled(from_windows(windows, self.window, height, width), self.shift)

    def _windows(self, windows: Tensor, bias: Tensor) -> Tensor:
        windows = windows + self.attn(self.norm1(windows), bias)
        mapped: Tensor = windows + self.mlp(self.norm2(windows))
        return mapped

    def _rolled(self, tokens: Tensor, by: int) -> Tensor:
        return tokens.roll((by, by), (1, 2)) if by else tokens


def initialise(module: nn.Module) -> None:
    """MAE's initial values: Xavier for linear maps, zero biases."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

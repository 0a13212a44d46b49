"""F for inference: the same numbers, strip by strip, in a fraction of the memory.

Attention between channels needs all pixels only for a few sums (products and squared lengths of
queries and keys), everything else looks one pixel far. So each block goes over the picture twice in
strips of rows that stay in the processor's cache: once for the sums, once for the result. Wide
intermediate maps, up to 128 channels, never exist at full size. The weights of attention and the
1x1 convolution after it are one matrix.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.refusion.network import Branch, Fusion, Mixer
from fusionzoo.methods.refusion.restormer import Attention, Block, ChannelNorm, FeedForward

STRIP_PIXELS = 8192
"""Pixels of a strip: its widest map, 128 channels of float32, then takes 4 MB."""


def strips(x: Tensor) -> Iterator[tuple[int, int]]:
    """First row and row after the last of each strip of (B, C, H, W)."""
    height, width = x.shape[-2:]
    rows = max(4, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def window(x: Tensor, top: int, bottom: int) -> Tensor:
    """Rows of a strip with one more on each side where the picture has it."""
    return x[..., max(top - 1, 0) : bottom + 1, :]


def local(layers: nn.Sequential, rows: Tensor, top: int, bottom: int, height: int) -> Tensor:
    """A `local_projection` of a strip, from its `window`; zeros stand outside of the picture."""
    wide = layers[0](rows)
    above, below = int(top == 0), int(bottom == height)
    if above or below:
        wide = functional.pad(wide, (0, 0, above, below))
    depthwise = layers[1]
    assert isinstance(depthwise, nn.Conv2d)
    return functional.conv2d(wide, depthwise.weight, padding=(0, 1), groups=depthwise.groups)


class Sums:
    """What attention must know of a whole picture, added up strip by strip."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.products: Tensor | float = 0.0
        self.query_squares: Tensor | float = 0.0
        self.key_squares: Tensor | float = 0.0

    def add(self, query: Tensor, key: Tensor, heads: int) -> None:
        """Queries and keys (B, C, rows, W) of a strip."""
        shape = (query.shape[0], heads, query.shape[1] // heads, -1)
        q, k = query.reshape(shape).float(), key.reshape(shape).float()
        self.products = self.products + q @ k.transpose(-2, -1)
        self.query_squares = self.query_squares + q.square().sum(-1)
        self.key_squares = self.key_squares + k.square().sum(-1)

    def matrix(self, temperature: Tensor, project: nn.Conv2d) -> Tensor:
        """(B, C, C): attention, then the 1x1 convolution, of a pixel's values."""
        lengths = [torch.as_tensor(s).sqrt().clamp(min=1e-12) for s in
                   (self.query_squares, self.key_squares)]  # fmt: skip
        cosine = self.products / (lengths[0].unsqueeze(-1) * lengths[1].unsqueeze(-2))
        attention = (cosine * temperature.float()).softmax(-1)
        batch, heads, width, _ = attention.shape
        weight = project.weight.flatten(1).float().view(-1, heads, width)
        return torch.einsum("ohi,bhij->bohj", weight, attention).reshape(batch, -1, heads * width)


def attended(matrix: Tensor, value: Tensor) -> Tensor:
    """A matrix (1, C, C) times the values (1, C, rows, W)."""
    return functional.conv2d(value, matrix[0, :, :, None, None].to(value.dtype))


def attend(x: Tensor, norm: ChannelNorm, layer: Attention) -> Tensor:
    """X + attention(norm(x))."""
    sums, value = Sums(), torch.empty_like(x)
    for top, bottom in strips(x):
        qkv = local(layer.qkv, norm(window(x, top, bottom)), top, bottom, x.shape[-2])
        query, key, value[..., top:bottom, :] = qkv.chunk(3, 1)
        sums.add(query, key, layer.temperature.shape[0])
    matrix = sums.matrix(layer.temperature, layer.project)
    for top, bottom in strips(x):
        rows = value[..., top:bottom, :]
        value[..., top:bottom, :] = x[..., top:bottom, :] + attended(matrix, rows)
    return value


def feed(x: Tensor, norm: ChannelNorm, layer: FeedForward) -> Tensor:
    """X + feed_forward(norm(x))."""
    result = torch.empty_like(x)
    for top, bottom in strips(x):
        wide = local(layer.expand, norm(window(x, top, bottom)), top, bottom, x.shape[-2])
        gate, rest = wide.chunk(2, 1)
        gated = layer.project(functional.gelu(gate) * rest)
        result[..., top:bottom, :] = x[..., top:bottom, :] + gated
    return result


def run_blocks(x: Tensor, layers: nn.Sequential) -> Tensor:
    """A row of Restormer blocks."""
    for block in layers:
        assert isinstance(block, Block)
        x = feed(attend(x, block.norm1, block.attention), block.norm2, block.feed_forward)
    return x


def mix(first: Tensor, second: Tensor, mixer: Mixer) -> Tensor:
    """See `Mixer`."""
    height = first.shape[-2]
    branches: tuple[tuple[Branch, Tensor], ...] = ((mixer.first, first), (mixer.second, second))
    values = [torch.empty_like(first), torch.empty_like(second)]
    sums = Sums(), Sums()
    for top, bottom in strips(first):
        parts = [
            local(branch.qkv, window(x, top, bottom), top, bottom, height).chunk(3, 1)
            for branch, x in branches
        ]
        for index, (branch, _) in enumerate(branches):
            values[index][..., top:bottom, :] = parts[index][2]
            sums[index].add(parts[1 - index][0], parts[index][1], branch.temperature.shape[0])
    for index, (branch, x) in enumerate(branches):
        matrix = sums[index].matrix(branch.temperature, branch.project)
        for top, bottom in strips(x):
            rows = values[index][..., top:bottom, :]
            values[index][..., top:bottom, :] = x[..., top:bottom, :] + attended(matrix, rows)
    both = torch.cat(values, 1)
    result = torch.empty_like(both)
    for top, bottom in strips(both):
        gates = local(mixer.gate, window(both, top, bottom), top, bottom, height)
        total = both[..., top:bottom, :]
        pairs = zip(branches, values, functional.gelu(gates).chunk(2, 1), strict=True)
        for (branch, _), value, gate in pairs:
            wide = local(branch.expand, window(value, top, bottom), top, bottom, height)
            total = total + branch.squeeze(gate * wide)
        result[..., top:bottom, :] = total
    return result


class FastFusion(nn.Module):
    """F in strips; for inference alone."""

    def __init__(self, plain: Fusion) -> None:
        """Takes over the parameters of `plain`."""
        super().__init__()
        self.plain = plain

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """As `Fusion.forward`; picture by picture, so that a batch changes no last digit."""
        pairs = zip(torch.split(first, 1), torch.split(second, 1), strict=True)
        return torch.cat([self._fuse(one, other) for one, other in pairs])

    def _fuse(self, first: Tensor, second: Tensor) -> Tensor:
        plain = self.plain
        one, other = (
            run_blocks(stem(x.contiguous(memory_format=torch.channels_last)), encoder)
            for x, stem, encoder in (
                (first, plain.stem1, plain.encoder1),
                (second, plain.stem2, plain.encoder2),
            )
        )
        mixed = run_blocks(mix(one, other, plain.mixer), plain.decoder)
        fused: Tensor = plain.head(mixed)
        return fused

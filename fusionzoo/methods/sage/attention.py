"""SAGE's semantic persistent attention (SPA): masks ask, the image answers, and stays remembered.

Each transformer attends to its own tokens first and then, in a second attention, to a context. The
keys and values that leave the image's second attention are the persistent repository: the mask
streams and the second pair of transformers take them as context. They have been projected once
when they leave, and the taker projects them again with its own matrices, as the released network
does. All of it happens at a quarter of the size.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS, HEADS, HIDDEN = 64, 2, 256
POOLING = 4
"""Attention sees pictures shrunk by this."""


class Repository(NamedTuple):
    """Keys and values (B, N, 64) of N tokens."""

    keys: Tensor
    values: Tensor


class Attention(nn.Module):
    """Multi-head attention from tokens to a context; the keys and values it used come out too."""

    def __init__(self) -> None:
        """Three projections without bias, one with."""
        super().__init__()
        self.to_query = nn.Linear(CHANNELS, CHANNELS, bias=False)
        self.to_keys = nn.Linear(CHANNELS, CHANNELS, bias=False)
        self.to_values = nn.Linear(CHANNELS, CHANNELS, bias=False)
        self.project = nn.Linear(CHANNELS, CHANNELS)

    def forward(self, x: Tensor, context: Repository | None = None) -> tuple[Tensor, Repository]:
        """Attend from (B, N, 64) tokens to those of the context, or to one another."""
        source = context or Repository(x, x)
        used = Repository(self.to_keys(source.keys), self.to_values(source.values))
        query, keys, values = (
            tokens.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for tokens in (self.to_query(x), *used)
        )
        answer = functional.scaled_dot_product_attention(query, keys, values)
        return self.project(answer.transpose(1, 2).flatten(2)), used


class GatedMlp(nn.Module):
    """Linear layers around value * GELU(gate) (Shazeer, arXiv 2002.05202)."""

    def __init__(self) -> None:
        """64 -> 2 x 256 -> 64."""
        super().__init__()
        self.enlarge = nn.Linear(CHANNELS, 2 * HIDDEN)
        self.shrink = nn.Linear(HIDDEN, CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, N, 64)."""
        value, gate = self.enlarge(x).chunk(2, dim=-1)
        shrunk: Tensor = self.shrink(value * functional.gelu(gate))
        return shrunk


class SpatialTransformer(nn.Module):
    """One transformer block over the pixels of a map; at the start of training the identity."""

    def __init__(self) -> None:
        """Normalisation, two attentions, a gated MLP, 1x1 convolutions around them."""
        super().__init__()
        self.norm = nn.GroupNorm(4, CHANNELS, eps=1e-6)
        self.enter = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.norm_self, self.self_attention = nn.LayerNorm(CHANNELS), Attention()
        self.norm_cross, self.cross_attention = nn.LayerNorm(CHANNELS), Attention()
        self.norm_mlp, self.mlp = nn.LayerNorm(CHANNELS), GatedMlp()
        self.leave = nn.Conv2d(CHANNELS, CHANNELS, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, context: Repository | None = None) -> tuple[Tensor, Repository]:
        """Map (B, 64, h, w) and the repository of the second attention."""
        height, width = x.shape[-2:]
        tokens = self.enter(self.norm(x)).flatten(2).transpose(1, 2)
        tokens = tokens + self.self_attention(self.norm_self(tokens))[0]
        seen, repository = self.cross_attention(self.norm_cross(tokens), context)
        tokens = tokens + seen
        tokens = tokens + self.mlp(self.norm_mlp(tokens))
        map_again = tokens.transpose(1, 2).unflatten(2, (height, width))
        return x + self.leave(map_again), repository


class Streams(NamedTuple):
    """What a stage hands on: image, visible masks and infrared masks, (B, C, h, w) each."""

    image: Tensor
    visible: Tensor
    infrared: Tensor


def joined(width_in: int, width_out: int = CHANNELS) -> nn.Sequential:
    """3x3 convolution and LeakyReLU."""
    return nn.Sequential(nn.Conv2d(width_in, width_out, 3, padding=1), nn.LeakyReLU(0.01))


class SemanticPersistentAttention(nn.Module):
    """One SPA stage: 64 channels a stream in, 256 image channels and 64 a mask stream out."""

    def __init__(self) -> None:
        """Five transformers and the four convolutions between them."""
        super().__init__()
        self.image_first, self.image_second = SpatialTransformer(), SpatialTransformer()
        self.visible_first, self.infrared_first = SpatialTransformer(), SpatialTransformer()
        self.masks_second = SpatialTransformer()
        self.between_image, self.between_masks = joined(2 * CHANNELS), joined(2 * CHANNELS)
        self.between_visible, self.between_infrared = joined(2 * CHANNELS), joined(2 * CHANNELS)

    def forward(self, streams: Streams) -> Streams:
        """Streams of one height and width of at least 4."""
        size = streams.image.shape[-2:]
        image, visible, infrared = (functional.max_pool2d(x, POOLING) for x in streams)
        image1, repository = self.image_first(image)
        visible1, _ = self.visible_first(visible, repository)
        infrared1, _ = self.infrared_first(infrared, repository)
        visible2 = self.between_visible(torch.cat([visible1, visible], 1)) + visible1
        infrared2 = self.between_infrared(torch.cat([infrared1, infrared], 1)) + infrared1
        merged = self.between_masks(torch.cat([infrared2, visible2], 1))
        masks, seen = self.masks_second(
            merged + infrared2 + visible2 + visible1 + infrared1, repository
        )
        image2 = self.between_image(torch.cat([image1, image], 1)) + image1
        image3, _ = self.image_second(image2, seen)
        parts = Streams(torch.cat([image3, image, image2, masks], 1), visible2, infrared2)
        return Streams(*(functional.interpolate(x, size=size, mode="bilinear") for x in parts))

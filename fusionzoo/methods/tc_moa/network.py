"""The whole network: one masked autoencoder for both sources, TC-MoAs between its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.tc_moa.adapters import Dial, Prompts, TaskMixture
from fusionzoo.methods.tc_moa.backbone import (
    Block,
    RelativePosition,
    initialise,
    positions,
    sine_cosine_table,
)
from fusionzoo.methods.tc_moa.configuration import (
    ENLARGED,
    NORM_EPSILON,
    PRESETS,
    SIZES,
    TASKS,
    Size,
    Variant,
)

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Fused(NamedTuple):
    """What a forward pass gives.

    Attributes:
        picture: (B, 3, H, W), about [0, 1] but not clipped.
        enlarged: The decoder's pixels (B, 3, 2 H, 2 W), normalised by ImageNet's mean.
        encoder_prompts: Of each TC-MoA in the encoder.
        decoder_prompts: Of each in the decoder.
        balance: Sum of the load-balance terms.
        encoded: Tokens (B, H, W, C) of both streams after the encoder.
    """

    picture: Tensor
    enlarged: Tensor
    encoder_prompts: list[Prompts]
    decoder_prompts: list[Prompts]
    balance: Tensor
    encoded: tuple[Tensor, Tensor]


class Stage(nn.Module):
    """Encoder or decoder: blocks, their relative positions, and the TC-MoAs between them."""

    def __init__(
        self, width: int, depth: int, heads: int, size: Size, variant: Variant, again: bool
    ) -> None:
        """`again`: TC-MoAs restore mean and deviation of the streams."""
        super().__init__()
        window = size.window
        self.at = size.units(depth)
        self.blocks = nn.ModuleList(Block(width, heads, window, i % 2 == 1) for i in range(depth))
        self.relative = nn.ModuleList(
            RelativePosition(window, heads) for _ in range((depth + 1) // 2)
        )
        self.units = nn.ModuleList(TaskMixture(width, variant, again) for _ in self.at)
        self.norm = nn.LayerNorm(width, NORM_EPSILON)

    def forward(
        self, streams: Tensor, tasks: Mapping[int, float], dial: Dial
    ) -> tuple[Tensor, list[Prompts], Tensor]:
        """Maps both streams, (2 B, H, W, C), x before y; also prompts and balance."""
        prompts, balance = [], streams.new_zeros((), dtype=torch.float32)
        units = dict(zip(self.at, self.units, strict=True))
        for index, block in enumerate(self.blocks):
            streams = block(streams, self.relative[index // 2]())
            if index in units:
                met = units[index](*streams.chunk(2), tasks, dial)
                streams = torch.cat([met.x, met.y])
                prompts.append(met.prompts)
                balance = balance + met.balance
        return self.norm(streams), prompts, balance

    def plain(self, tokens: Tensor) -> Tensor:
        """The blocks alone on one stream (B, H, W, C), as for pre-training."""
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, self.relative[index // 2]())
        normed: Tensor = self.norm(tokens)
        return normed


class Network(nn.Module):
    """TC-MoA.

    Args:
        size: Name of a size, or one.
        variant: Name of a preset, or one.
    """

    def __init__(self, size: str | Size = "tiny", variant: str | Variant = "zoo") -> None:
        """Random values; `fusionzoo.load` fills in trained ones."""
        super().__init__()
        self.size = SIZES[size] if isinstance(size, str) else size
        self.variant = PRESETS[variant] if isinstance(variant, str) else variant
        dims, form = self.size, self.variant
        self.patch_embed = nn.Conv2d(3, dims.width, dims.patch, dims.patch)
        self.encoder = Stage(dims.width, dims.depth, dims.heads, dims, form, again=False)
        self.decoder_embed = nn.Linear(dims.width, dims.decoder_width)
        self.decoder = Stage(
            dims.decoder_width, dims.decoder_depth, dims.decoder_heads, dims, form,
            again=form.restandardise,
        )  # fmt: skip
        self.decoder_pred = nn.Linear(dims.decoder_width, 3 * dims.patch**2)
        self.apply(initialise)
        nn.init.xavier_uniform_(self.patch_embed.weight.data.view(dims.width, -1))
        tables = {
            "table": sine_cosine_table(dims.width),
            "decoder_table": sine_cosine_table(dims.decoder_width),
            "mean": torch.tensor(MEAN).view(3, 1, 1),
            "deviation": torch.tensor(DEVIATION).view(3, 1, 1),
        }
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)
        self.table: Tensor
        self.decoder_table: Tensor
        self.mean: Tensor
        self.deviation: Tensor

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        task: str | Mapping[str, float] = "vif",
        dial: Dial = Dial(),  # noqa: B008 (immutable)
    ) -> Fused:
        """Fuse two pictures.

        Args:
            x: Visible, over-exposed or far-focused picture (B, 3, H, W) in [0, 1]; sides are
                multiples of `size.multiple`.
            y: Infrared, under-exposed or near-focused picture of the same shape.
            task: Task, or shares of several, whose routers are mixed.
            dial: Shift of the prompts.
        """
        shares = task_shares(task)
        tokens = self.embed(torch.cat([x, y]))
        tokens, encoder_prompts, balance = self.encoder(tokens, shares, dial)
        encoded = tokens.chunk(2)
        decoded, decoder_prompts, more = self.decoder(self.decoder_tokens(tokens), shares, dial)
        enlarged = self.pixels(decoded.chunk(2)[0])
        return Fused(
            self.picture(enlarged), enlarged, encoder_prompts, decoder_prompts, balance + more,
            (encoded[0], encoded[1]),
        )  # fmt: skip

    def embed(
        self, pictures: Tensor, hidden: Tensor | None = None, token: Tensor | None = None
    ) -> Tensor:
        """Pictures (B, 3, H, W) in [0, 1] to tokens (B, h, w, C), enlarged and with positions.

        Args:
            pictures: Sides are multiples of `size.multiple`.
            hidden: (B, h, w) bool, where `token` (C) stands instead of a patch (pre-training).
            token: The token of hidden patches.
        """
        normal = (pictures - self.mean) / self.deviation
        enlarged = functional.interpolate(
            normal, scale_factor=ENLARGED, mode="bilinear", align_corners=False
        )
        with torch.autocast(pictures.device.type, enabled=False):  # pixels keep their precision
            tokens = self.patch_embed(enlarged).permute(0, 2, 3, 1)
        if hidden is not None and token is not None:
            tokens = torch.where(hidden[..., None], token.to(tokens.dtype), tokens)
        return tokens + self._positions(self.table, tokens)  # type: ignore[no-any-return]

    def decoder_tokens(self, tokens: Tensor) -> Tensor:
        """The encoder's tokens as the decoder takes them."""
        with torch.autocast(tokens.device.type, enabled=False):
            narrow = self.decoder_embed(tokens.to(self.decoder_embed.weight.dtype))
        return narrow + self._positions(self.decoder_table, narrow)  # type: ignore[no-any-return]

    def _positions(self, table: Tensor, tokens: Tensor) -> Tensor:
        official = self.variant.positions == "official"
        height, width = tokens.shape[1:3]
        return positions(table, height, width, official).to(tokens.dtype)

    def pixels(self, tokens: Tensor) -> Tensor:
        """Decoded tokens (B, h, w, C) to pixels (B, 3, h patch, w patch), still normalised."""
        batch, rows, columns, _ = tokens.shape
        side = self.size.patch
        with torch.autocast(tokens.device.type, enabled=False):
            values = self.decoder_pred(tokens.to(self.decoder_pred.weight.dtype))
        patches = values.reshape(batch, rows, columns, side, side, 3)
        pixels = patches.permute(0, 5, 1, 3, 2, 4)
        return pixels.reshape(batch, 3, rows * side, columns * side)  # type: ignore[no-any-return]

    def picture(self, enlarged: Tensor) -> Tensor:
        """The decoder's pixels brought back to the picture's size and range."""
        if self.variant.reduction == "nearest":
            small = functional.interpolate(enlarged, scale_factor=1 / ENLARGED, mode="nearest")
        else:
            small = functional.avg_pool2d(enlarged, ENLARGED)
        return small * self.deviation + self.mean


def task_shares(task: str | Mapping[str, float]) -> dict[int, float]:
    """Task names to indices and shares that sum to 1.

    Raises:
        ValueError: An unknown task, or shares that are negative or all zero.
    """
    given = {task: 1.0} if isinstance(task, str) else dict(task)
    unknown = sorted(set(given) - set(TASKS))
    total = sum(given.values())
    if unknown or total <= 0 or min(given.values()) < 0:
        raise ValueError(f"tasks {given}: expected shares, not negative, of {', '.join(TASKS)}")
    return {TASKS.index(name): share / total for name, share in given.items() if share}

"""Sizes of the network, and a switch for each place where paper and released code differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TASKS = ("vif", "mef", "mff")
"""Infrared-visible, multi-exposure and multi-focus fusion: the rows of every router."""
SourceTask = Literal["vif", "mef", "mff"]


@dataclass(frozen=True)
class Size:
    """Widths and depths.

    Attributes:
        width: Channels of a token in the encoder.
        depth: Blocks of the encoder.
        heads: Attention heads of the encoder.
        decoder_width, decoder_depth, decoder_heads: The same of the decoder.
        patch: Side of a patch in pixels of the enlarged picture, so half of it in the picture.
        window: Side of an attention window in tokens.
        tau: A TC-MoA stands after every `tau`-th block.
    """

    width: int
    depth: int
    heads: int
    decoder_width: int
    decoder_depth: int
    decoder_heads: int
    patch: int = 16
    window: int = 14
    tau: int = 4

    @property
    def multiple(self) -> int:
        """Sides of a picture are multiples of this (pixels)."""
        return self.window * self.patch // ENLARGED

    def units(self, depth: int) -> list[int]:
        """Indices of the blocks that a TC-MoA follows: (i + 2) mod tau = tau - 1."""
        return [i for i in range(depth) if (i + 2) % self.tau == self.tau - 1]


ENLARGED = 2
"""Pictures are enlarged by this before they are cut into patches."""
MLP_RATIO, NORM_EPSILON = 4, 1e-6
GRID = 14
"""Side of the position table, from MAE's 224-pixel pictures."""

SIZES = {
    "large": Size(1024, 24, 16, 512, 8, 16),
    "base": Size(768, 12, 12, 512, 8, 16),
    # Smaller patches: with 48 values a patch instead of 192, a narrow token still holds all of
    # its pixels. More TC-MoAs: each passes only a quarter of a token's width between the streams.
    "tiny": Size(96, 6, 4, 96, 2, 4, patch=8, tau=2),
}


def check_crop(size: str, height: int, width: int) -> None:
    """Refuse crops that attention windows do not divide.

    Raises:
        ValueError: A side is no multiple of `Size.multiple`.
    """
    multiple = SIZES[size].multiple
    if height % multiple or width % multiple:
        raise ValueError(
            f"height={height}, width={width}: expected multiples of {multiple} for size {size}"
        )


@dataclass(frozen=True)
class Variant:
    """Where the paper and the released code (2025-02) differ; defaults are those of our weights.

    Attributes:
        mixture: "linear" adds the adapters' outputs A_k under the gates g_k (paper, eq. 4);
            "logsumexp" is log sum_k g_k exp(A_k) (code).
        mir: |p_x + p_y - 1| as mean of "l1" (paper) or "mse" (code).
        restandardise: After a decoder unit each stream gets its former mean and deviation back
            (code since 2025-02).
        positions: The position table resized to the token grid ("fixed"), or to width by height
            as in the code ("official"), which differs on grids that are not square.
        reduction: How the enlarged output is brought back: "nearest" (code) or "area".
        gate_floor: Gates up to this are set to 0 (code: 1e-4).
        losses: Weights of the losses, of the "2024" or "2025" code.
        passes: How many times `fusionzoo.load` fuses a picture, each time with the borders of
            attention windows at other places, to blend them so that no border shows
            (see `inference`); paper and code: 1. Diagonal shifts need 3.
    """

    mixture: Literal["linear", "logsumexp"] = "linear"
    mir: Literal["l1", "mse"] = "mse"
    restandardise: bool = False
    positions: Literal["fixed", "official"] = "fixed"
    reduction: Literal["nearest", "area"] = "area"
    gate_floor: float = 0.0
    losses: Literal["2024", "2025"] = "2025"
    passes: int = 3


PRESETS = {
    "zoo": Variant(),
    "paper": Variant(mir="l1", reduction="nearest", losses="2024", passes=1),
    "official": Variant(
        mixture="logsumexp",
        restandardise=True,
        positions="official",
        reduction="nearest",
        gate_floor=1e-4,
        passes=1,
    ),
}

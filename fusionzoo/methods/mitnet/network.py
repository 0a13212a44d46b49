"""The two-stage network: Fourier amplitude first, phase second, and what ties them together.

Shen, Zhao and Zhang, "Mutual Information-driven Triple Interaction Network for Efficient Image
Dehazing", ACM Multimedia 2023. Level l has width * 2^l channels at 1 / 2^l of the size, l = 0..3.

Differs from the authors' code: sides of any length (reflected up to a multiple of 8 and cropped
back), inverse transforms that know their size, the sign of pi fixed, and no parameters that
nothing uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.layers.stretch import QUANTILES, limits
from fusionzoo.methods.mitnet.carry import carry, reduced
from fusionzoo.methods.mitnet.interaction import Interaction
from fusionzoo.methods.mitnet.layers import (
    AdaptiveFilter,
    Block,
    Part,
    SupervisedAttention,
    conv3,
    swap_amplitude,
)

LEVELS = 4
MULTIPLE = 2 ** (LEVELS - 1)
OFFICIAL_WIDTH = 20
ZOO_WIDTH = 8
STRENGTH = 0.4
"""What a stretched picture is corrected to counts so much, the stretched picture the rest: both
err, each in its own way. Chosen on held-out training scenes (methods/mitnet.md)."""
UNTILED_PIXELS = 16_000_000
"""Pictures up to this size go through whole where only a reduced one is restored: below 2 GB."""


class Stages(NamedTuple):
    """Both outputs, and the features that the mutual-information term compares.

    Attributes:
        first: Picture after the amplitude stage (B, C, H, W), not limited to [0, 1].
        second: Picture after the phase stage, likewise.
        phase: Features of the second encoder, fine to coarse.
        amplitude: Features of the first decoder, fine to coarse.
    """

    first: Tensor
    second: Tensor
    phase: list[Tensor]
    amplitude: list[Tensor]


class Encoder(nn.Module):
    """Four blocks with strided convolutions between them."""

    def __init__(self, widths: list[int], part: Part, cross: bool) -> None:
        """`cross`: the first three blocks also take features of another encoder and decoder."""
        super().__init__()
        entries = [widths[0], *widths[:-1]]
        self.blocks = nn.ModuleList(
            Block(inputs, outputs, part, cross and outputs != widths[-1])
            for inputs, outputs in zip(entries, widths, strict=True)
        )
        self.down = nn.ModuleList(
            nn.Conv2d(width, width, 4, 2, 1, bias=False) for width in widths[:-1]
        )

    def forward(
        self, features: Tensor, encoded: list[Tensor] | None = None,
        decoded: list[Tensor] | None = None,
    ) -> list[Tensor]:  # fmt: skip
        """Features of every level, fine to coarse."""
        levels = []
        for level, block in enumerate(self.blocks):
            last = level == LEVELS - 1
            if encoded is None or decoded is None or last:
                features = block(features)
            else:
                features = block(features, encoded[level], decoded[level])
            levels.append(features)
            if not last:
                features = self.down[level](features)
        return levels


class AmplitudeStep(nn.Module):
    """One step up in the first stage: enlarge, join the skip connection, block."""

    def __init__(self, inputs: int, outputs: int, part: Part) -> None:
        """From the coarser level's channels to the finer one's."""
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        self.skip = conv3(outputs, outputs)
        self.block = Block(inputs, outputs, part)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        return self.block(torch.cat([self.up(features), self.skip(skip)], 1))  # type: ignore[no-any-return]


class PhaseStep(nn.Module):
    """One step up in the second stage: enlarge, filter by both streams, block."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """From the coarser level's channels to the finer one's."""
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        self.filter = AdaptiveFilter(outputs)
        self.block = Block(inputs, outputs, "phase")

    def forward(self, features: Tensor, phase: Tensor, amplitude: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        raised = self.up(features)
        joined = torch.cat([raised, self.filter(raised, phase, amplitude)], 1)
        return self.block(joined)  # type: ignore[no-any-return]


class TwoStage(nn.Module):
    """The body: a picture corrected first in Fourier amplitude, then in phase."""

    def __init__(
        self,
        width: int = ZOO_WIDTH,
        inputs: int = 3,
        outputs: int = 3,
        decoder_amplitude: bool = True,
        parallel: bool = False,
    ) -> None:
        """Make the layers.

        Args:
            width: Channels of the finest level (the authors': 20; our shipped weights: 8).
            inputs: Channels of what is seen.
            outputs: Channels of what is corrected.
            decoder_amplitude: Spectral branches in the first decoder, as in the paper; the
                released weights were trained without.
            parallel: Interaction of levels as the paper draws it, not in sequence.
        """
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        steps = [(widths[level + 1], widths[level]) for level in reversed(range(LEVELS - 1))]
        part: Part = "amplitude" if decoder_amplitude else "none"
        self.amplitude_head = conv3(inputs, width)
        self.amplitude_encoder = Encoder(widths, "amplitude", cross=False)
        self.amplitude_decoder = nn.ModuleList(AmplitudeStep(*step, part) for step in steps)
        self.attention = SupervisedAttention(width, outputs)
        self.bridge_head = conv3(outputs, width)
        self.bridge_merge = nn.Conv2d(2 * width, width, 1)
        self.phase_encoder = Encoder(widths, "phase", cross=True)
        self.interaction = nn.ModuleDict(
            {name: Interaction(widths[:-1], parallel) for name in ("phase", "amplitude")}
        )
        self.phase_decoder = nn.ModuleList(PhaseStep(*step) for step in steps)
        self.tail = conv3(width, outputs)

    def stages(self, seen: Tensor, base: Tensor) -> Stages:
        """Both stages.

        Args:
            seen: (B, inputs, H, W) in [0, 1], sides multiples of 8.
            base: (B, outputs, H, W) in [0, 1]: the picture that is corrected; the second stage
                starts from its phase.
        """
        encoded = self.amplitude_encoder(self.amplitude_head(seen))
        features = encoded[-1]
        decoded: list[Tensor] = []
        for step, skip in zip(self.amplitude_decoder, reversed(encoded[:-1]), strict=True):
            features = step(features, skip)
            decoded.insert(0, features)
        gated, first = self.attention(features, base)
        bridge = swap_amplitude(first, base).to(first.dtype)
        merged = self.bridge_merge(torch.cat([self.bridge_head(bridge), gated], 1))
        levels = self.phase_encoder(merged, encoded, decoded)
        del encoded, features, gated, bridge, merged  # without gradients: an eighth of the memory
        second = self._phase_up(levels, decoded)
        return Stages(first, self.tail(second) + base, levels[:-1], decoded)

    def _phase_up(self, levels: list[Tensor], decoded: list[Tensor]) -> Tensor:
        phase = self.interaction["phase"](levels[:-1])
        amplitude = self.interaction["amplitude"](decoded)
        features = levels[-1]
        for step in self.phase_decoder:
            features = step(features, phase.pop(), amplitude.pop())
        return features


class Mitnet(TwoStage):
    """The dehazing network; ours first stretches and reduces a picture.

    Dense haze maps a picture nearly linearly into a narrow range of bright greys. Undoing that
    needs no learning. What is left changes slowly over the picture, so it is found on a small one
    and carried over (`carry`): the whole scene is within the network's reach, at a fraction of the
    time. The stretched picture is what the stages correct; they also see the picture as it was, for
    its range tells how dense the haze is. The released networks see pictures as they are.
    """

    def __init__(
        self,
        width: int = ZOO_WIDTH,
        decoder_amplitude: bool = True,
        parallel: bool = False,
        stretched: bool = False,
        side: int = 0,
    ) -> None:
        """As `TwoStage`.

        Args:
            width: See there, as are the next two.
            decoder_amplitude: See there.
            parallel: See there.
            stretched: Stretch a picture first, and see both forms; adds a buffer of two quantiles.
            side: Work on a picture whose smaller side is about this; 0: on the picture itself.
        """
        super().__init__(width, 6 if stretched else 3, 3, decoder_amplitude, parallel)
        self.quantiles: Tensor | None
        self.side: Tensor | None
        self.register_buffer("quantiles", torch.tensor(QUANTILES) if stretched else None)
        self.register_buffer("side", torch.tensor(side) if side else None)
        if side:
            # The stages see a small picture, so that memory is only what carrying takes.
            self.untiled_pixels = UNTILED_PIXELS

    def scaled(self, picture: Tensor, like: Tensor) -> Tensor:
        """The picture stretched as `like` asks for, if this network stretches."""
        if self.quantiles is None:
            return picture
        low, high = limits(like, self.quantiles)
        return ((picture - low) / (high - low)).to(picture.dtype)

    def restore(self, hazy: Tensor) -> Stages:
        """Both stages of pictures (B, 3, H, W) in [0, 1] whose sides are multiples of 8."""
        base = self.scaled(hazy, hazy)
        return self.stages(hazy if base is hazy else torch.cat([base, hazy], 1), base)

    def adapt(self, tensors: Mapping[str, Tensor]) -> None:
        """Become the size, and take the branches, that a state dict was made for."""
        width = tensors["amplitude_head.weight"].shape[0]
        branches = "amplitude_decoder.0.block.merge.weight" in tensors
        side = int(tensors.get("side", 0))
        Mitnet.__init__(self, width, branches, stretched="quantiles" in tensors, side=side)

    def forward(self, hazy: Tensor, strength: float | None = None) -> Tensor:
        """Restore RGB pictures of any size; the result may leave [0, 1].

        Args:
            hazy: (B, 3, H, W) in [0, 1].
            strength: Share of the stages' result in the mean of it and the picture that they
                start from; None: 1, but `STRENGTH` where that is stretched.

        Returns:
            (B, 3, H, W).
        """
        small = hazy if self.side is None else reduced(hazy, int(self.side))
        height, width = small.shape[-2:]
        restored = self.restore(reflect(small)).second[..., :height, :width]
        if small is not hazy:
            restored = carry(self.scaled(hazy, small), self.scaled(small, small), restored)
        share = (1.0 if self.quantiles is None else STRENGTH) if strength is None else strength
        return restored if share == 1 else torch.lerp(self.scaled(hazy, hazy), restored, share)


def reflect(picture: Tensor) -> Tensor:
    """Extend right and bottom to multiples of 8 by reflection, or repetition if too small."""
    height, width = picture.shape[-2:]
    bottom, right = -height % MULTIPLE, -width % MULTIPLE
    mode = "reflect" if bottom < height and right < width else "replicate"
    return functional.pad(picture, (0, right, 0, bottom), mode=mode)

"""How MITNet is trained: real hazy pairs where a dataset has them, synthetic haze elsewhere.

Differs from the authors' training: a cosine schedule instead of halving, crops seen at two scales
(haze is a matter of the whole picture), and haze made in code (`haze`) beside the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo import parallel
from fusionzoo import weights as parameters
from fusionzoo.core import Sample
from fusionzoo.methods.mitnet import haze, losses
from fusionzoo.methods.mitnet.network import ZOO_WIDTH, Mitnet, TwoStage

DEPTH_METRES = 260.0
"""What depth 1 of role "depth" stands for (see dataset demo_haze)."""


@dataclass(frozen=True)
class RestoreSettings:
    """Hyper-parameters.

    Attributes:
        steps: Updates.
        batch: Crops a step, from the datasets together.
        paired: Further dataset whose real pairs join every batch, for example "reside_in:train".
        paired_batch: How many of them.
        height, width: Crop in pixels; multiples of 16.
        shrink: A crop is averaged down by this, or a part of that size is cut from it.
        whole: How often the former.
        seed: Of everything random.
        channels: Width of the network's finest level (the authors': 20).
        decoder_amplitude: Spectral branches in the first decoder, as in the paper.
        stretch: Pictures are stretched to their own range first (the authors' are not).
        side: Pictures are restored at about this smaller side, and the correction carried over; 0:
            at full size. Crops are seen as they are: `shrink` must bring them to that scale.
        rate: Peak learning rate (Adam); it rises for `warm_up` steps, then falls as a cosine.
        warm_up: Steps.
        fourier: Weight of the spectral terms (the authors': 0.05).
        mutual: Weight of the mutual-information term (the authors': 0.001); 0 leaves it out. With
            fixed projectors its cheapest way down are ever larger features (methods/mitnet.md).
        train_projector: Let its projectors learn with the network; the authors' stay random.
        similarity: Weight of 1 - SSIM of both stages (the authors': 1 for real haze).
        real_share: How often a scene's own hazy picture is taken instead of synthetic haze.
        clip: Largest norm of the gradient.
        start: File of parameters to begin from; empty: from random ones.
    """

    steps: int = 1300
    batch: int = 3
    paired: str = ""
    paired_batch: int = 1
    height: int = 320
    width: int = 448
    shrink: int = 4
    whole: float = 0.85
    seed: int = 1
    channels: int = ZOO_WIDTH
    decoder_amplitude: bool = True
    stretch: bool = True
    side: int = 120
    rate: float = 1.5e-3
    warm_up: int = 100
    fourier: float = 0.01
    mutual: float = 0.0
    train_projector: bool = False
    similarity: float = 0.0
    real_share: float = 0.6
    clip: float = 1.0
    start: str = ""

    def __post_init__(self) -> None:
        """Refuse crops that the network's strides do not divide."""
        if self.height % (8 * self.shrink) or self.width % (8 * self.shrink):
            raise ValueError(
                f"height={self.height}, width={self.width}: expected multiples of {8 * self.shrink}"
            )


def cosine(step: int, steps: int, warm_up: int) -> float:
    """Share of the peak learning rate: a linear rise, then half a cosine down to 1 %."""
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return 0.01 + 0.99 * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * min(1.0, progress)))))


def levels(plane: Tensor) -> Tensor:
    """Float in [0, 1] to uint8, which takes a quarter of the memory."""
    return (plane * 255).round().to(torch.uint8)


def rescale(
    planes: Mapping[str, Tensor], shrink: int, whole: float, generator: torch.Generator
) -> dict[str, Any]:
    """Average all planes (C, H, W) down by `shrink`, or cut a part of that size."""
    height, width = (side // shrink for side in next(iter(planes.values())).shape[-2:])
    if torch.rand((), generator=generator) < whole:
        return {k: functional.avg_pool2d(p[None], shrink)[0] for k, p in planes.items()}
    top = int(torch.randint(height * (shrink - 1) + 1, (), generator=generator))
    left = int(torch.randint(width * (shrink - 1) + 1, (), generator=generator))
    return {k: p[..., top : top + height, left : left + width] for k, p in planes.items()}


class Recipe:
    """Trains `Mitnet`."""

    Settings: ClassVar[type] = RestoreSettings
    roles: ClassVar[tuple[str, ...]] = ("visible",)

    def __init__(self, settings: RestoreSettings, device: torch.device) -> None:
        """Network, optimiser and schedule."""
        self.settings = settings
        self.network = self.build()
        if settings.start:
            parameters.fill(self.network, Path(settings.start))
        self.network = self.network.to(device)
        self.mutual = losses.MutualInformation(settings.channels).to(device)
        self.mutual.requires_grad_(settings.train_projector)
        self.parameters = [*self.network.parameters()]
        if settings.train_projector:
            self.parameters += self.mutual.parameters()
        self.optimiser = torch.optim.Adam(self.parameters, settings.rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: cosine(step, settings.steps, settings.warm_up)
        )

    def build(self) -> TwoStage:
        """The network that is trained."""
        return Mitnet(
            self.settings.channels,
            decoder_amplitude=self.settings.decoder_amplitude,
            stretched=self.settings.stretch,
            side=self.settings.side,
        )

    @property
    def streams(self) -> dict[str, str]:
        """The dataset of real pairs, if one is named."""
        return {"paired": self.settings.paired} if self.settings.paired else {}

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """The clean picture, and the hazy one and the depth where the dataset has them."""
        visible = sample.images["visible"].expand(3, -1, -1)
        clean = sample.target if sample.target is not None and sample.target.ndim == 3 else None
        if clean is None:
            return {"clean": levels(visible)}
        if "depth" in sample.images:
            return {"clean": levels(clean), "depth": sample.images["depth"]}
        return {"clean": levels(clean), "hazy": levels(visible)}

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """One scale, and haze where the scene has none of its own."""
        real = float(torch.rand((), generator=generator)) < self.settings.real_share
        as_floats = {k: p if p.is_floating_point() else p / 255 for k, p in planes.items()}
        scaled = rescale(as_floats, self.settings.shrink, self.settings.whole, generator)
        clean = scaled["clean"]
        if "hazy" in scaled and real:
            return {"hazy": scaled["hazy"], "clean": clean}
        metres = scaled["depth"] * DEPTH_METRES if "depth" in scaled else None
        return {"hazy": haze.add_haze(clean, metres, generator), "clean": clean}

    def _pictures(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        hazy, clean = batch["hazy"], batch["clean"]
        if "paired/hazy" in batch:
            count = self.settings.paired_batch
            hazy = torch.cat([hazy, batch["paired/hazy"][:count]])
            clean = torch.cat([clean, batch["paired/clean"][:count]])
        return (self.network.ready(hazy) if isinstance(self.network, Mitnet) else hazy), clean

    def terms(self, batch: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Losses by name, the output and what it should be."""
        hazy, clean = self._pictures(batch)
        stages = self.network.stages(hazy, hazy)
        terms = {"pixels": losses.pixels(stages, hazy, clean)}
        terms["fourier"] = losses.fourier(stages, clean)
        if self.settings.mutual:
            terms["mutual"] = self.mutual(stages)
        if self.settings.similarity:
            first, second = (losses.dissimilarity(p, clean) for p in (stages.first, stages.second))
            terms["similarity"] = first + second
        return terms, stages.second, clean

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:  # noqa: ARG002
        """One step of Adam on the sum of all terms, each with the weight of its name."""
        terms, output, goal = self.terms(batch)
        weighted = [getattr(self.settings, name, 1.0) * term for name, term in terms.items()]
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(weighted).sum().backward()  # type: ignore[no-untyped-call]
        parallel.average_gradients(self.parameters)
        nn.utils.clip_grad_norm_(self.parameters, self.settings.clip)
        self.optimiser.step()
        self.schedule.step()
        error = (output.detach().clamp(0, 1) - goal).square().mean((1, 2, 3))
        quality = float((-10 * torch.log10(error)).mean())
        return {name: float(term.detach()) for name, term in terms.items()} | {"psnr": quality}

    def state(self) -> dict[str, Any]:
        """Everything that changes."""
        return {"network": self.network, "mutual": self.mutual, "optimiser": self.optimiser,
                "schedule": self.schedule}  # fmt: skip

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Hazy, both stages, clean."""
        hazy, clean = self._pictures(batch)
        stages = self.network.stages(hazy, hazy)
        first, second = (picture.float().clamp(0, 1) for picture in stages[:2])
        return {"hazy": hazy, "amplitude": first, "phase": second, "clean": clean}

    def weights(self) -> dict[str, Tensor]:
        """The network's, in half precision: rounding is far below the noise of training."""
        exact = dict(self.network.named_buffers())
        return {
            name: value if name in exact else value.half()
            for name, value in self.network.state_dict().items()
        }

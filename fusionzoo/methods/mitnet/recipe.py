"""How MITNet is trained: real hazy pairs where a dataset has them, synthetic haze elsewhere.

Differs from the authors' training: a cosine schedule instead of halving, crops seen at two scales
(haze is a matter of the whole picture), and haze made in code (`haze`) beside the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fusionzoo import parallel
from fusionzoo import weights as parameters
from fusionzoo.core import Sample
from fusionzoo.methods.mitnet import haze, losses
from fusionzoo.methods.mitnet.carry import reduced
from fusionzoo.methods.mitnet.data import held_out, levels, rescale
from fusionzoo.methods.mitnet.network import Mitnet, Stages, TwoStage
from fusionzoo.methods.mitnet.settings import RestoreSettings, cosine

DEPTH_METRES = 260.0
"""What depth 1 of role "depth" stands for (see dataset demo_haze)."""


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

    def holds_out(self, dataset: str, names: Sequence[str]) -> set[str]:
        """Pictures that are never trained on."""
        return held_out(dataset, names, self.settings.held_out)

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """The clean picture, and the hazy one and the depth where the dataset has them."""
        visible = self._small(sample.images["visible"].expand(3, -1, -1))
        if sample.target is None or sample.target.ndim != 3:
            return {"clean": levels(visible)}
        clean = self._small(sample.target)
        if "depth" in sample.images:
            return {"clean": levels(clean), "depth": self._small(sample.images["depth"])}
        optical = haze.optical_depth(visible, clean)
        return {"clean": levels(clean), "hazy": levels(visible), "optical": optical}

    def _small(self, plane: Tensor) -> Tensor:
        """A whole plane at the scale that crops are cut from."""
        side = self.settings.side * self.settings.shrink
        return reduced(plane[None], side)[0] if side else plane

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """One scale, and haze where the scene has none of its own."""
        real = float(torch.rand((), generator=generator)) < self.settings.real_share
        as_floats = {k: p if p.is_floating_point() else p / 255 for k, p in planes.items()}
        scaled = rescale(as_floats, self.settings.shrink, self.settings.whole, generator)
        clean = scaled["clean"]
        if "hazy" in scaled and real:
            return {"hazy": scaled["hazy"], "clean": clean}
        metres = scaled["depth"] * DEPTH_METRES if "depth" in scaled else None
        hazy = haze.add_haze(clean, generator, metres, scaled.get("optical"))
        return {"hazy": hazy, "clean": clean}

    def _pictures(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        hazy, clean = batch["hazy"], batch["clean"]
        if "paired/hazy" in batch:
            count = self.settings.paired_batch
            hazy = torch.cat([hazy, batch["paired/hazy"][:count]])
            clean = torch.cat([clean, batch["paired/clean"][:count]])
        return hazy, clean

    def _stages(self, hazy: Tensor) -> Stages:
        assert isinstance(self.network, Mitnet)
        return self.network.restore(hazy)

    def terms(self, batch: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Losses by name, the output and what it should be."""
        hazy, clean = self._pictures(batch)
        stages = self._stages(hazy)
        terms = {"pixels": losses.pixels(stages, hazy, clean)}
        terms["fourier"] = losses.fourier(stages, clean)
        if self.settings.mutual:
            terms["mutual"] = self.mutual(stages)
        if self.settings.similarity:
            first, second = (losses.dissimilarity(p, clean) for p in (stages.first, stages.second))
            terms["similarity"] = first + second
        if self.settings.decibels:
            terms["decibels"] = -losses.decibels(stages.second, clean).mean()
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
        quality = float(losses.decibels(output.detach().clamp(0, 1), goal).mean())
        return {name: float(term.detach()) for name, term in terms.items()} | {"psnr": quality}

    def state(self) -> dict[str, Any]:
        """Everything that changes."""
        return {"network": self.network, "mutual": self.mutual, "optimiser": self.optimiser,
                "schedule": self.schedule}  # fmt: skip

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Hazy, both stages, clean."""
        hazy, clean = self._pictures(batch)
        stages = self._stages(hazy)
        first, second = (picture.float().clamp(0, 1) for picture in stages[:2])
        return {"hazy": hazy, "amplitude": first, "phase": second, "clean": clean}

    def weights(self) -> dict[str, Tensor]:
        """The network's, in half precision: rounding is far below the noise of training."""
        exact = dict(self.network.named_buffers())
        return {
            name: value if name in exact else value.half()
            for name, value in self.network.state_dict().items()
        }

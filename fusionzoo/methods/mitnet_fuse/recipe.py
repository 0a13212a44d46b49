"""How the fusion head is trained: towards a composite of both sources, phase included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fusionzoo import colour
from fusionzoo.core import Sample
from fusionzoo.methods.mitnet import losses as restoration
from fusionzoo.methods.mitnet.data import levels, rescale
from fusionzoo.methods.mitnet.recipe import Recipe as RestoreRecipe
from fusionzoo.methods.mitnet.settings import RestoreSettings
from fusionzoo.methods.mitnet_fuse import losses
from fusionzoo.methods.mitnet_fuse.network import FrequencyFusion
from fusionzoo.methods.mitnet_fuse.target import composite


@dataclass(frozen=True)
class FusionSettings(RestoreSettings):
    """Hyper-parameters; those of MITNet, of which pairs, real haze and similarity are not used.

    Attributes:
        phase: Weight of the phase loss.
        gradients: Weight of the gradient loss.
    """

    steps: int = 700
    batch: int = 4
    height: int = 128
    width: int = 176
    shrink: int = 2
    whole: float = 0.5
    side: int = 0
    held_out: int = 0
    rate: float = 2e-3
    phase: float = 0.2
    gradients: float = 2.0


class Recipe(RestoreRecipe):
    """Trains `FrequencyFusion`."""

    Settings: ClassVar[type] = FusionSettings
    roles: ClassVar[tuple[str, ...]] = ("visible", "infrared")
    settings: FusionSettings

    def build(self) -> FrequencyFusion:
        """The network that is trained."""
        return FrequencyFusion(self.settings.channels)

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """Luminance and infrared plane."""
        planes = {role: sample.images[role] for role in self.roles}
        return {role: levels(colour.grey_plane(p[None])[0]) for role, p in planes.items()}

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """One scale."""
        as_floats = {role: plane / 255 for role, plane in planes.items()}
        return rescale(as_floats, self.settings.shrink, self.settings.whole, generator)

    def terms(self, batch: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Losses by name, the output and what it should be."""
        visible, infrared = batch["visible"], batch["infrared"]
        goal = composite(visible, infrared)
        stages = self.network.stages(torch.cat([visible, infrared], 1), visible)
        terms = {
            "pixels": restoration.pixels(stages, visible, goal),
            "fourier": restoration.fourier(stages, goal),
            "phase": losses.phase(stages.second, goal),
            "gradients": losses.gradients(stages.second, visible, infrared),
        }
        if self.settings.mutual:
            terms["mutual"] = self.mutual(stages)
        return terms, stages.second, goal

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Sources, both stages, target."""
        visible, infrared = batch["visible"], batch["infrared"]
        stages = self.network.stages(torch.cat([visible, infrared], 1), visible)
        first, second = (picture.float().clamp(0, 1) for picture in stages[:2])
        goal = composite(visible, infrared)
        return {"visible": visible, "infrared": infrared, "amplitude": first, "phase": second,
                "target": goal}  # fmt: skip

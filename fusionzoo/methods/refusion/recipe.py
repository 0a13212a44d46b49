"""Trains ReFusion: in each epoch P learns what to ask for, then F and R learn under that loss.

Exposure and focus pairs are made from the visible pictures (`fusionzoo.layers.exposure`, `.focus`).
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from fusionzoo import image, parallel
from fusionzoo.colour import grey_plane
from fusionzoo.core import Sample, Stateful
from fusionzoo.layers.exposure import exposure_pair
from fusionzoo.layers.focus import focus_pair
from fusionzoo.methods.refusion import settings as options
from fusionzoo.methods.refusion.losses import fusion_loss, reconstruction_loss
from fusionzoo.methods.refusion.meta import MetaStep, Pair, meta_gradient
from fusionzoo.methods.refusion.network import Fusion, Proposal, Reconstruction
from fusionzoo.weights import read_state_dict


class Recipe:
    """See the module; one update is a meta-step of P, or a step of F and R."""

    Settings: ClassVar[type] = options.Settings
    roles = ("visible", "infrared")

    def __init__(self, settings: options.Settings, device: torch.device) -> None:
        """Networks with random parameters, and their optimisers."""
        self.settings = settings
        self.fusion = Fusion()
        self.reconstruction = Reconstruction()
        self.proposal = Proposal(settings.gradient_padding, settings.symmetric)
        for network in self._networks().values():
            # Depthwise convolutions are faster with channels last, on CPU and GPU.
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if settings.start:
            self._start(Path(settings.start))
        self.optimisers = {
            "fusion": torch.optim.Adam(self.fusion.parameters()),
            "reconstruction": torch.optim.Adam(self.reconstruction.parameters()),
            # Meta-gradients are small: the usual epsilon would swallow many entries.
            "proposal": torch.optim.Adam(self.proposal.parameters(), eps=1e-15),
        }

    def _start(self, folder: Path) -> None:
        for name, network in self._networks().items():
            found = read_state_dict(folder / f"{name}.safetensors")
            if name == "proposal" and not self.settings.start_intensity:
                found = {
                    key: self.proposal.state_dict()[key] if key.startswith("intensity.") else value
                    for key, value in found.items()
                }
            network.load_state_dict(found)

    def _networks(self) -> dict[str, nn.Module]:
        """By the name of the file that `train` writes."""
        return {
            "weights": self.fusion,
            "reconstruction": self.reconstruction,
            "proposal": self.proposal,
        }

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """8-bit planes: luminance and infrared, or the visible picture that pairs are made of."""
        planes = {"visible": sample.images["visible"]}
        if self.settings.task == "vif":
            planes = {
                role: grey_plane(sample.images[role][None], "levels")[0] for role in self.roles
            }
        return {
            role: torch.from_numpy(image.to_levels(plane)).view(plane.shape)
            if plane.shape[0] == 1
            else torch.from_numpy(image.to_levels(plane)).permute(2, 0, 1)
            for role, plane in planes.items()
        }

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """A pair of crops, first and second source, and whether they enter F swapped."""
        crops = {role: plane.float() / 255 for role, plane in planes.items()}
        if self.settings.task == "vif":
            pair = crops["infrared"], crops["visible"]
        elif self.settings.task == "mef":
            made = exposure_pair(crops["visible"], generator)
            pair = made.under, made.over
        else:
            blurred = focus_pair(crops["visible"], generator)
            pair = blurred.near, blurred.far
        first, second = (grey_plane(plane[None])[0] for plane in pair)
        swapped = torch.rand(1, 1, 1, generator=generator) < 0.5
        return {"first": first, "second": second, "swapped": swapped}

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:
        """A meta-step of P in the first part of each epoch, else a step of F and R."""
        meta = self.settings.is_meta(step)
        if meta and self.settings.fixed_loss:
            return {}
        orders = ("double", "meta") if meta else ("double",)
        pair = self._pair(batch, self.settings.swap in orders)
        return self._meta(pair, step) if meta else self._learn(pair, step)

    def _pair(self, batch: dict[str, Tensor], double: bool = False) -> Pair:
        first, second = batch["first"], batch["second"]
        targets = torch.cat([first, second], 1)
        if double:
            # Neighbours, so that half of a batch holds whole pairs.
            both = torch.stack([first, second], 1).flatten(0, 1)
            other = torch.stack([second, first], 1).flatten(0, 1)
            return Pair(both, other, targets.repeat_interleave(2, 0))
        if self.settings.swap == "none":
            return Pair(first, second, targets)
        swapped = batch["swapped"]
        return Pair(
            torch.where(swapped, second, first), torch.where(swapped, first, second), targets
        )

    def _meta(self, pair: Pair, step: int) -> dict[str, float]:
        """P's step; every picture but the last trains once and tests once with a neighbour.

        Pairs of pictures stand alone, so that several processes give what one gives.
        """
        settings = self.settings
        meta = MetaStep(
            settings.inner_rate, settings.factor(step), settings.gradient_padding,
            settings.meta_gradient,
        )  # fmt: skip
        size = len(pair.first) // settings.batch
        total: list[Tensor] = []
        outer = inner = 0.0
        count = settings.batch // 2
        for index in range(count):
            start = 2 * index * size
            train, test = pair.part(start, start + size), pair.part(start + size, start + 2 * size)
            slopes, outer_loss, inner_loss = meta_gradient(
                self.fusion, self.reconstruction, self.proposal, train, test, meta
            )
            total = [a + b for a, b in zip(total, slopes, strict=True)] if total else slopes
            outer, inner = outer + outer_loss / count, inner + inner_loss / count
        parallel.average_tensors(total)
        self._move_proposal(total, settings.decayed(settings.proposal_rate, step))
        return {"outer": outer, "inner": inner}

    def _move_proposal(self, slopes: list[Tensor], rate: float) -> None:
        parameters = list(self.proposal.parameters())
        if self.settings.proposal_step == "adam":
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter.grad = slope
            self._adam("proposal", rate)
            return
        largest = max(float(slope.abs().max()) for slope in slopes)
        if largest > 0:
            with torch.no_grad():
                for parameter, slope in zip(parameters, slopes, strict=True):
                    parameter.sub_(slope, alpha=rate / largest)

    def _adam(self, name: str, rate: float) -> None:
        optimiser = self.optimisers[name]
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        optimiser.zero_grad()

    def proposed(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """W and V, or halves if the loss is fixed; no gradient."""
        if self.settings.fixed_loss:
            halves = torch.full_like(torch.cat([first, second], 1), 0.5)
            return halves, halves
        with torch.no_grad():
            weights: tuple[Tensor, Tensor] = self.proposal(first, second)
            return weights

    def _learn(self, pair: Pair, step: int) -> dict[str, float]:
        """F's step under the proposed loss, and R's step on what F makes."""
        settings, padding = self.settings, self.settings.gradient_padding
        weights = self.proposed(pair.first, pair.second)
        fused = self.fusion(pair.first, pair.second)
        loss = fusion_loss(fused, pair.sources, weights, settings.factor(step), padding)
        restored = self.reconstruction(fused.detach())
        told = reconstruction_loss(restored, pair.targets, padding)
        networks: dict[str, tuple[Tensor, nn.Module]] = {
            "fusion": (loss, self.fusion), "reconstruction": (told, self.reconstruction),
        }  # fmt: skip
        rate = settings.decayed(settings.learning_rate, step)
        for name, (value, network) in networks.items():
            value.backward()  # type: ignore[no-untyped-call]
            parallel.average_gradients(network.parameters())
            self._adam(name, rate)
        edge = (weights[1][:, :1] - 0.5).abs().mean()
        return {"fusion": float(loss.detach()), "reconstruction": float(told.detach()),
                "decision": float(edge)}  # fmt: skip

    def state(self) -> dict[str, Stateful]:
        """Three networks, three optimisers."""
        networks: dict[str, Stateful] = {
            "fusion": self.fusion,
            "reconstruction": self.reconstruction,
            "proposal": self.proposal,
        }
        return networks | {f"{name} optimiser": one for name, one in self.optimisers.items()}

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Sources, fused picture, reconstructions, and the first source's weights."""
        first, second = batch["first"], batch["second"]
        fused = self.fusion(first, second)
        intensity, edge = self.proposed(first, second)
        restored = self.reconstruction(fused)
        return {
            "first": first, "second": second, "fused": fused, "first again": restored[:, :1],
            "second again": restored[:, 1:], "W": intensity[:, :1], "V": edge[:, :1],
        }  # fmt: skip

    def weights(self) -> dict[str, Tensor]:
        """F alone: what `fusionzoo.load` needs."""
        return self.fusion.state_dict()

    @property
    def companions(self) -> dict[str, dict[str, Tensor]]:
        """R, and P, which `fusionzoo explain` shows."""
        networks = self._networks()
        return {name: networks[name].state_dict() for name in ("reconstruction", "proposal")}

"""A recipe small enough to train in tests: one convolution with batch normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from fusionzoo import parallel
from fusionzoo.core import Sample
from fusionzoo.train import run


@dataclass(frozen=True)
class Settings:
    steps: int = 6
    batch: int = 2
    height: int = 16
    width: int = 24
    seed: int = 3
    learning_rate: float = 1e-2
    noise: float = 0.1
    breaks_at: int | None = None

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError("batch must be at least 1")


class Recipe:
    Settings = Settings
    roles = ("visible", "infrared")

    def __init__(self, settings: Settings, device: torch.device) -> None:
        self.settings = settings
        layers = [nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1)]
        self.network = parallel.synchronise_batch_norm(nn.Sequential(*layers).to(device))
        self.optimiser = torch.optim.Adam(self.network.parameters(), settings.learning_rate)

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        return {role: sample.images[role][:1] for role in self.roles}

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        gain = 0.9 + 0.2 * torch.rand((), generator=generator)
        return {name: plane * gain for name, plane in planes.items()}

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:
        pair = torch.cat([batch["visible"], batch["infrared"]], 1)
        noise = self.settings.noise
        if noise:
            pair = pair + noise * torch.randn_like(pair)
        loss = (self.network(pair) - batch["infrared"]).square().mean()
        if step == self.settings.breaks_at:
            loss = loss * torch.nan
        self.optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(self.network.parameters())
        self.optimiser.step()
        return {"loss": loss.item()}

    def state(self) -> dict[str, object]:
        return {"network": self.network, "optimiser": self.optimiser}

    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return dict(batch)

    def weights(self) -> dict[str, Tensor]:
        return self.network.state_dict()


def job(folder: Path, *changes: str, **more) -> run.Job:
    """A training of `toy` on the pictures of the folder's fixture."""
    root = next(p for p in (folder, *folder.parents) if (p / "data").exists())
    given = {"dataset": "roadscene", "data": root / "data", "device": "cpu", **more}
    return run.Job("toy", changes=changes, out=folder, **given)

"""Training: `fusionzoo train tc_moa`, one network for all tasks, or for one.

Every scene gives three pairs: visible and infrared, a dark and a bright exposure, a near and a far
focus; the last two are made from the visible picture. An iteration takes one optimiser step per
task, as the released code does. `tiny` is trained on luminance, as the paper's grey variant:
chroma is put back afterwards.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from fusionzoo import colour, parallel, weights
from fusionzoo.core import Sample, Stateful, WeightsError
from fusionzoo.layers.exposure import exposure_pair
from fusionzoo.layers.focus import focus_pair
from fusionzoo.methods.tc_moa import keys, losses
from fusionzoo.methods.tc_moa.configuration import SourceTask, check_crop
from fusionzoo.methods.tc_moa.network import Fused, Network
from fusionzoo.methods.tc_moa.start import (
    PIXELS,
    WRITERS,
    begin_as_autoencoder,
    groups,
    set_rate,
)

SOURCES: dict[SourceTask, tuple[str, str]] = {
    "vif": ("visible", "infrared"),
    "mef": ("over", "under"),
    "mff": ("far", "near"),
}
"""Sources x and y of a task, by role."""
LICENCE = (
    "masked autoencoders published by Meta are under CC BY-NC 4.0: what is trained from one may "
    "not be used commercially"
)
_LOG = logging.getLogger(__name__)
EPOCHS = 20
"""The released code's length, which warm-up and load balance are reckoned in."""


@dataclass(frozen=True)
class FusionSettings:
    """Hyper-parameters.

    Attributes:
        task: "all", or one task alone.
        size: Size of the network.
        variant: Preset of the switches; "auto" is "zoo" for `tiny`, "official" otherwise.
        backbone: Checkpoint of a masked autoencoder (ours, Meta's or Hugging Face's); empty:
            none, which only `trainable=all` can use.
        start: Initial values: "autoencoder" draws grey pictures exactly from the first step
            (`tiny` only), before a backbone is filled in.
        trainable: "adapters" leaves the autoencoder as it is (the paper), "all" trains it too;
            "auto" is "all" for `tiny` and "adapters" otherwise.
        grey: Train on luminance, three times the same; else on colours.
        steps: Iterations, each of one optimiser step per task.
        batch: Scenes a process sees in an iteration.
        height, width: Of a crop (pixels); multiples of the network's.
        seed: Decides order, crops, exposures, blur and initial values.
        learning_rate: Peak, reached after a linear warm-up of two of 20 epochs; then a cosine.
        last_rate: Learning rate at the end.
        weight_decay: Of matrices; vectors have none.
        pixel_rate: Factor on the learning rate of what draws pixels or is added to them, if the
            start is "autoencoder": it starts out right (`PIXELS` and `WRITERS` of `start`).
        clip: Largest norm of the gradient; 0: not clipped (the released code).
        average: Share of the old value when the parameters' running mean is updated; that mean is
            what is exported. 0: none (in the released code it has no effect on the network).
    """

    task: Literal["all", "vif", "mef", "mff"] = "all"
    size: Literal["tiny", "base", "large"] = "tiny"
    variant: Literal["auto", "zoo", "paper", "official"] = "auto"
    backbone: str = ""
    start: Literal["random", "autoencoder"] = "autoencoder"
    trainable: Literal["auto", "adapters", "all"] = "auto"
    grey: bool = True
    steps: int = 1200
    batch: int = 2
    height: int = 112
    width: int = 112
    seed: int = 0
    learning_rate: float = 4e-4
    last_rate: float = 1e-5
    weight_decay: float = 0.05
    pixel_rate: float = 0.02
    clip: float = 1.0
    average: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        check_crop(self.size, self.height, self.width)
        if not 0 <= self.average < 1:
            raise ValueError(f"average is {self.average}: expected 0 to below 1")

    @property
    def tasks(self) -> tuple[SourceTask, ...]:
        """The tasks trained."""
        return get_args(SourceTask) if self.task == "all" else (self.task,)

    @property
    def preset(self) -> str:
        """Name of the preset."""
        if self.variant != "auto":
            return self.variant
        return "zoo" if self.size == "tiny" else "official"

    @property
    def drawing(self) -> bool:
        """True if the network starts as an autoencoder."""
        return self.start == "autoencoder" and self.size == "tiny"

    @property
    def everything(self) -> bool:
        """True if the autoencoder is trained too."""
        return self.trainable == "all" or (self.trainable == "auto" and self.size == "tiny")


def learning_rate(step: int, settings: FusionSettings) -> float:
    """Linear over two of twenty epochs, then half a cosine."""
    warm_up = max(1, settings.steps * losses.WARM_UP_EPOCHS // EPOCHS)
    if step < warm_up:
        return settings.learning_rate * (step + 1) / warm_up
    share = (step - warm_up) / max(1, settings.steps - warm_up)
    swing = 0.5 * (1 + math.cos(math.pi * share))
    return settings.last_rate + (settings.learning_rate - settings.last_rate) * swing


def load_backbone(network: Network, place: str) -> None:
    """Fill the autoencoder's part of a network; everything in it must be found.

    Args:
        network: Whose TC-MoAs stay as they are.
        place: File, or "hf://owner/repository/file".

    Raises:
        WeightsError: Missing, or not a masked autoencoder of this size.
    """
    path = weights.from_hub(place) if place.startswith("hf://") else Path(place).expanduser()
    if not path.is_file():
        raise WeightsError(f"{path} is not a file: expected a masked autoencoder's parameters")
    tensors = weights.read_state_dict(path)
    if not any(name.startswith("encoder.blocks.") for name in tensors):
        _LOG.warning(LICENCE)
    try:
        found = keys.from_autoencoder(tensors)
    except KeyError as error:
        raise WeightsError(f"{path} is no masked autoencoder with decoder: key {error}") from None
    wanted = {name: p for name, p in network.state_dict().items() if not _is_new(name)}
    lacking = sorted(set(wanted) - set(found))
    wrong = [n for n in wanted if n in found and found[n].shape != wanted[n].shape]
    if lacking or wrong:
        what = f"{len(lacking)} keys missing, {len(wrong)} shapes differ"
        raise WeightsError(f"{path} does not fit: {what} ({(lacking + wrong)[0]}, ...)")
    known = {name: tensor for name, tensor in found.items() if name in network.state_dict()}
    network.load_state_dict({**network.state_dict(), **known})


def _is_new(name: str) -> bool:
    """True for what a masked autoencoder does not have: TC-MoAs and relative positions."""
    return ".units." in name or ".relative." in name


class Recipe:
    """See `fusionzoo.core.Recipe`."""

    Settings = FusionSettings
    roles = ("visible", "infrared")

    def __init__(self, settings: FusionSettings, device: torch.device) -> None:
        """The caller has seeded torch."""
        self.settings = settings
        self.network = Network(settings.size, settings.preset)
        if settings.drawing:
            begin_as_autoencoder(self.network)
        if settings.backbone:
            load_backbone(self.network, settings.backbone)
        elif not settings.everything:
            raise WeightsError(
                "adapters need a trained autoencoder to sit in: give --set backbone=FILE, or "
                "--set trainable=all"
            )
        self.network.to(device)
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(settings.everything or _is_new(name))
        self.trained = [p for p in self.network.parameters() if p.requires_grad]
        slow_rate = settings.pixel_rate if settings.drawing else 1.0
        self.optimiser = torch.optim.AdamW(
            groups(self.network, settings.weight_decay, slow_rate, PIXELS + WRITERS),
            lr=settings.learning_rate,
            betas=(0.9, 0.95),
            fused=True,
        )
        self.mean = _running_mean(self.network, settings.average)

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """Both pictures as levels (1 or 3, H, W) uint8."""
        planes = {role: sample.images[role] for role in self.roles}
        if self.settings.grey:
            planes = {r: colour.grey_plane(plane[None])[0] for r, plane in planes.items()}
        return {role: (plane * 255).round().byte() for role, plane in planes.items()}

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """The sources of every trained task, (1 or 3, H, W) in [0, 1]."""
        found = {role: plane.float() / 255 for role, plane in planes.items()}
        clean, tasks = found["visible"], self.settings.tasks
        if "mef" in tasks:
            exposures = exposure_pair(clean, generator)
            found |= {"under": exposures.under, "over": exposures.over}
        if "mff" in tasks:
            pair = focus_pair(clean, generator)
            found |= {"near": pair.near, "far": pair.far}
        return {role: found[role] for task in tasks for role in SOURCES[task]}

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:
        """One optimiser step per task."""
        self.network.train()
        rate = learning_rate(step, self.settings)
        set_rate(self.optimiser, rate)
        logged = {"learning_rate": rate}
        for task in self.settings.tasks:
            found = self._step(batch, task, step * EPOCHS // self.settings.steps)
            logged |= {f"{task}_{name}": value for name, value in found.items()}
        return logged

    def _step(self, batch: dict[str, Tensor], task: SourceTask, epoch: int) -> dict[str, float]:
        x, y, fused = self._fused(batch, task)
        with torch.autocast(x.device.type, enabled=False):
            loss, found = losses.total(fused, x, y, task, epoch, self.network.variant)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        parallel.average_gradients(self.trained)
        if self.settings.clip:
            nn.utils.clip_grad_norm_(self.trained, self.settings.clip)
        self.optimiser.step()
        torch.clear_autocast_cache()  # else the next task would see the parameters of before
        if self.mean is not None:
            self.mean.update_parameters(self.network)
        return {"loss": loss.item(), **found}

    def _fused(self, batch: dict[str, Tensor], task: SourceTask) -> tuple[Tensor, Tensor, Fused]:
        x, y = (batch[role].expand(-1, 3, -1, -1) for role in SOURCES[task])
        return x, y, self.network(x, y, task)

    def state(self) -> dict[str, Stateful]:
        """Network, optimiser, and the running mean if there is one."""
        found: dict[str, Stateful] = {"network": self.network, "optimiser": self.optimiser}
        return found if self.mean is None else {**found, "mean": self.mean}

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Sources and fused picture of every task."""
        self.network.eval()
        found: dict[str, Tensor] = {}
        for task in self.settings.tasks:
            x, y, fused = self._fused(batch, task)
            first, second = SOURCES[task]
            found |= {first: x, second: y, f"{task} fused": fused.picture.clamp(0, 1)}
        return found

    def weights(self) -> dict[str, Tensor]:
        """The network's parameters, in half precision; their running mean if there is one."""
        source = self.network if self.mean is None else self.mean.module
        return {name: tensor.half() for name, tensor in source.state_dict().items()}


def _running_mean(network: Network, average: float) -> torch.optim.swa_utils.AveragedModel | None:
    if not average:
        return None
    rule = torch.optim.swa_utils.get_ema_multi_avg_fn(average)  # type: ignore[no-untyped-call]
    return torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=rule)

"""Adaptation from labelled pinhole pictures to unlabelled panoramas, in the paper's three stages.

`warm_up`: cross entropy on the source and an adversarial term on the target. `self_training`: cross
entropy with pseudo labels as well. `mpa`: prototypes too. The last two need what
`fusionzoo pseudo-label` writes: thresholded label maps of the target, and prototypes. `source`, no
stage of the paper, is the control: the same training without a target.

The defaults adapt the nano weights on drawn scenes on a CPU; the published settings (SGD, 2.5e-4
and 2.5e-6, 8,000 and 80,000 updates of full panoramas) are in methods/trans4pass.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from fusionzoo import classes, image, parallel
from fusionzoo import weights as weight_files
from fusionzoo.core import DataError, Sample, Stateful
from fusionzoo.methods.trans4pass import adaptation, losses, views
from fusionzoo.methods.trans4pass.network import Output, Trans4PASS
from fusionzoo.methods.trans4pass.recipe import (
    byte_planes,
    label_plane,
    painted,
    polynomial_share,
    share,
    start_file,
)
from fusionzoo.methods.trans4pass.settings_adaptation import AdaptationSettings

PROTOTYPES = "prototypes.safetensors"
TARGET = "target"
ADVERSARIAL = ("warm_up", "mpa")
"""Stages with a discriminator."""


def learning_rate(settings: AdaptationSettings, step: int) -> float:
    """Polynomial decay, after a linear rise where the settings have one."""
    part = polynomial_share(step, settings.steps, settings.power, settings.rise)
    return settings.learning_rate * part


def listed_parameters(network: Trans4PASS, groups: str) -> list[nn.Parameter]:
    """Parameters for the optimiser, once each or as often as modules contain them."""
    if groups == "unique":
        return list(network.parameters())
    parts = (network.encoder, network.dede_head)
    return [p for part in parts for module in part.modules() for p in module.parameters()]


class Recipe:
    """See the module."""

    Settings: ClassVar[type] = AdaptationSettings
    roles: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: AdaptationSettings, device: torch.device) -> None:
        """Load the stage before; build optimisers, and prototypes where the stage has them.

        Raises:
            WeightsError: `start` or the prototypes are missing or do not fit.
        """
        self.settings, self.device = settings, device
        self.table = classes.find(settings.classes)
        count = len(self.table.names)
        network = Trans4PASS(settings.size, count, settings.plus, drop_path=0.0)
        weight_files.fill(network, start_file(settings.start))
        self.network = network.to(device)
        parallel.synchronise_batch_norm(self.network)
        self.optimiser = self._optimiser()
        self.discriminator = adaptation.Discriminator(count, settings.discriminator_width)
        self.discriminator.to(device)
        self.judge = torch.optim.Adam(
            self.discriminator.parameters(), settings.discriminator_rate, (0.9, 0.99)
        )
        self.bank: adaptation.PrototypeBank | None = None
        if settings.stage == "mpa":
            path = Path(str(settings.pseudo)) / PROTOTYPES
            prototypes = weight_files.read_state_dict(path)["prototypes"]
            self.bank = adaptation.PrototypeBank(prototypes, settings.bank, settings.bank_momentum)
            self.bank.to(device)
        self.weight = None
        if settings.class_weights != "none":
            self.weight = torch.tensor(self.table.weights[settings.class_weights], device=device)

    def _optimiser(self) -> torch.optim.Optimizer:
        s = self.settings
        group = {"params": listed_parameters(self.network, s.groups)}
        with _quiet_duplicates():
            if s.optimiser == "sgd":
                return torch.optim.SGD([group], s.learning_rate, 0.9, weight_decay=s.weight_decay)
            return torch.optim.AdamW([group], s.learning_rate, weight_decay=s.weight_decay)

    @property
    def streams(self) -> Mapping[str, str]:
        """The panoramas come as a second stream; the control has none."""
        return {} if self.settings.stage == "source" else {TARGET: self.settings.target}

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """Picture and labels as bytes; a panorama's own labels are never looked at."""
        if "panorama" not in sample.images:
            labels = label_plane(sample, len(self.table.names), self.table.ignored)
            (picture,) = byte_planes(sample, ("visible",)).values()
            return {"picture": picture, "labels": labels}
        (picture,) = byte_planes(sample, ("panorama",)).values()
        labels = torch.full((1, *picture.shape[-2:]), losses.IGNORE, dtype=torch.uint8)
        if self.settings.pseudo:
            labels = torch.tensor(_pseudo_labels(Path(self.settings.pseudo), sample.name))[None]
        if labels.shape[-2:] != picture.shape[-2:]:
            raise DataError(f"{sample.name}: pseudo labels of another size; make them again")
        return {"panorama": picture, "labels": labels}

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """A window of the network's input size, disturbed; only source windows are scaled."""
        s = self.settings
        draw = float(torch.rand((), generator=generator))
        size, scale, rare = (s.input_height, s.input_width), 1.0, 0.0
        if "picture" in planes:
            scale = s.smallest_scale + draw * (s.largest_scale - s.smallest_scale)
            rare = s.rare_share
        picture = planes.get("picture", planes.get("panorama"))
        assert picture is not None
        place = views.window_place(planes["labels"], size, scale, rare, generator)
        cut, labels = views.rescaled_crop(
            picture.float() / 255, planes["labels"], size, scale, place
        )
        return {"picture": views.disturbed(cut, s.disturbance, generator), "labels": labels}

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:
        """One step of the segmenter, then one of the discriminator where the stage has it."""
        s = self.settings
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(s, step)
        self._prepare_network()
        self.optimiser.zero_grad(set_to_none=True)
        source, log = self._source(batch["picture"], batch["labels"][:, 0].long())
        if s.stage != "source":
            target, more = self._target(
                batch[f"{TARGET}/picture"], batch[f"{TARGET}/labels"][:, 0].long()
            )
            log |= more
        parallel.average_gradients(self.network.parameters())
        self.optimiser.step()
        if s.stage in ADVERSARIAL:
            log["discriminator"] = self._judge(source.detach(), target.detach())
        if self.bank is not None and (step + 1) % s.bank_every == 0:
            parallel.average_tensors([self.bank.sums, self.bank.counts])
            self.bank.move()
        return log

    def _prepare_network(self) -> None:
        self.network.train()
        if self.settings.statistics == "fixed":
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def _source(self, picture: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Backward through the source's losses; its logits and what to log."""
        output = self.network.outputs(self.network.normalised(picture))
        kind = self.settings.source_loss
        loss = losses.of(kind, output.logits.float(), labels, self.weight)
        log = {"source": float(loss.detach())}
        loss = loss * share(labels, self.weight)
        loss = loss + self._prototypical(output, labels, log, "source_feature")
        loss.backward()  # type: ignore[no-untyped-call]
        return output.logits, log

    def _target(self, picture: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Backward through the target's losses; its logits and what to log."""
        s = self.settings
        output = self.network.outputs(self.network.normalised(picture))
        loss, log = output.logits.sum() * 0, {}
        if s.stage != "warm_up":
            pseudo = losses.cross_entropy(output.logits.float(), labels)
            log["pseudo"] = float(pseudo.detach())
            loss = loss + pseudo * share(labels)
        if s.stage in ADVERSARIAL:
            self.discriminator.requires_grad_(False)
            judged = self.discriminator(output.logits.float().softmax(1))
            fooling = adaptation.domain_loss(judged, adaptation.SOURCE)
            log["adversarial"] = float(fooling.detach())
            loss = loss + s.adversarial * fooling
        loss = loss + self._prototypical(output, labels, log, "target_feature")
        loss.backward()  # type: ignore[no-untyped-call]
        return output.logits, log

    def _prototypical(
        self, output: Output, labels: Tensor, log: dict[str, float], name: str
    ) -> Tensor:
        """The weighted feature loss, whose features the bank also collects; 0 without a bank."""
        if self.bank is None:
            return output.logits.new_zeros(())
        feature = output.feature.float()
        small = adaptation.quarter(labels, feature)
        guess = self.network.dede_head.pred(output.feature).argmax(1)
        self.bank.collect(feature, small, guess)
        loss = adaptation.feature_loss(
            feature, small, self.bank.prototypes, self.settings.temperature
        )
        log[name] = float(loss.detach())
        return self.settings.prototypical * loss

    def _judge(self, source: Tensor, target: Tensor) -> float:
        """One step of the discriminator; each domain counts half."""
        self.discriminator.requires_grad_(True)
        self.judge.zero_grad(set_to_none=True)
        loss = 0.5 * adaptation.domain_loss(
            self.discriminator(source.float().softmax(1)), adaptation.SOURCE
        ) + 0.5 * adaptation.domain_loss(
            self.discriminator(target.float().softmax(1)), adaptation.TARGET
        )
        loss.backward()  # type: ignore[no-untyped-call]
        parallel.average_gradients(self.discriminator.parameters())
        self.judge.step()
        return float(loss.detach())

    def state(self) -> dict[str, Stateful]:
        """Networks, optimisers and the bank."""
        state: dict[str, Stateful] = {
            "network": self.network,
            "optimiser": self.optimiser,
            "discriminator": self.discriminator,
            "judge": self.judge,
        }
        return {**state, "bank": self.bank} if self.bank is not None else state

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Picture, labels and prediction of the target (the control's: of the source)."""
        self.network.eval()
        prefix = f"{TARGET}/" if TARGET in self.streams else ""
        picture = batch[f"{prefix}picture"]
        labels = batch[f"{prefix}labels"][:, 0].long()
        guess = self.network(picture).argmax(1)
        return {
            "picture": picture,
            "labels": painted(labels, self.table.palette),
            "prediction": painted(guess, self.table.palette),
        }

    def weights(self) -> dict[str, Tensor]:
        """Parameters of the segmenter in half precision."""
        return {
            name: value.half() if value.is_floating_point() else value
            for name, value in self.network.state_dict().items()
        }


def _pseudo_labels(folder: Path, name: str) -> image.Levels:
    path = folder / f"{name}.png"
    if not path.exists():
        raise DataError(f"{path} is missing: make it with `fusionzoo pseudo-label`")
    return image.eight_bit(image.read(path))


@contextmanager
def _quiet_duplicates() -> Iterator[None]:
    """The switch `groups="official"` repeats parameters on purpose, of which torch warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*duplicate parameters.*")
        yield

"""Supervised training of Trans4PASS: AdamW, polynomial decay, random scales, views and tones.

The defaults train the nano size from random parameters on `demo` on a CPU. `recipe_paper` holds the
published settings (Cityscapes, 200 epochs, ImageNet encoders).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor

from fusionzoo import classes, parallel, weights
from fusionzoo.core import DataError, FusionZooError, Sample, Stateful
from fusionzoo.methods.trans4pass import losses, views
from fusionzoo.methods.trans4pass.network import Trans4PASS, load_imagenet


@dataclass(frozen=True)
class SupervisedSettings:
    """Everything that decides a supervised training.

    Attributes:
        steps: Updates.
        batch: Pictures per update and process.
        height: Window taken from a picture, before scaling.
        width: Likewise.
        input_height: What the network sees, after scaling.
        input_width: Likewise.
        smallest_scale: Factors on the window's sides are drawn between this ...
        largest_scale: ... and this.
        seed: Of parameters, order and augmentation.
        size: Of the network: "nano", "t" or "s".
        plus: Decoder of Trans4PASS+.
        classes: Class table of the labels.
        learning_rate: Of the encoder, after warm-up.
        decoder_factor: The decoder's is this much higher.
        weight_decay: Of AdamW, on matrices and kernels only.
        power: Of the polynomial decay.
        warm_up: Steps of linear warm-up.
        loss: Which loss.
        class_weights: Name of the class table's weights, or "none".
        fused_share: How often a mixture of visible and infrared, or infrared, is shown instead.
        rare_share: How often the window is cut around a rare class; see `views.window_place`.
        disturbance: Strength of random gain, gamma, cast and noise.
        drop_path: Largest probability of leaving a block out.
        offset_start: How the first embedding's offsets start; see `Trans4PASS`.
        encoder: File with an ImageNet encoder (MiT), to start from.
        start: File with parameters of this network to start from; "zoo" for the shipped ones.
    """

    steps: int = 2600
    batch: int = 6
    height: int = 480
    width: int = 640
    input_height: int = 240
    input_width: int = 320
    smallest_scale: float = 0.7
    largest_scale: float = 1.1
    seed: int = 0
    size: Literal["nano", "t", "s"] = "nano"
    plus: bool = True
    classes: str = "fmb"
    learning_rate: float = 1.2e-3
    decoder_factor: float = 1.0
    weight_decay: float = 0.01
    power: float = 0.9
    warm_up: int = 60
    loss: losses.Loss = "ohem"
    class_weights: str = "none"
    fused_share: float = 0.5
    rare_share: float = 0.75
    disturbance: float = 0.5
    drop_path: float = 0.0
    offset_start: Literal["normal", "zero"] = "zero"
    encoder: str | None = None
    start: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is loaded."""
        if not 0 < self.smallest_scale <= self.largest_scale:
            found = f"{self.smallest_scale} and {self.largest_scale}"
            raise ValueError(f"smallest_scale and largest_scale are {found}: expected 0 < a <= b")
        if min(self.input_height, self.input_width) < 64:
            raise ValueError("input_height and input_width must be at least 64")
        table = classes.find(self.classes)
        if self.class_weights not in ("none", *table.weights):
            known = ", ".join(("none", *table.weights))
            raise ValueError(f"{self.classes} has no weights '{self.class_weights}': {known}")


def polynomial_share(step: int, steps: int, power: float, rise: int) -> float:
    """Of the learning rate: a linear rise, then (1 - step / steps) ** power."""
    if step < rise:
        return (step + 1) / rise
    return math.pow(max(0.0, 1 - step / steps), power)


def learning_rate(settings: SupervisedSettings, step: int) -> float:
    """Linear warm-up, then polynomial decay."""
    part = polynomial_share(step, settings.steps, settings.power, settings.warm_up)
    return settings.learning_rate * part


def parameter_groups(network: Trans4PASS, factor: float, decay: float) -> list[dict[str, object]]:
    """Encoder and decoder, each with and without decay; every parameter is in one group."""
    groups = []
    for part, scale in ((network.encoder, 1.0), (network.dede_head, factor)):
        parameters = list(part.parameters())
        for flat in (False, True):
            chosen = [p for p in parameters if (p.ndim < 2) == flat]
            groups.append(
                {"params": chosen, "scale": scale, "weight_decay": 0.0 if flat else decay}
            )
    return groups


def label_plane(sample: Sample, count: int, ignored: tuple[int, ...]) -> Tensor:
    """Labels (1, H, W) uint8 of a scene, ignored ids as 255.

    Raises:
        DataError: No labels, another size than the pictures, or ids beyond the class table.
    """
    labels = sample.target
    if labels is None or labels.ndim != 2:
        raise DataError(f"{sample.name} has no labels: training a segmenter needs them")
    size = tuple(next(iter(sample.images.values())).shape[-2:])
    if tuple(labels.shape) != size:
        raise DataError(
            f"{sample.name}: labels are {labels.shape[1]}x{labels.shape[0]}, "
            f"the picture {size[1]}x{size[0]}"
        )
    unknown = sorted({int(i) for i in torch.unique(labels)} - set(range(count)) - {losses.IGNORE})
    if unknown:
        raise DataError(
            f"{sample.name} holds the ids {unknown}: expected 0 to {count - 1}, or 255; choose "
            "the class table with --set classes="
        )
    for one in ignored:
        labels = labels.where(labels != one, losses.IGNORE)
    return labels[None].to(torch.uint8)


def byte_planes(sample: Sample, roles: tuple[str, ...]) -> dict[str, Tensor]:
    """The pictures a scene has of these roles, as uint8 to save memory; visible in 3 channels."""
    planes = {}
    for role in roles:
        if role in sample.images:
            picture = sample.images[role]
            picture = picture.expand(3, -1, -1) if role != "infrared" else picture[:1]
            planes[role] = (picture * 255 + 0.5).to(torch.uint8)
    return planes


class Recipe:
    """See the module."""

    Settings: ClassVar[type] = SupervisedSettings
    roles: ClassVar[tuple[str, ...]] = ("visible",)

    def __init__(self, settings: SupervisedSettings, device: torch.device) -> None:
        """Build network and optimiser.

        Raises:
            WeightsError: `encoder` or `start` is not what the settings need.
        """
        self.settings, self.device = settings, device
        self.table = classes.find(settings.classes)
        network = Trans4PASS(
            settings.size,
            len(self.table.names),
            settings.plus,
            offset_start=settings.offset_start,
            drop_path=settings.drop_path,
        )
        _start(network, settings)
        self.network = network.to(device)
        parallel.synchronise_batch_norm(self.network)
        groups = parameter_groups(network, settings.decoder_factor, settings.weight_decay)
        self.optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate)
        self.weight = None
        if settings.class_weights != "none":
            self.weight = torch.tensor(self.table.weights[settings.class_weights], device=device)

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """Pictures and labels as bytes."""
        labels = label_plane(sample, len(self.table.names), self.table.ignored)
        return {**byte_planes(sample, ("visible", "infrared")), "labels": labels}

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """One view of the scene, scaled, cut and disturbed."""
        s = self.settings
        visible = planes["visible"].float() / 255
        infrared = planes["infrared"].float() / 255 if "infrared" in planes else None
        view = views.random_view(visible, infrared, s.fused_share, generator)
        spread = math.log(s.largest_scale / s.smallest_scale)
        scale = s.smallest_scale * math.exp(spread * float(torch.rand((), generator=generator)))
        size = (s.input_height, s.input_width)
        place = views.window_place(planes["labels"], size, scale, s.rare_share, generator)
        cut, labels = views.rescaled_crop(view, planes["labels"], size, scale, place)
        return {"picture": views.disturbed(cut, s.disturbance, generator), "labels": labels}

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:
        """One step of AdamW."""
        rate = learning_rate(self.settings, step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["scale"]
        self.network.train()
        labels = batch["labels"][:, 0].long()
        logits = self.network(batch["picture"])
        loss = losses.of(self.settings.loss, logits.float(), labels, self.weight)
        self.optimiser.zero_grad(set_to_none=True)
        (loss * share(labels)).backward()  # type: ignore[no-untyped-call]
        parallel.average_gradients(self.network.parameters())
        self.optimiser.step()
        return {"loss": float(loss.detach()), "accuracy": _accuracy(logits.detach(), labels)}

    def state(self) -> dict[str, Stateful]:
        """Network and optimiser."""
        return {"network": self.network, "optimiser": self.optimiser}

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Picture, labels and prediction in colour."""
        self.network.eval()
        guess = self.network(batch["picture"]).argmax(1)
        colours = {"labels": batch["labels"][:, 0].long(), "prediction": guess}
        return {
            "picture": batch["picture"],
            **{name: painted(ids, self.table.palette) for name, ids in colours.items()},
        }

    def weights(self) -> dict[str, Tensor]:
        """Parameters in half precision: a file of half the size, differences of 0.05 %."""
        return {
            name: value.half() if value.is_floating_point() else value
            for name, value in self.network.state_dict().items()
        }


def painted(ids: Tensor, palette: tuple[tuple[int, int, int], ...]) -> Tensor:
    """Label maps (B, H, W) as colours (B, 3, H, W) in [0, 1]; unknown ids are white."""
    colours = torch.full((256, 3), 255.0, device=ids.device)
    colours[: len(palette)] = torch.tensor(palette, dtype=torch.float32, device=ids.device)
    return colours[ids].permute(0, 3, 1, 2) / 255


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of right pixels, of every fourth row and column."""
    logits, labels = logits[..., ::4, ::4], labels[..., ::4, ::4]
    known = labels != losses.IGNORE
    right = (logits.argmax(1) == labels)[known]
    return float(right.float().mean()) if known.any() else 0.0


def share(labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """Labelled pixels here over their mean per process, so that each counts the same everywhere.

    Args:
        labels: (B, H, W), 255 = ignore.
        weight: (K,) of the classes, where the loss is divided by their sum.
    """
    known = labels[labels != losses.IGNORE]
    here = labels.new_tensor(known.numel(), dtype=torch.float32)
    if weight is not None:
        here = weight[known].sum()
    mean = here.clone()
    parallel.average_tensors([mean])
    return here / mean.clamp_min(1)


def start_file(start: str) -> Path:
    """The file that a `start` setting means; "zoo" is the shipped one."""
    if start == "zoo":
        return Path(str(files("fusionzoo") / "methods" / "trans4pass" / "zoo.safetensors"))
    return Path(start)


def _start(network: Trans4PASS, settings: SupervisedSettings) -> None:
    if settings.encoder:
        try:
            load_imagenet(network, weights.read_state_dict(Path(settings.encoder)))
        except (KeyError, ValueError) as error:
            raise FusionZooError(
                f"{settings.encoder} is not an ImageNet encoder of size {settings.size}: "
                f"{error.args[0]}"
            ) from None
    if settings.start:
        weights.fill(network, start_file(settings.start))

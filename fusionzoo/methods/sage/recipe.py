"""How SAGE is trained: the teacher first, then teacher and student in turn (CVPR 2025, section 4).

    student   9 MSE(s, y) + 6 MSE(s, ir) + 12 MSE(s, t) + 27 G(s; y, ir) + 9 G(s; t, t)
              + contrast(s; t) / 3000 + 0.3 features(s, t)
    teacher   MSE(t, y) + MSE(t, ir) + 2 G(t; y, ir) + 0.3 segmentation(t)
              + 0.1 (the student's sum for t, with s as reference and without features)
              + 0.01 features(t, s)

s, t, y and ir are the student's and the teacher's picture, visible luminance and infrared; the
other network's picture never carries gradients. Teacher steps before distillation begins leave out
what compares with the student. `variant="official"` repeats the released code where it differs:
masked grey patches instead of masks, the contrast loss's denominator without the reference,
imitation of an untrained student from the start, schedules that see half of their steps, batch
normalisation that follows the teacher's steps too, and segmentation labels that are all zero.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn

from fusionzoo import colour, parallel, weights
from fusionzoo.core import Sample, Stateful
from fusionzoo.methods.sage import encoder, losses, masks, segmentation
from fusionzoo.methods.sage.network import Features, Student
from fusionzoo.methods.sage.settings import Settings
from fusionzoo.methods.sage.teacher import Taught, Teacher

Planes = dict[str, Tensor]
Pair = tuple[Tensor, Tensor]
"""Visible and infrared."""


Network = TypeVar("Network", bound=nn.Module)
Options = Settings
"""What annotations call the settings, because a recipe has an attribute of that name."""


class Recipe:
    """Teacher and student, their optimisers, and whose turn it is."""

    Settings: ClassVar[type] = Settings
    roles: ClassVar[tuple[str, ...]] = ("visible", "infrared")

    def __init__(self, settings: Options, device: torch.device) -> None:
        """Build both networks with random parameters, or with those of a trained teacher."""
        self.settings, self.official = settings, settings.variant == "official"
        torch.manual_seed(settings.seed)
        self.student = _placed(Student(), device)
        parallel.synchronise_batch_norm(self.student)
        teacher = Teacher(settings.shared_attention)
        if settings.teacher_weights is not None:
            weights.fill(teacher, Path(settings.teacher_weights))
        self.teacher = _placed(teacher, device)
        own = self._own_steps()
        if self.official:
            own = (settings.steps, settings.steps)
        rates = (settings.learning_rate, settings.teacher_learning_rate)
        networks = (self.student, self.teacher)
        self.optimisers = [
            torch.optim.Adam(network.parameters(), rate)
            for network, rate in zip(networks, rates, strict=True)
        ]
        self.schedules = [
            torch.optim.lr_scheduler.CosineAnnealingLR(
                optimiser, max(steps, 1), settings.lowest_learning_rate
            )
            for optimiser, steps in zip(self.optimisers, own, strict=True)
        ]
        self.masks = masks.Cache(
            masks.provider(
                settings.masks,
                _path(settings.mask_folder),
                _path(settings.sam_checkpoint),
                settings.sam_preset,
            )
        )
        self.encoder = encoder.load(_path(settings.encoder)).to(device)
        self.segmenter = segmentation.build(settings.segmenter, device)

    def _own_steps(self) -> tuple[int, int]:
        """Updates of student and teacher in the whole training."""
        turns = [self.teachers_turn(step) for step in range(self.settings.steps)]
        return turns.count(False), turns.count(True)

    def teachers_turn(self, step: int) -> bool:
        """Whether a step updates the teacher."""
        later, every = step - self.settings.pretraining, self.settings.teacher_every
        return later < 0 or (every > 0 and later % every == every - 1)

    def prepare(self, sample: Sample) -> Planes:
        """Luminance, infrared, mask bits, and what the segmenter needs; all uint8."""
        visible = sample.images["visible"][None]
        luminance, _ = colour.split_luma(visible, "opencv_uint8")
        infrared = colour.grey_plane(sample.images["infrared"][None], "opencv_uint8")
        planes = {"visible": _bytes(luminance[0]), "infrared": _bytes(infrared[0])}
        planes["masks"] = masks.pack(*masks.of_sample(self.masks, sample))
        if self.segmenter is not None:
            planes["colour"] = _bytes(visible[0].expand(3, -1, -1))
            planes["labels"] = segmentation.label_plane(sample)
        return planes

    def augment(self, planes: Planes, _generator: torch.Generator) -> Planes:
        """Crops and mirrors are enough."""
        return planes

    def update(self, batch: Planes, step: int) -> dict[str, float]:
        """One step of whoever's turn it is."""
        pair = _pair(batch)
        shown = _first(self.settings.taught, pair)
        found = masks.unpack(batch["masks"][: len(shown[0])])
        if self.official:
            found = (found[0] * shown[0], found[1] * shown[1])
        if self.teachers_turn(step):
            return self._teach(batch, shown, found, step)
        return self._learn(pair, shown, found)

    def _learn(self, pair: Pair, shown: Pair, found: Pair) -> dict[str, float]:
        """A step of the student on the whole batch, and on what the teacher makes of its part."""
        self.student.train()
        seen = self._student(pair)
        with torch.no_grad():
            taught = self.teacher.teach(*shown, *found)
        terms = self._source_terms(seen.fused, pair)
        count = len(shown[0])
        terms |= self._reference_terms(seen.fused[:count], taught.fused, shown, found)
        features = Features(*(one[:count] for one in seen.features))
        if self.settings.features:
            terms["features"] = self.settings.features * losses.feature_loss(
                features, taught.features
            )
        return self._step(0, terms, "student")

    def _student(self, pair: Pair) -> Taught:
        features: Features = self.student.features(*pair)
        # bfloat16 would round the picture itself to whole levels.
        with torch.autocast(pair[0].device.type, enabled=False):
            return Taught(self.student.head(features.x5.float()), features)

    def _teach(
        self,
        batch: Planes,
        pair: Pair,
        found: Pair,
        step: int,
    ) -> dict[str, float]:
        options, (visible, infrared) = self.settings, pair
        taught = self.teacher.teach(*pair, *found)
        picture, scales = taught.fused, options.gradient_scales
        terms = {
            "visible": options.teacher_visible * losses.intensity_loss(picture, visible),
            "infrared": options.teacher_infrared * losses.intensity_loss(picture, infrared),
            "gradient": options.teacher_gradient * losses.gradient_loss(picture, pair, scales),
        }
        if self.segmenter is not None:
            count = len(visible)
            colours, labels = batch["colour"][:count], batch["labels"][:count]
            judged = segmentation.loss(self.segmenter, picture, colours, labels, self.official)
            terms["segmentation"] = options.segmentation * judged
        distilling = step >= options.pretraining
        if distilling or self.official:
            self.student.train(self.official)
            with torch.no_grad():
                seen = self._student(pair)
            imitated = self._source_terms(picture, pair)
            imitated |= self._reference_terms(picture, seen.fused, pair, found)
            terms["imitation"] = options.imitation * torch.stack(list(imitated.values())).sum()
            if distilling:
                terms["features"] = options.teacher_features * losses.feature_loss(
                    taught.features, seen.features
                )
        return self._step(1, terms, "teacher")

    def _source_terms(self, x: Tensor, pair: Pair) -> dict[str, Tensor]:
        """The part of the student's sum that compares with the two sources."""
        options = self.settings
        gradient = losses.gradient_loss(x, pair, options.gradient_scales)
        return {
            "visible": options.visible * losses.intensity_loss(x, pair[0]),
            "infrared": options.infrared * losses.intensity_loss(x, pair[1]),
            "gradient": options.gradient * gradient,
        }

    def _reference_terms(
        self, x: Tensor, reference: Tensor, pair: Pair, found: Pair
    ) -> dict[str, Tensor]:
        """The part that compares with the other network's picture, without features."""
        options = self.settings
        gradient = losses.gradient_loss(x, (reference,), options.gradient_scales)
        terms = {
            "reference": options.reference * losses.intensity_loss(x, reference),
            "reference_gradient": options.reference_gradient * gradient,
        }
        if options.contrast:
            both = losses.contrast_loss(self.encoder, x, reference, pair, found, not self.official)
            terms["contrast"] = options.contrast * (both[0] + both[1])
        return terms

    def _step(self, index: int, terms: dict[str, Tensor], who: str) -> dict[str, float]:
        optimiser = self.optimisers[index]
        total = torch.stack(list(terms.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        parallel.average_gradients((self.student, self.teacher)[index].parameters())
        optimiser.step()
        self.schedules[index].step()
        numbers = {f"{who}/{name}": float(value.detach()) for name, value in terms.items()}
        return {who: float(total.detach()), **numbers}

    def state(self) -> dict[str, Stateful]:
        """Both networks with optimisers and schedules."""
        return {
            "student": self.student,
            "teacher": self.teacher,
            "student_optimiser": self.optimisers[0],
            "teacher_optimiser": self.optimisers[1],
            "student_schedule": self.schedules[0],
            "teacher_schedule": self.schedules[1],
        }

    @torch.no_grad()
    def pictures(self, batch: Planes) -> Planes:
        """Sources, what both networks make of them, and the masks as levels."""
        pair = _pair(batch)
        found = masks.unpack(batch["masks"])
        patches = (found[0] * pair[0], found[1] * pair[1]) if self.official else found
        before = self.student.training
        self.student.eval()
        shown = {
            "visible": pair[0],
            "infrared": pair[1],
            "teacher": self.teacher(*pair, *patches).float().clamp(0, 1),
            "student": self.student(*pair).float().clamp(0, 1),
            "visible masks": found[0].mean(1, keepdim=True),
            "infrared masks": found[1].mean(1, keepdim=True),
        }
        self.student.train(before)
        return shown

    def weights(self) -> Planes:
        """The student."""
        return self.student.state_dict()

    @property
    def companions(self) -> dict[str, Planes]:
        """The teacher, for `sage_teacher`."""
        return {"teacher": self.teacher.state_dict()}


class TeacherRecipe(Recipe):
    """Every step is the teacher's, which is also what is exported."""

    def teachers_turn(self, _step: int) -> bool:
        """Always."""
        return True

    def weights(self) -> Planes:
        """The teacher."""
        return self.teacher.state_dict()

    @property
    def companions(self) -> dict[str, Planes]:
        """None: the student is never trained."""
        return {}


def _placed(network: Network, device: torch.device) -> Network:
    """On its device, channels last, which halves the time on CPUs."""
    placed: Network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return placed


def _pair(batch: Planes) -> Pair:
    return batch["visible"].float() / 255, batch["infrared"].float() / 255


def _first(count: int | None, pair: Pair) -> Pair:
    return pair[0][:count], pair[1][:count]


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def _bytes(plane: Tensor) -> Tensor:
    return plane.mul(255).add(0.5).clamp(0, 255).byte()

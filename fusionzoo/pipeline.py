"""Chains of methods: "mitnet+sage" restores the visible picture, then fuses it.

Every stage takes its input roles and gives one picture back: a restorer's and a fuser's takes the
place of its first input ("visible" after a fuser of exposures or focal planes), the others are used
up. A segmenter gives a label map and so comes last. Roles and tasks are checked before anything is
loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import Tensor

from fusionzoo import image, methods, predictor
from fusionzoo.core import FusionZooError, ImageError, Method, Sample, hash_of
from fusionzoo.predictor import Precision, Predictor

JOINT = "+"
FUSED_ROLE = "visible"


class PipelineError(FusionZooError):
    """A chain of methods that cannot work, with the stage and the reason."""


def is_chain(name: str) -> bool:
    """True for "a+b"."""
    return JOINT in name


def entry(name: str, task: str | None = None) -> Method:
    """A method by name, or what a chain looks like from outside: its inputs, its last stage's task.

    Args:
        name: "sage", "mitnet+sage", with weights tags or without.
        task: Variant of the fusers in a chain (see `fusionzoo.predictor.load`); a single method's
            entry has all its variants, see `Method.form`.

    Raises:
        UnknownNameError: No such method.
        PipelineError: The chain cannot work.
    """
    if not is_chain(name):
        found: Method = methods.find(name.partition("@")[0])
        return found
    forms = _forms(name, task)
    last = forms[-1][1]
    return replace(last, inputs=_inputs(forms), stand_ins=(), weights={}, variants={})


def _forms(name: str, task: str | None) -> list[tuple[str, Method]]:
    """Name and entry of each stage."""
    forms = []
    for part in name.split(JOINT):
        stage = part.strip().partition("@")[0]
        if not stage:
            raise PipelineError(f"'{name}' has an empty stage: expected names joined by {JOINT}")
        found: Method = methods.find(stage)
        fits = task is not None and found.task == "fuse" and task in found.forms
        forms.append((stage, found.form(task) if fits and task is not None else found))
    return forms


def _inputs(forms: list[tuple[str, Method]]) -> tuple[str, ...]:
    """Roles that a chain needs from outside, after checking that every stage gets what it takes."""
    chain = JOINT.join(name for name, _ in forms)
    needed: list[str] = []
    used: dict[str, str] = {}
    made: dict[str, str] = {}
    for number, (name, form) in enumerate(forms, 1):
        if form.task == "segment" and number < len(forms):
            raise PipelineError(
                f"{chain}: {name} gives a label map, which {forms[number][0]} cannot take; put "
                f"{name} last"
            )
        for role in form.inputs:
            if role in made:
                del made[role]
            elif role in used:
                raise PipelineError(
                    f"{chain}: {name} needs a picture of role {role}, which {used[role]} has used "
                    "up and not given back"
                )
            else:
                needed.append(role)
            used[role] = name
        _nothing_lost(chain, made, {gives(form)}, form)
        made[gives(form)] = name
    _nothing_lost(chain, made, set(made) - {gives(forms[-1][1])}, forms[-1][1])
    return tuple(needed)


def _nothing_lost(chain: str, made: dict[str, str], roles: set[str], taker: Method) -> None:
    """Refuse a chain in which a stage's picture is overwritten, or left over at the end."""
    for role in sorted(roles & set(made)):
        raise PipelineError(
            f"{chain}: no stage takes the picture that {made[role]} gives (role {role}); the next "
            f"one takes {' and '.join(taker.inputs)}"
        )


def gives(form: Method) -> str:
    """Role of a stage's output."""
    return FUSED_ROLE if form.task == "fuse" else form.inputs[0]


@dataclass(frozen=True)
class Pipeline(Predictor):
    """Several methods, one after the other; it is used like a single one.

    Attributes:
        stages: What runs, in order.
        keep: Folder for the pictures between stages, `<number>_<stage>/<scene>.png`; None: none.
        seconds: Label of each stage to the seconds it took for every scene so far.
    """

    stages: tuple[Predictor, ...] = ()
    keep: Path | None = None
    seconds: dict[str, list[float]] = field(default_factory=dict, compare=False)

    @property
    def parts(self) -> tuple[Predictor, ...]:
        """The stages."""
        return self.stages

    @property
    def key(self) -> str:
        """Hash of everything but the input that an output, and what is kept, depends on."""
        kept = ["stages kept"] if self.keep else []
        return hash_of(*(stage.key for stage in self.stages), *kept)

    def stage_seconds(self) -> dict[str, float]:
        """Mean seconds a picture of each stage, of what was computed so far."""
        return {label: fmean(seconds) for label, seconds in self.seconds.items()}

    def last_seconds(self) -> dict[str, float]:
        """Seconds of each stage for the scene that was computed last."""
        return {label: seconds[-1] for label, seconds in self.seconds.items()}

    def fuse(self, sample: Sample) -> tuple[Tensor, float]:
        """The last stage's output (C, H, W) for one sample, and the seconds of all stages."""
        total = 0.0
        for number, (stage, output, seconds) in enumerate(self._run_stages(sample), 1):
            self.seconds.setdefault(stage.label, []).append(seconds)
            total += seconds
            if self.keep and number < len(self.stages):
                folder = self.keep / f"{number}_{stage.label}"
                image.write(folder / f"{sample.name}.png", image.to_levels(output))
        return output, total

    def __call__(self, **images: Tensor) -> Tensor:
        """Run all stages; arguments and result as for a single method.

        Raises:
            ImageError: As there.
        """
        if set(images) != set(self.method.inputs):
            wanted, given = " and ".join(self.method.inputs), " and ".join(images)
            raise ImageError(f"{self.name} takes {wanted}; got {given or 'nothing'}")
        sample = Sample("", images)
        return [output for _, output, _ in self._run_stages(sample)][-1]

    def _run_stages(self, sample: Sample) -> Iterator[tuple[Predictor, Tensor, float]]:
        images = dict(sample.images)
        for stage in self.stages:
            output, seconds = stage.fuse(Sample(sample.name, images))
            images[gives(stage.method)] = output
            yield stage, output, seconds


def reference(loaded: Predictor) -> tuple[str, str | None]:
    """Name and weights with which `load` gives the same method, or chain, again."""
    places = [(part.name, _place(part)) for part in loaded.parts]
    if len(places) == 1:
        return places[0]
    return JOINT.join(f"{name}@{place}" if place else name for name, place in places), None


def _place(part: Predictor) -> str | None:
    """The weights' tag, or their file if they are none of the method's own."""
    if part.weights is None:
        return None
    own = part.method.weights.get(part.weights.tag)
    known = own is not None and own.sha256 in (None, part.weights.sha256)
    return part.weights.tag if known else str(part.weights.path.resolve())


def load(
    name: str,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    tile: int | None = None,
    task: str | None = None,
    stretch: bool | None = None,
    wrap: int = 0,
) -> Predictor:
    """A method, or a chain "mitnet@zoo+sage@official", ready to be called.

    Args:
        name: Method or chain; each stage may name its weights tag.
        weights: As for `fusionzoo.predictor.load`; a chain names the weights of its stages itself.
        device: For all stages, as are the following.
        precision: See there.
        tile: See there.
        task: Variant of fusers.
        stretch: Of fusers.
        wrap: Of segmenters.

    Raises:
        UnknownNameError: No such method.
        WeightsError: Weights missing, altered or made for another network.
        PipelineError: The chain cannot work.
    """
    if not is_chain(name):
        return predictor.load(name, weights, device, precision, tile, task, stretch, wrap)
    if weights is not None:
        first = name.split(JOINT)[0].partition("@")[0]
        raise PipelineError(f"name the weights of each stage instead, as in {first}@TAG{JOINT}...")
    method = entry(name, task)
    stages = []
    for part, (_, form) in zip(name.split(JOINT), _forms(name, task), strict=True):
        fuses, segments = form.task == "fuse", form.task == "segment"
        settings: dict[str, Any] = {"task": form.pair} if fuses and form.pair else {}
        settings |= {"stretch": stretch} if fuses else {}
        settings |= {"wrap": wrap} if segments else {}
        stages.append(predictor.load(part.strip(), None, device, precision, tile, **settings))
    label = JOINT.join(stage.label for stage in stages)
    return Pipeline(
        name=label,
        method=method,
        network=stages[-1].network,
        device=stages[0].device,
        precision=precision,
        tile=tile,
        stages=tuple(stages),
    )


def keeping_stages(chain: Predictor, folder: Path) -> Predictor:
    """The chain, made to write the pictures between its stages below `folder`.

    Raises:
        PipelineError: A single method has no stages.
    """
    if not isinstance(chain, Pipeline):
        raise PipelineError(f"{chain.name} is a single method: there is nothing between stages")
    return replace(chain, keep=folder)

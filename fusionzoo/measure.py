"""The work itself: decode a scene, run the methods that are due on it, measure their pictures.

Pictures are the outer loop and methods the inner one, so each pair is decoded once and the
statistics of its sources are computed once for all methods. A thread decodes ahead and another one
measures behind while networks run in between; both queues are bounded, so memory does not grow with
the number of pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from fusionzoo import image, metrics, scenes
from fusionzoo.core import FusionZooError, Item, Metric, Observation, Sample
from fusionzoo.image import Levels
from fusionzoo.pipeline import Pipeline
from fusionzoo.plan import Due, Grid
from fusionzoo.predictor import Predictor
from fusionzoo.records import Record

Task = tuple[str, Mapping[int, str]]
"""A scene, and positions of methods with the keys of their new records."""
BEHIND = 2
"""Scenes that may wait for their metrics while networks run on further ones."""


@dataclass(frozen=True)
class Outcome:
    """One scene, done.

    Attributes:
        image: Its name.
        records: Position of the method to what was measured.
        pictures: Position of the method to PNG bytes, if the picture is kept.
        stages: Position of a chain to the seconds of its stages.
    """

    image: str
    records: Mapping[int, Record]
    pictures: Mapping[int, bytes]
    stages: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Output:
    """A method's picture of a scene, or why there is none."""

    position: int
    levels: Levels | None
    seconds: float = 0.0
    error: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Yardstick:
    """What every picture of a grid is measured with."""

    metrics: Sequence[Metric]
    versions: Mapping[str, str]
    convention: str
    kept: set[str]


def measure(grid: Grid, due: Due) -> Iterator[Outcome]:
    """Every scene that is due, in order; failures of single pictures are part of the records.

    Args:
        grid: What to compute.
        due: What is due of it.
    """
    return stream(grid, due.items())


def stream(grid: Grid, tasks: Iterable[Task], overlap: bool = True) -> Iterator[Outcome]:
    """Every scene of `tasks`, in order; the next task is asked for when it can be begun.

    Args:
        grid: What the tasks are of.
        tasks: Picture, and what is due of it (see `fusionzoo.plan.Due`).
        overlap: Decode ahead and measure behind in threads of their own, up to six tasks at once.
    """
    rule = _Yardstick(grid.applicable(), grid.versions(), grid.convention, grid.kept())
    if not overlap:
        for name, keys in tasks:
            sample = scenes.load(grid.item(name))
            yield _outcome(rule, name, sample, _outputs(grid, sample, keys), keys)
        return
    wanted: dict[str, Mapping[int, str]] = {}
    waiting: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="metrics") as pool:
        try:
            for item, sample in scenes.samples(_items(grid, tasks, wanted)):
                keys = wanted.pop(item.name)
                outputs = _outputs(grid, sample, keys)
                waiting.append(pool.submit(_outcome, rule, item.name, sample, outputs, keys))
                if len(waiting) > BEHIND:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _items(
    grid: Grid, tasks: Iterable[Task], wanted: dict[str, Mapping[int, str]]
) -> Iterator[Item]:
    """The scenes of the tasks; what is due of each is put into `wanted`."""
    for name, keys in tasks:
        wanted[name] = keys
        yield grid.item(name)


def _outputs(
    grid: Grid, sample: Sample | FusionZooError, positions: Iterable[int]
) -> list[_Output]:
    return [_output(position, grid.predictors[position], sample) for position in positions]


def _output(position: int, predictor: Predictor, sample: Sample | FusionZooError) -> _Output:
    """8-bit output of one method, its seconds, and the error that replaced it."""
    if isinstance(sample, FusionZooError):
        return _Output(position, None, error=str(sample))
    try:
        output, seconds = predictor.fuse(sample)
    except FusionZooError as error:
        return _Output(position, None, error=str(error))
    stages = predictor.last_seconds() if isinstance(predictor, Pipeline) else {}
    return _Output(position, image.to_levels(output), seconds, stages=stages)


def _outcome(
    rule: _Yardstick,
    name: str,
    sample: Sample | FusionZooError,
    outputs: Sequence[_Output],
    keys: Mapping[int, str],
) -> Outcome:
    references = {} if isinstance(sample, FusionZooError) else scenes.reference_planes(sample)
    records: dict[int, Record] = {}
    pictures: dict[int, bytes] = {}
    for output in outputs:
        observations: Mapping[str, Observation] = {}
        error = output.error
        if output.levels is not None:
            if name in rule.kept:
                pictures[output.position] = image.encode(output.levels, ".png")
            try:
                plane = metrics.Plane(output.levels)
                observations = metrics.observe(rule.metrics, plane, rule.convention, **references)
            except FusionZooError as failure:
                error = str(failure)
        records[output.position] = Record(
            name, keys[output.position], observations, dict(rule.versions), output.seconds, error
        )
    stages = {output.position: output.stages for output in outputs if output.stages}
    return Outcome(name, records, pictures, stages)

"""Score pictures or label maps that any program made, against a dataset's scenes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusionzoo import datasets, image, metrics, scenes
from fusionzoo.core import (
    DataError,
    Dataset,
    FusionZooError,
    ImageError,
    Item,
    Metric,
    Observation,
    Sample,
)
from fusionzoo.tables import PARTIAL, Column, Row, Table


@dataclass(frozen=True)
class Scores:
    """Observations per picture, in name order, and one line per picture that has none."""

    observations: Mapping[str, Mapping[str, Observation]]
    problems: Sequence[str]


def index_pictures(folder: Path) -> dict[str, Path]:
    """Stem to file for every picture of a folder.

    Raises:
        DataError: No such folder, no picture in it, or two files of one stem.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: expected one picture per scene in it")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not image.is_picture(path):
            continue
        if path.stem in found:
            raise DataError(f"{folder} holds {found[path.stem].name} and {path.name}: keep one")
        found[path.stem] = path
    if not found:
        raise DataError(f"{folder} holds no picture (PNG, JPEG, BMP or TIFF)")
    return found


UNSEEN = {
    "labels": "judges label maps: use eval --predictions, or bench --reader trans4pass",
    "target": "compares with a clean picture, and there is none",
    "sources": "compares with both sources, and they are not here",
    "none": "has seen no picture",
}
"""Why a metric says nothing, by what it compares with."""


def unseen(wanted: str, lost: Sequence[Metric]) -> Iterator[str]:
    """Why metrics say nothing here: those of `lost` that were asked for by name, not by group."""
    groups = ("", "all", *metrics.GROUPS)
    parts = [part.strip() for part in wanted.split(",")]
    named = {metrics.find(part).symbol for part in parts if part.lower() not in groups}
    for metric in lost:
        if metric.symbol in named:
            yield f"metric {metric.symbol}: it {UNSEEN[metric.reference]}"


def score_pictures(
    folder: Path, items: Sequence[Item], chosen: Sequence[Metric], convention: str = "standard"
) -> Scores:
    """Measure every picture of `folder` against the scene of the same stem.

    Args:
        folder: Fused or restored pictures, matched by stem, whatever their extension.
        items: Scenes.
        chosen: Metrics; those whose reference a scene lacks are left out.
        convention: Metric convention.

    Raises:
        DataError: The folder is missing or empty.
    """
    pictures = index_pictures(folder)
    seen: dict[str, Mapping[str, Observation]] = {}
    problems = [f"{i.name}: no picture in {folder}" for i in items if i.name not in pictures]
    for item, sample in scenes.samples([i for i in items if i.name in pictures]):
        try:
            if isinstance(sample, FusionZooError):
                raise sample
            seen[item.name] = _picture(pictures[item.name], sample, chosen, convention)
        except FusionZooError as error:
            problems.append(f"{item.name}: {error}")
    return Scores(seen, problems)


def _picture(
    path: Path, sample: Sample, chosen: Sequence[Metric], convention: str
) -> Mapping[str, Observation]:
    levels = image.eight_bit(image.read(path))
    size = tuple(next(iter(sample.images.values())).shape[-2:])
    if levels.shape[:2] != size:
        raise ImageError(
            f"{path} is {levels.shape[1]}x{levels.shape[0]}, the scene {size[1]}x{size[0]}: "
            "metrics never resize"
        )
    references = scenes.reference_planes(sample)
    usable = scenes.applicable(chosen, references)
    return metrics.observe(usable, metrics.Plane(levels), convention, **references)


def score_predictions(
    folder: Path,
    items: Sequence[Item],
    dataset: Dataset,
    chosen: Sequence[Metric],
    preset: str | None = None,
) -> Scores:
    """Compare label maps with the dataset's labels.

    Args:
        folder: Index pictures, matched by stem.
        items: Scenes with labels.
        dataset: Its class table says how many classes there are.
        chosen: Metrics; only those of label maps are measured.
        preset: How IoU is averaged; None for what the class table says.

    Raises:
        DataError: No class table, no metric of label maps, or a missing or empty folder.
    """
    classes = dataset.classes
    measures = [metric for metric in chosen if metric.reference == "labels"]
    if classes is None or not measures:
        raise DataError(
            f"{dataset.title} has no classes" if classes is None else "ask for --metrics mIoU"
        )
    pictures = index_pictures(folder)
    seen: dict[str, Mapping[str, Observation]] = {}
    problems = [f"{i.name}: no label map in {folder}" for i in items if i.name not in pictures]
    for item, sample in scenes.samples([i for i in items if i.name in pictures]):
        try:
            if isinstance(sample, FusionZooError):
                raise sample
            if sample.target is None:
                raise DataError("this copy of the dataset has no labels")
            guess = datasets.read_labels(pictures[item.name], classes).numpy()
            truth = sample.target.numpy()
            seen[item.name] = {
                m.symbol: m.observe(guess, truth, len(classes.names), preset or classes.miou)
                for m in measures
            }
        except FusionZooError as error:
            problems.append(f"{item.name}: {error}")
    if not seen:
        raise DataError(f"no scene could be scored: {problems[0]}")
    return Scores(seen, problems)


def table(
    scores: Scores,
    chosen: Sequence[Metric],
    caption: str,
    convention: str = "standard",
    preset: str | None = None,
) -> Table:
    """One row per picture, one column per metric, and a last row `mean`."""
    present = [m for m in chosen if any(m.symbol in seen for seen in scores.observations.values())]
    rows = [
        Row((name,), tuple(_value(seen.get(metric.symbol)) for metric in present))
        for name, seen in scores.observations.items()
    ]
    means = tuple(_mean(metric, scores, preset) for metric in present)
    columns = tuple(Column(metric.symbol, metric.higher_is_better) for metric in present)
    lost = frozenset(
        position
        for position in range(len(present))
        if any(r.values[position] is None for r in rows)
    )
    last = Row(("mean",), means, "mean", lost)
    if lost:
        caption += f" {PARTIAL} without the pictures for which it is undefined."
    return Table(("image",), columns, (*rows, last), caption, preset or convention)


def _value(observation: Observation | None) -> float | None:
    return observation.value if observation and observation.status == "ok" else None


def _mean(metric: Metric, scores: Scores, preset: str | None) -> float | None:
    seen = [s[metric.symbol] for s in scores.observations.values() if metric.symbol in s]
    usable = [observation for observation in seen if observation.status == "ok"]
    if metric.reference == "labels" and preset:
        return metric.summarize(seen, preset)  # type: ignore[call-arg]
    return metric.summarize(usable) if usable else None

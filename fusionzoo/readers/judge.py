"""MIoU of fused pictures under one reader, one result file per fusion method, resumable.

One reader for all methods compares them on equal terms, but favours pictures that look like those
it was trained on; retraining it for each method (`retrain`) removes that and adds its own noise.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import fusionzoo
from fusionzoo import image, metrics, scenes, segmentation, store
from fusionzoo.core import (
    ClassTable,
    DataError,
    Dataset,
    FusionZooError,
    Item,
    Listing,
    Observation,
    Sample,
    hash_of,
)
from fusionzoo.metrics.miou import miou
from fusionzoo.predictor import Predictor
from fusionzoo.records import Record
from fusionzoo.store import Result
from fusionzoo.tables import Column, Row, Table

METRIC = "mIoU"
SECOND = "ivif_zoo"
"""Preset that is printed beside the dataset's own: what most published tables use."""
Told = Callable[[str], object]


@dataclass(frozen=True)
class Bench:
    """What one reader judges.

    Attributes:
        name: Catalogue name of the dataset.
        dataset: Its entry; it has a class table.
        listing: Its scenes.
        out: Folder of results.
    """

    name: str
    dataset: Dataset
    listing: Listing
    out: Path

    @property
    def classes(self) -> ClassTable:
        """The dataset's class table.

        Raises:
            DataError: It has none.
        """
        if self.dataset.classes is None:
            raise DataError(f"{self.dataset.title} has no labels: a reader cannot judge on it")
        return self.dataset.classes

    def folder(self, reader: str) -> Path:
        """Where a reader's results lie."""
        cell = store.cell_path(
            self.out, self.name, self.listing.split, self.dataset.default_split, "x"
        )
        return cell.parent / "readers" / reader


def check(reader: Predictor, classes: ClassTable) -> None:
    """A reader must speak of the dataset's classes.

    Raises:
        FusionZooError: It is no segmenter, or has another class table.
    """
    if reader.method.task != "segment" or reader.method.classes is None:
        raise FusionZooError(f"{reader.name} is no segmenter: a reader needs task 'segment'")
    if reader.method.classes != classes:
        raise FusionZooError(
            f"the reader {reader.label} knows other classes ({reader.method.classes.source}) than "
            f"these labels ({classes.source}): train it on them, or use --retrain-reader"
        )


def read_picture(reader: Predictor, levels: image.Levels) -> image.Levels:
    """Label map (H, W) of an 8-bit picture, as if it had been read from a file."""
    plane = image.to_plane(levels)
    return segmentation.label_map(reader(visible=plane.expand(3, -1, -1)))


def labels_of(sample: Sample, classes: ClassTable) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A scene's label map, checked against its pictures and the class table.

    Raises:
        DataError: None, of another size, with unknown ids, or without any labelled pixel.
    """
    labels = sample.target
    if labels is None or labels.ndim != 2:
        raise DataError(f"{sample.name} has no labels")
    size = tuple(next(iter(sample.images.values())).shape[-2:])
    if tuple(labels.shape) != size:
        raise DataError(
            f"{sample.name}: labels are {labels.shape[1]}x{labels.shape[0]}, "
            f"the pictures {size[1]}x{size[0]}"
        )
    array = labels.numpy().astype(np.int64)
    found = set(np.unique(array).tolist())
    unknown = sorted(found - set(range(len(classes.names))) - {255})
    if unknown:
        raise DataError(
            f"{sample.name} holds the ids {unknown}: expected 0 to {len(classes.names) - 1}, or 255"
        )
    if not found - {255, *classes.ignored}:
        raise DataError(f"{sample.name}: every pixel is unlabelled, nothing can be judged")
    return array


def run(
    bench: Bench,
    method: Predictor,
    reader: Predictor,
    told: Told = lambda _: None,
    training: Mapping[str, Any] | None = None,
) -> Result:
    """Fuse every scene, read it, and sum up; finished scenes are never done again.

    Args:
        bench: Where.
        method: Fuses.
        reader: Judges.
        told: Called with the name of each finished scene.
        training: What the result's provenance shall tell of a reader that was trained for it.

    Raises:
        FusionZooError: The reader's classes are not the dataset's.
    """
    classes = bench.classes
    check(reader, classes)
    path = bench.folder(reader.label) / f"{method.label}.json"
    known = store.known_records(path)
    records, todo = [], []
    for item in bench.listing.items:
        key = hash_of(method.key, reader.key, item.fingerprint(), classes.miou)
        if item.name in known and known[item.name].key == key:
            records.append(known[item.name])
            told(item.name)
        else:
            todo.append((item, key))
    keys = {item.name: key for item, key in todo}
    for item, sample in scenes.samples([item for item, _ in todo]):
        record = _record(method, reader, item, sample, keys[item.name], classes)
        store.append(path, record)
        records.append(record)
        told(item.name)
    ordered = sorted(records, key=lambda r: r.image)
    result = _result(bench, method, reader, ordered, training or {})
    store.write(path, result)
    return result


def _record(
    method: Predictor,
    reader: Predictor,
    item: Item,
    sample: Sample | FusionZooError,
    key: str,
    classes: ClassTable,
) -> Record:
    try:
        if isinstance(sample, FusionZooError):
            raise sample
        labels = labels_of(sample, classes)
        output, seconds = method.fuse(sample)
        guess = read_picture(reader, image.to_levels(output))
        measure = metrics.find(METRIC)
        seen: Observation = measure.observe(guess, labels, len(classes.names), classes.miou)
    except FusionZooError as error:
        return Record(item.name, key, error=str(error))
    return Record(item.name, key, {METRIC: seen}, {METRIC: str(measure.version)}, seconds)


def confusion(records: Sequence[Record]) -> np.ndarray[Any, np.dtype[np.int64]] | None:
    """Sum of the confusion matrices of records; None if there is none."""
    tables = [r.observations[METRIC].table for r in records if METRIC in r.observations]
    known = [table for table in tables if table is not None]
    return np.asarray(np.sum(known, axis=0), np.int64) if known else None


def _result(
    bench: Bench,
    method: Predictor,
    reader: Predictor,
    records: Sequence[Record],
    training: Mapping[str, Any],
) -> Result:
    preset = bench.classes.miou
    table = confusion(records)
    score = None if table is None else miou(table, preset).value
    trained = list(reader.weights.trained_on) if reader.weights else []
    return Result(
        method=method.name,
        weights=method.tag,
        dataset=bench.name,
        split=bench.listing.split,
        convention=preset,
        scores={METRIC: score if score is None or np.isfinite(score) else None},
        counted={METRIC: sum(not record.error for record in records)},
        records=records,
        directions={METRIC: True},
        provenance={
            "fusionzoo": fusionzoo.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": str(reader.device),
            "reader": reader.label,
            "reader_sha256": reader.weights.sha256 if reader.weights else None,
            "reader_trained_on": trained,
            "weights_sha256": method.weights.sha256 if method.weights else None,
            "trained_on": list(method.weights.trained_on) if method.weights else [],
            "list_hash": store.list_hash(item.name for item in bench.listing.items),
            **{f"reader_{name}": fact for name, fact in training.items()},
        },
    )


def table(
    found: Sequence[Result], classes: ClassTable, caption: str, chosen: Callable[[str], bool] = bool
) -> Table:
    """Methods by mIoU and IoU of every class that occurs.

    Args:
        found: Results of one reader, or of one retrained per method.
        classes: Class table of the labels.
        caption: What was done.
        chosen: Which pictures count, by name; all with a name by default.
    """
    tables = []
    for result in found:
        kept = [record for record in result.records if chosen(record.image)]
        counts = confusion(kept)
        if counts is not None:
            tables.append((result, counts, sum(not record.error for record in kept)))
    seen = [i for i in range(len(classes.names)) if i not in classes.ignored
            and any(counts[i].sum() for _, counts, _ in tables)]  # fmt: skip
    rows = []
    for result, counts, number in tables:
        main, second = miou(counts, classes.miou), miou(counts, SECOND)
        scores = (main.value, second.value, *(main.per_class[i] for i in seen))
        shown = tuple(float(v) if np.isfinite(v) else None for v in scores)
        rows.append(Row((result.method, result.weights), (*shown, float(number))))
    names = [METRIC, f"{METRIC} ({SECOND})", *(classes.names[i] for i in seen)]
    columns = [*(Column(name, True) for name in names), Column("n")]
    caption += f" {METRIC} by preset {classes.miou}; beside it by preset {SECOND}."
    return Table(("method", "weights"), tuple(columns), tuple(rows), caption, classes.miou)

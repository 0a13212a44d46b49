"""The grid: methods x datasets x metrics, one result file per cell, resumable at every picture.

Pictures are the outer loop and methods the inner one, so each pair is decoded once and the
statistics of its sources are computed once for all methods. Decoding, networks and metrics overlap.
"""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import fusionzoo
from fusionzoo import image, metrics, scenes, store
from fusionzoo.core import (
    Dataset,
    FusionZooError,
    Item,
    Listing,
    Metric,
    Observation,
    Sample,
    hash_of,
)
from fusionzoo.image import Levels
from fusionzoo.predictor import Predictor
from fusionzoo.records import Record
from fusionzoo.store import Result

SHEET_PICTURES = 3
"""Pictures of each dataset that are kept for the contact sheet."""

Progress = Callable[[str, str, int], object]
"""Called with dataset, picture and the number of cells it advanced."""


@dataclass(frozen=True)
class Grid:
    """Everything that one dataset's cells are computed from.

    Attributes:
        name: Catalogue name of the dataset.
        dataset: Its entry.
        listing: Its scenes.
        predictors: Methods whose inputs the dataset offers.
        metrics: Metrics asked for.
        out: Folder of the results.
        convention: Metric convention.
    """

    name: str
    dataset: Dataset
    listing: Listing
    predictors: Sequence[Predictor]
    metrics: Sequence[Metric]
    out: Path
    convention: str = "standard"

    def cell(self, predictor: Predictor) -> Path:
        """Where a method's result lies."""
        split, default = self.listing.split, self.dataset.default_split
        return store.cell_path(self.out, self.name, split, default, predictor.label)

    def picture(self, predictor: Predictor, name: str) -> Path:
        """Where a method's picture for the contact sheet lies."""
        return self.cell(predictor).parent / "pictures" / predictor.label / f"{name}.png"

    def kept(self) -> set[str]:
        """Names of the pictures that are kept for the contact sheet."""
        return {item.name for item in self.listing.items[:SHEET_PICTURES]}

    def applicable(self) -> list[Metric]:
        """Metrics whose reference this dataset has."""
        clean = ("target",) if self.dataset.target == "clean" else ()
        return scenes.applicable(self.metrics, (*self.dataset.roles, *clean))


@dataclass
class Cell:
    """Progress of one (method, dataset): what is known, what is due."""

    predictor: Predictor
    path: Path
    keys: Mapping[str, str]
    records: dict[str, Record] = field(default_factory=dict)

    def due(self, name: str, versions: Mapping[str, str], picture: Path | None) -> bool:
        """True unless a valid record (and the sheet's picture, if one is due) exists."""
        record = self.records.get(name)
        if record is None or record.key != self.keys[name]:
            return True
        if picture is not None and not picture.exists():
            return True
        return any(record.versions.get(symbol) != v for symbol, v in versions.items())


def run(grid: Grid, progress: Progress = lambda *_: None) -> list[Result]:
    """Compute every cell of a dataset that is not finished, and return them all.

    Args:
        grid: What to compute.
        progress: Told after each picture.

    Raises:
        OutputError: The results folder cannot be written to; finished pictures are kept.
    """
    chosen = grid.applicable()
    versions = {m.symbol: f"{m.version}/{grid.convention}" for m in chosen}
    cells, broken = _open_cells(grid)
    kept = grid.kept()
    due: dict[str, list[Cell]] = {}
    for item in grid.listing.items:
        if item.name in broken:
            continue
        waiting = []
        for cell in cells:
            picture = grid.picture(cell.predictor, item.name) if item.name in kept else None
            if cell.due(item.name, versions, picture):
                waiting.append(cell)
        progress(grid.name, item.name, len(cells) - len(waiting))
        if waiting:
            due[item.name] = waiting
    for name, records in _compute(grid, due, chosen, versions):
        for cell, record in zip(due[name], records, strict=True):
            store.append(cell.path, record)
            cell.records[name] = record
        progress(grid.name, name, len(records))
    return [_close(grid, cell, chosen, broken) for cell in cells]


def _open_cells(grid: Grid) -> tuple[list[Cell], dict[str, str]]:
    """The cells with what is on disk, and the scenes that cannot be read with the reason."""
    prints: dict[str, str] = {}
    broken: dict[str, str] = {}
    for item in grid.listing.items:
        try:
            prints[item.name] = item.fingerprint()
        except FusionZooError as error:
            broken[item.name] = str(error)
    cells = []
    for predictor in grid.predictors:
        keys = {name: hash_of(predictor.key, mark) for name, mark in prints.items()}
        path = grid.cell(predictor)
        cells.append(Cell(predictor, path, keys, store.known_records(path)))
    return cells, broken


def _compute(
    grid: Grid,
    due: Mapping[str, Sequence[Cell]],
    chosen: Sequence[Metric],
    versions: Mapping[str, str],
) -> Iterator[tuple[str, list[Record]]]:
    """Records of every due picture, in order; metrics of one run beside the network of the next."""
    items = [item for item in grid.listing.items if item.name in due]
    waiting: deque[tuple[str, Future[list[Record]]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="metrics") as pool:
        for item, sample in scenes.samples(items):
            outputs = [_output(grid, cell, item, sample) for cell in due[item.name]]
            job = pool.submit(
                _records, sample, outputs, due[item.name], item, chosen, versions, grid.convention
            )
            waiting.append((item.name, job))
            if len(waiting) > 2:
                name, done = waiting.popleft()
                yield name, done.result()
        while waiting:
            name, done = waiting.popleft()
            yield name, done.result()


def _output(
    grid: Grid, cell: Cell, item: Item, sample: Sample | FusionZooError
) -> tuple[Levels | None, float, str]:
    """8-bit output of one method, its seconds, and the error that replaced it."""
    if isinstance(sample, FusionZooError):
        return None, 0.0, str(sample)
    try:
        output, seconds = cell.predictor.fuse(sample)
    except FusionZooError as error:
        return None, 0.0, str(error)
    levels = image.to_levels(output)
    if item.name in grid.kept():
        image.write(grid.picture(cell.predictor, item.name), levels)
    return levels, seconds, ""


def _records(
    sample: Sample | FusionZooError,
    outputs: Sequence[tuple[Levels | None, float, str]],
    cells: Sequence[Cell],
    item: Item,
    chosen: Sequence[Metric],
    versions: Mapping[str, str],
    convention: str,
) -> list[Record]:
    references = {} if isinstance(sample, FusionZooError) else scenes.reference_planes(sample)
    records = []
    for (levels, seconds, error), cell in zip(outputs, cells, strict=True):
        observations: Mapping[str, Observation] = {}
        if levels is not None:
            try:
                output = metrics.Plane(levels)
                observations = metrics.observe(chosen, output, convention, **references)
            except FusionZooError as failure:
                error = str(failure)
        key = cell.keys[item.name]
        records.append(Record(item.name, key, observations, dict(versions), seconds, error))
    return records


def _close(grid: Grid, cell: Cell, chosen: Sequence[Metric], broken: Mapping[str, str]) -> Result:
    """Sum up a cell whose pictures are all done, and write it."""
    records = [cell.records[n.name] for n in grid.listing.items if n.name in cell.records]
    lost = [Record(name, "", error=reason) for name, reason in broken.items()]
    records = sorted([*(r for r in records if r.image not in broken), *lost], key=lambda r: r.image)
    scores, counted = store.summarize(chosen, [r for r in records if not r.error])
    result = Result(
        method=cell.predictor.name,
        weights=cell.predictor.tag,
        dataset=grid.name,
        split=grid.listing.split,
        convention=grid.convention,
        scores=scores,
        counted=counted,
        records=records,
        provenance=_provenance(grid, cell.predictor),
        directions={metric.symbol: metric.higher_is_better for metric in chosen},
    )
    store.write(cell.path, result)
    return result


def _provenance(grid: Grid, predictor: Predictor) -> dict[str, Any]:
    loaded = [part.weights for part in predictor.parts if part.weights]
    names = [item.name for item in grid.listing.items]
    return {
        "fusionzoo": fusionzoo.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": str(predictor.device),
        "precision": predictor.precision,
        "task": predictor.method.pair,
        "stretched": predictor.stretches,
        "weights_sha256": "+".join(weights.sha256 for weights in loaded) or None,
        "weights_license": "+".join(weights.license for weights in loaded) or None,
        "trained_on": sorted({name for weights in loaded for name in weights.trained_on}),
        "stage_seconds": predictor.stage_seconds(),
        "pictures": len(names),
        "list_hash": store.list_hash(names),
        "problems": list(grid.listing.problems),
    }

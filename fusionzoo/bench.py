"""The grid: methods x datasets x metrics, one result file per cell, resumable at every picture.

Every finished picture is on disk at once; memory holds only what is being computed, however many
pictures a dataset has.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

import fusionzoo
from fusionzoo import image, metrics, store
from fusionzoo.core import FusionZooError, Metric, UnknownNameError
from fusionzoo.foreign import Foreign
from fusionzoo.measure import Outcome, measure
from fusionzoo.plan import SHEET_PICTURES, Corruption, Due, Grid, version_of
from fusionzoo.predictor import Predictor
from fusionzoo.records import Record
from fusionzoo.store import Result

__all__ = ["SHEET_PICTURES", "Corruption", "Grid", "Progress", "run"]

Progress = Callable[[str, str, int], object]
"""Called with dataset, picture and the number of cells it advanced."""
Compute = Callable[[Grid, Due], Iterator[Outcome]]
"""Measures every due picture once, in any order; the same numbers whoever does it."""
ENVIRONMENT = ("fusionzoo", "torch", "python", "device", "threads", "precision", "stage_seconds")
"""Provenance of a computation; it stays as it is when a finished cell is only looked at again."""

_log = logging.getLogger(__name__)


@dataclass
class Cell:
    """Progress of one (method, dataset).

    Attributes:
        predictor: The method.
        path: Its result file.
        keys: Picture to the key that its record must have.
        done: Pictures whose record on disk is valid.
        failed: Those of them that have no output.
        older: Records on disk that lack a metric.
        stages: Seconds of the stages of a chain, of the pictures measured now.
        environment: Provenance of the stored result, until a picture is measured.
    """

    predictor: Predictor
    path: Path
    keys: Mapping[str, str]
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    older: dict[str, Record] = field(default_factory=dict)
    stages: dict[str, list[float]] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)


def run(
    grid: Grid, progress: Progress = lambda *_: None, compute: Compute = measure
) -> list[Result]:
    """Compute every cell of a dataset that is not finished, and return them all.

    Args:
        grid: What to compute.
        progress: Told after each picture.
        compute: Who measures (see `fusionzoo.engines`); this process if not given.

    Raises:
        OutputError: The results folder cannot be written to; finished pictures are kept.
        FusionZooError: A worker has other data, weights or code.
    """
    grid.prints.clear()  # files may have changed since the last run of the same grid
    broken = _unreadable(grid)
    cells = [_opened(grid, predictor, broken) for predictor in grid.predictors]
    kept = grid.kept()
    due: dict[str, dict[int, str]] = {}
    for name in (item.name for item in grid.listing.items if item.name not in broken):
        waiting = {
            position: cell.keys[name]
            for position, cell in enumerate(cells)
            if _is_due(grid, cell, name, kept)
        }
        progress(grid.name, name, len(cells) - len(waiting))
        if waiting:
            due[name] = waiting
    if due:
        for outcome in compute(grid, due):
            _keep(grid, cells, outcome)
            progress(grid.name, outcome.image, len(outcome.records))
    return [_close(grid, cell, broken) for cell in cells]


def _unreadable(grid: Grid) -> dict[str, str]:
    """Scenes whose files cannot be read, with the reason; the others' fingerprints are known."""
    broken: dict[str, str] = {}
    for item in grid.listing.items:
        try:
            grid.fingerprint(item)
        except FusionZooError as error:
            broken[item.name] = str(error)
    return broken


def _opened(grid: Grid, predictor: Predictor, broken: Mapping[str, str]) -> Cell:
    """A cell with what of it is on disk; a result that cannot be read is set aside."""
    path = grid.cell(predictor)
    keys = {i.name: grid.key(predictor, i) for i in grid.listing.items if i.name not in broken}
    cell = Cell(predictor, path, keys)
    if path.exists():
        try:
            stored = store.read(path).provenance
            # What an older version did not note stays unknown: it was not this computation.
            cell.environment = {name: stored.get(name) for name in ENVIRONMENT}
        except FusionZooError as error:
            _log.warning("%s; set aside as %s", error, store.set_aside(path).name)
    versions = grid.versions()
    for record in store.known_records(path).values():
        if record.key != keys.get(record.image):
            continue
        if any(record.versions.get(symbol) != v for symbol, v in versions.items()):
            cell.older[record.image] = record
            continue
        cell.done.add(record.image)
        if record.error:
            cell.failed.add(record.image)
    return cell


def _is_due(grid: Grid, cell: Cell, name: str, kept: set[str]) -> bool:
    """True unless a valid record exists, and the picture too if it is to be kept."""
    if name not in cell.done:
        return True
    wanted = name in kept and name not in cell.failed
    return wanted and not grid.picture(cell.predictor, name).exists()


def _keep(grid: Grid, cells: Sequence[Cell], outcome: Outcome) -> None:
    """Write what was measured of one scene, pictures first: a record means that all is there."""
    for position, data in outcome.pictures.items():
        image.write_bytes(grid.picture(cells[position].predictor, outcome.image), data)
    for position, record in outcome.records.items():
        cell = cells[position]
        store.append(cell.path, _joined(record, cell.older.pop(record.image, None), grid))
        cell.done.add(record.image)
        cell.environment = {}
        for stage, seconds in outcome.stages.get(position, {}).items():
            cell.stages.setdefault(stage, []).append(seconds)


def _joined(record: Record, older: Record | None, grid: Grid) -> Record:
    """The record with what an older one of the same key knows of other metrics."""
    if older is None or older.error or record.error:
        return record
    valid = {s: o for s, o in older.observations.items() if _current(s, older, grid.convention)}
    versions = {symbol: older.versions[symbol] for symbol in valid}
    return replace(
        record,
        observations={**valid, **record.observations},
        versions={**versions, **record.versions},
    )


def _current(symbol: str, record: Record, convention: str) -> Metric | None:
    """The metric if the record's value is of its present version, else None."""
    try:
        metric = metrics.find(symbol)
    except UnknownNameError:
        return None
    same = record.versions.get(symbol) == version_of(metric, convention)
    return metric if same else None


def _close(grid: Grid, cell: Cell, broken: Mapping[str, str]) -> Result:
    """Sum up a cell whose pictures are all done, and write it."""
    known = store.known_records(cell.path)
    records = [known[item.name] for item in grid.listing.items if item.name in cell.done]
    lost = [Record(name, "", error=reason) for name, reason in broken.items()]
    records = sorted([*records, *lost], key=lambda record: record.image)
    chosen = _measured(grid, records)
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
        provenance=_provenance(grid, cell) | cell.environment,
        condition=grid.condition,
        directions={metric.symbol: metric.higher_is_better for metric in chosen},
    )
    store.write(cell.path, result)
    return result


def _measured(grid: Grid, records: Sequence[Record]) -> list[Metric]:
    """The metrics asked for, and those that an earlier run measured on every picture."""
    chosen = grid.applicable()
    good = [record for record in records if not record.error]
    shared = set.intersection(*(set(r.observations) for r in good)) if good else set()
    others = shared - {metric.symbol for metric in chosen}
    for symbol in (s for s in good[0].observations if s in others) if good else ():
        found = [_current(symbol, record, grid.convention) for record in good]
        if found[0] is not None and None not in found:
            chosen.append(found[0])
    return chosen


def _provenance(grid: Grid, cell: Cell) -> dict[str, Any]:
    predictor = cell.predictor
    loaded = [part.weights for part in predictor.parts if part.weights]
    names = [item.name for item in grid.listing.items]
    trained = sorted({name for weights in loaded for name in weights.trained_on})
    return {
        "fusionzoo": fusionzoo.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": grid.device or str(predictor.device),
        "threads": grid.threads or torch.get_num_threads(),
        "precision": predictor.precision,
        "task": predictor.method.pair,
        "stretched": predictor.stretches,
        "weights_sha256": "+".join(weights.sha256 for weights in loaded) or None,
        "weights_license": "+".join(weights.license for weights in loaded) or None,
        "trained_on": None if isinstance(predictor, Foreign) else trained,
        "stage_seconds": {stage: fmean(seconds) for stage, seconds in cell.stages.items()},
        "pictures": len(names),
        "list_hash": store.list_hash(names),
        "problems": list(grid.listing.problems),
    }

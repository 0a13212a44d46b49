"""Results folders put together and told apart, and results as a pandas frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusionzoo import analysis, datasets, store
from fusionzoo.core import FusionZooError, Observation, UnknownNameError
from fusionzoo.records import Record
from fusionzoo.store import Result

if TYPE_CHECKING:
    import pandas


def default_split(dataset: str, fallback: str = "") -> str:
    """The catalogue's default split of a dataset; `fallback` for one that is not in it."""
    try:
        return str(datasets.find(dataset).default_split)
    except UnknownNameError:
        return fallback


def place(out: Path, result: Result) -> Path:
    """Where a result belongs below a results folder.

    Raises:
        FusionZooError: Its names would lead out of the folder.
    """
    default = default_split(result.dataset, result.split)
    path = store.cell_path(out, result.dataset, result.split, default, result.label,
                           result.convention, result.condition)  # fmt: skip
    inside = path.resolve().is_relative_to(out.resolve())
    if not inside or len(path.relative_to(out).parts) != 2:
        raise FusionZooError(f"a result is named '{result.label}' on '{result.dataset}': such a "
                             "name cannot be a file's")  # fmt: skip
    return path


def merge(folders: Sequence[Path], out: Path) -> tuple[int, list[str]]:
    """Write the cells of several results folders to one; `out` itself takes part if it exists.

    The same cell in two folders is joined picture by picture and metric by metric.

    Returns:
        How many cells were written, and one line per file that could not be read.

    Raises:
        FusionZooError: Two folders disagree on a value, or a cell has two image lists.
    """
    known: dict[tuple[str, ...], Result] = {}
    problems: list[str] = []
    for folder in [*([out] if out.is_dir() and any(out.iterdir()) else []), *folders]:
        found, faults = store.find(folder)
        problems += faults
        for result in found:
            other = known.get(result.cell)
            known[result.cell] = joined(other, result) if other else result
    paths = {cell: place(out, result) for cell, result in known.items()}
    for cell, result in sorted(known.items()):
        store.write(paths[cell], result)
    return len(known), problems


def joined(first: Result, second: Result) -> Result:
    """Two results of one cell as one, which holds every picture and metric of both.

    Raises:
        FusionZooError: They differ in the image list, the key of a picture or a value.
    """
    where = f"{first.label} on {first.dataset}:{first.split}"
    if first.provenance.get("list_hash") != second.provenance.get("list_hash"):
        raise FusionZooError(f"{where}: the two results have different image lists; keep one")
    theirs = {record.image: record for record in second.records}
    records = [_joined(where, r, theirs.pop(r.image, r)) for r in first.records]
    records = sorted([*records, *theirs.values()], key=lambda record: record.image)
    scores, counted = {**second.scores, **first.scores}, {**second.counted, **first.counted}
    directions = {**second.directions, **first.directions}
    return replace(first, records=records, scores=scores, counted=counted, directions=directions)


def _joined(where: str, first: Record, second: Record) -> Record:
    if first.key != second.key:
        raise FusionZooError(
            f"{where}: picture {first.image} was made from other inputs, weights or code; keep one"
        )
    for symbol in sorted(set(first.observations) & set(second.observations)):
        if not _same(first.observations[symbol], second.observations[symbol]):
            raise FusionZooError(f"{where}: two values of {symbol} for {first.image}; keep one")
    return replace(
        first,
        observations={**second.observations, **first.observations},
        versions={**second.versions, **first.versions},
    )


def _same(first: Observation, second: Observation) -> bool:
    return (first.value, first.status) == (second.value, second.status)


def differences(first: Path, second: Path) -> list[str]:
    """One line per cell or score in which two results folders differ; times are not compared.

    Raises:
        FusionZooError: One of them is no results folder, or holds a file that is no result.
    """
    tables = []
    for folder in (first, second):
        found, problems = store.find(folder)
        if problems:
            raise FusionZooError(problems[0])
        tables.append({result.cell: result for result in found})
    lines = []
    for cell in sorted(set(tables[0]) | set(tables[1])):
        name = " ".join(part for part in cell if part)
        pair = [table.get(cell) for table in tables]
        if pair[0] is None or pair[1] is None:
            lines.append(f"{name}: only in {first if pair[0] else second}")
        else:
            lines += [f"{name}, {line}" for line in _differing(pair[0], pair[1])]
    return lines


def _differing(first: Result, second: Result) -> list[str]:
    lines = []
    if first.provenance.get("list_hash") != second.provenance.get("list_hash"):
        lines.append("another image list")
    for symbol in dict.fromkeys([*first.scores, *second.scores]):
        mine, theirs = first.values(symbol), second.values(symbol)
        shared = set(mine) & set(theirs)
        changed = sum(mine[name] != theirs[name] for name in shared)
        alone = len(set(mine) ^ set(theirs))
        if changed or alone or first.scores.get(symbol) != second.scores.get(symbol):
            scores = f"{first.scores.get(symbol)} and {second.scores.get(symbol)}"
            note = f", {alone} only in one" if alone else ""
            lines.append(f"{symbol}: {scores} ({changed} of {len(shared)} pictures differ{note})")
    return lines


def frame(folder: Path, per_image: bool = False) -> pandas.DataFrame:
    """Results as a pandas frame, one row per score, or per picture and score.

    Args:
        folder: Results folder.
        per_image: One row per picture instead of per cell.

    Raises:
        FusionZooError: No such folder, or a file in it that is no result.
    """
    import pandas

    found, problems = store.find(Path(folder))
    if problems:
        raise FusionZooError(problems[0])
    rows = [row for result in found for row in (_pictures if per_image else _scores)(result)]
    return pandas.DataFrame(rows)


def _head(result: Result) -> dict[str, Any]:
    names = ("dataset", "split", "condition", "convention", "method", "weights")
    return {name: getattr(result, name) for name in names}


def _scores(result: Result) -> list[dict[str, Any]]:
    rows = []
    for symbol, score in result.scores.items():
        low, high = analysis.interval(result, symbol) or (None, None)
        row = {"metric": symbol, "value": score, "low": low, "high": high,
               "counted": result.counted.get(symbol), "pictures": len(result.records),
               "trained_here": result.trained_here, "seconds": result.seconds,
               "list_hash": result.provenance.get("list_hash")}  # fmt: skip
        rows.append(_head(result) | row)
    return rows


def _pictures(result: Result) -> list[dict[str, Any]]:
    return [
        _head(result)
        | {"image": record.image, "metric": symbol, "value": one.value, "status": one.status}
        for record in result.records
        for symbol, one in record.observations.items()
    ]

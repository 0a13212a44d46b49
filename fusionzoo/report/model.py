"""What the HTML report knows, as plain data: places, cells, values, tests, provenance.

A place is one column of comparable results: one dataset, split, condition, metric convention and
image list. Cells of different places never stand in one table.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import fusionzoo
from fusionzoo import analysis, datasets, methods, metrics, robustness
from fusionzoo.core import FusionZooError, UnknownNameError
from fusionzoo.report import cost, pictures, significance
from fusionzoo.report.cost import Costs
from fusionzoo.robustness import Robustness
from fusionzoo.store import Result

TASKS = {
    "vif": "Infrared and visible fusion",
    "mef": "Multi-exposure fusion",
    "mff": "Multi-focus fusion",
    "medical": "Medical fusion",
    "restore": "Restoration",
    "segment": "Segmentation",
    "other": "Other results",
}


@dataclass(frozen=True)
class Place:
    """Results that may be compared: equal dataset, split, condition, convention and list."""

    dataset: str
    split: str
    condition: str
    convention: str
    list_hash: str
    cells: tuple[Result, ...]

    @property
    def task(self) -> str:
        """Key of `TASKS`, as its results say, or as its dataset is."""
        named = [str(cell.provenance.get("task") or "") for cell in self.cells]
        known = Counter(name for name in named if name in TASKS)
        if known:
            return known.most_common(1)[0][0]
        if all(set(cell.scores) <= {"mIoU"} for cell in self.cells):
            return "segment"
        try:
            return "restore" if datasets.find(self.dataset).target == "clean" else "other"
        except UnknownNameError:
            return "other"


def places(found: Iterable[Result]) -> list[Place]:
    """Results put into places, sorted."""
    groups: dict[tuple[str, str, str, str, str], list[Result]] = defaultdict(list)
    for result in found:
        mark = str(result.provenance.get("list_hash") or "")
        key = (result.dataset, result.split, result.condition, result.convention, mark)
        groups[key].append(result)
    return [Place(*key, tuple(cells)) for key, cells in sorted(groups.items())]


def document(
    folder: Path, found: Sequence[Result], problems: Sequence[str], album: pictures.Album
) -> dict[str, Any]:
    """Everything the page shows, ready for JSON.

    Args:
        folder: Results folder.
        found: Its cells.
        problems: Files of it that could not be read, one line each.
        album: Turns picture files into references.
    """
    directions = analysis.directions_of(found)
    known = places(found)
    prices, faults = cost.read(folder)
    curves, more = robustness.read_all(folder)
    return {
        "name": folder.resolve().name,
        "version": fusionzoo.__version__,
        "problems": [*problems, *faults, *more],
        "tasks": TASKS,
        "metrics": [_metric(symbol, higher) for symbol, higher in directions.items()],
        "conventions": _conventions(found, list(directions)),
        "places": [_place(folder, place, album, prices) for place in known],
        "tests": significance.everywhere(known, directions),
        "costs": [asdict(axis) for axis in prices.axes()],
        "robustness": {part: _damage(curves, part) for part in ("curves", "summaries")},
        "pictures_note": album.note(),
    }


def _damage(found: Sequence[Robustness], part: Literal["curves", "summaries"]) -> list[Any]:
    """Curves or summaries of every method, each with the method's name and convention."""
    return [
        {"label": one.label, "convention": one.convention, **asdict(row)}
        for one in found
        for row in (one.curves if part == "curves" else one.summaries)
    ]


def _metric(symbol: str, higher: bool) -> dict[str, Any]:
    entry = analysis.metric_of(symbol)
    return {
        "symbol": symbol,
        "higher": higher,
        "core": symbol in metrics.CORE or (entry is not None and entry.reference == "target"),
        "title": entry.title if entry else symbol,
        "unit": entry.unit if entry else "",
        "paper": entry.paper if entry else "",
    }


def _conventions(found: Sequence[Result], symbols: Sequence[str]) -> dict[str, Any]:
    known = {}
    for name in sorted({result.convention for result in found}):
        try:
            rule = metrics.find_convention(name)
        except FusionZooError:
            known[name] = {"title": name, "papers": "", "notes": {}}
            continue
        notes = {symbol: rule.definition(symbol).note for symbol in symbols}
        kept = {symbol: note for symbol, note in notes.items() if note}
        known[name] = {"title": rule.title, "papers": rule.papers, "notes": kept}
    return known


def _place(folder: Path, place: Place, album: pictures.Album, prices: Costs) -> dict[str, Any]:
    names = sorted({record.image for cell in place.cells for record in cell.records})
    found = pictures.sources(folder, place.cells)
    outputs = [pictures.outputs(folder, cell) for cell in place.cells]
    # Scene by scene, so that a limit on embedding leaves whole scenes.
    references: dict[Path, str] = {}
    for name in names:
        for shown in [*found.values(), *outputs]:
            if name in shown and (reference := album.refer(shown[name])) is not None:
                references[shown[name]] = reference

    def referred(shown: pictures.Pictures) -> dict[str, str]:
        return {
            str(index): references[shown[name]]
            for index, name in enumerate(names)
            if name in shown and shown[name] in references
        }

    cells = [
        _cell(cell, names, prices) | {"pictures": referred(shown)}
        for cell, shown in zip(place.cells, outputs, strict=True)
    ]
    return {
        "dataset": place.dataset,
        "split": place.split,
        "condition": place.condition,
        "convention": place.convention,
        "list": place.list_hash,
        "task": place.task,
        "images": names,
        "sources": {role: referred(shown) for role, shown in found.items()},
        "cells": cells,
    }


def _cell(result: Result, names: Sequence[str], prices: Costs) -> dict[str, Any]:
    values = {symbol: result.values(symbol) for symbol in result.scores}
    bounds = {symbol: analysis.interval(result, symbol) for symbol in result.scores}
    return {
        "method": result.method,
        "weights": result.weights,
        "label": result.label,
        "baseline": is_baseline(result.method),
        "trained": result.trained_here,
        "scores": {symbol: _short(score, 9) for symbol, score in result.scores.items()},
        "bounds": {symbol: _bound(bound) for symbol, bound in bounds.items()},
        "counted": dict(result.counted),
        "n": len(result.records) - len(result.failed),
        "failed": [[record.image, record.error] for record in result.failed],
        "values": {
            symbol: [_short(seen.get(name)) for name in names] for symbol, seen in values.items()
        },
        "cost": {name: _short(value) for name, value in prices.of(result).items()},
        "provenance": _finite(dict(result.provenance)),
    }


def is_baseline(name: str) -> bool:
    """True for copies of a source, means and the like, which need no paper."""
    try:
        return bool(methods.find(name).paper.startswith("Baseline"))
    except UnknownNameError:
        return False


def _bound(bound: tuple[float, float] | None) -> list[float | None] | None:
    return None if bound is None else [_short(end) for end in bound]


def _short(value: float | None, digits: int = 6) -> float | None:
    """Enough digits for a screen; the result files have them all."""
    return None if value is None else float(f"{value:.{digits}g}")


def _finite(value: Any) -> Any:
    """Plain data in which numbers that JSON does not have are texts."""
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value

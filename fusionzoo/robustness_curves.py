"""From damaged and clean cells to robustness curves; `fusionzoo.robustness` says what they mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fusionzoo import statistics, store
from fusionzoo.corruption import CORRUPTIONS, SEVERITIES, Corruption
from fusionzoo.plan import Grid
from fusionzoo.robustness import FOLDER, METRICS, Curve, Robustness, Summary
from fusionzoo.statistics import Array
from fusionzoo.store import Result

RESAMPLES = 1000


def damaged_grids(
    grid: Grid, names: Sequence[str] = tuple(CORRUPTIONS), severities: Sequence[int] = SEVERITIES
) -> Iterator[Grid]:
    """The grid once per corruption and severity; its results lie in the folder of this module."""
    for name in names:
        for severity in severities:
            damage = Corruption(name, severity)
            yield replace(grid, out=grid.out / FOLDER, corruption=damage, keep=0)


def loss_areas(values: Array, severities: Sequence[int], higher_is_better: bool) -> Array:
    """Relative loss areas of rows of mean scores (..., severities), the first being severity 0."""
    clean = values[..., :1]
    sign = 1 if higher_is_better else -1
    losses = sign * (clean - values) / np.abs(clean)
    steps = np.diff(severities)
    trapezoids = (losses[..., 1:] + losses[..., :-1]) / 2 * steps
    return np.asarray(trapezoids.sum(-1) / severities[-1], np.float64)


@dataclass(frozen=True)
class _Drawn:
    """A curve, and its area for every resample of the pictures."""

    curve: Curve
    areas: Array | None


def _curve(cells: Mapping[int, Result], corruption: str, metric: str) -> _Drawn:
    """From the results of one method at severities, 0 being the clean one."""
    first = cells[0]
    higher = first.directions.get(metric, True)
    severities = sorted(cells)
    columns = [cells[severity].values(metric) for severity in severities]
    shared = sorted(set.intersection(*(set(column) for column in columns)))
    matrix = np.array([[column[name] for column in columns] for name in shared], np.float64)
    scores = matrix.mean(0).tolist() if shared else []
    area, areas, low, high = None, None, None, None
    if shared and scores[0] > 0:
        area = float(loss_areas(np.array(scores), severities, higher))
    if area is not None and len(shared) > 1:
        positions = statistics.draws(len(shared), RESAMPLES)
        # Counts times values: gathering the pictures of every resample would take far more memory.
        counts = np.stack([np.bincount(row, minlength=len(shared)) for row in positions])
        areas = loss_areas(counts @ matrix / len(shared), severities, higher)
        low, high = statistics.percentiles(areas, len(shared))
    curve = Curve(first.dataset, first.split, corruption, metric, higher, severities, scores,
                  len(shared), area, low, high)  # fmt: skip
    return _Drawn(curve, areas)


def _summary(drawn: Sequence[_Drawn]) -> Summary:
    curves = [one.curve for one in drawn]
    known = [one.curve.loss_area for one in drawn if one.curve.loss_area is not None]
    resampled = [one.areas for one in drawn if one.areas is not None]
    sizes = {one.curve.pictures for one in drawn if one.areas is not None}
    low, high = None, None
    # Resamples of different sets of pictures do not belong together.
    if len(resampled) == len(known) and len(sizes) == 1:
        low, high = statistics.percentiles(np.mean(resampled, 0), sizes.pop())
    first = curves[0]
    return Summary(
        dataset=first.dataset,
        split=first.split,
        pictures=max(curve.pictures for curve in curves),
        loss_area=float(np.mean(known)) if known else None,
        low=low,
        high=high,
        severities=first.severities,
        corruptions=list(dict.fromkeys(curve.corruption for curve in curves)),
        metrics=list(dict.fromkeys(curve.metric for curve in curves)),
        undefined=len(curves) - len(known),
    )


def collect(out: Path) -> tuple[list[Robustness], list[str]]:
    """Every method's curves from the cells of a results folder, and what was not used, and why.

    Corruptions of a method on a dataset enter if they have as many severities as the others.

    Raises:
        FusionZooError: No clean results, or no damaged ones.
    """
    clean, problems = store.find(out)
    damaged, faults = store.find(out / FOLDER)
    problems += faults
    bases = {_place(result): result for result in clean if not result.condition}
    groups: dict[tuple[str, ...], dict[str, dict[int, Result]]] = {}
    for result in damaged:
        base = bases.get(_place(result))
        name, _, severity = result.condition.rpartition("-")
        if base is None or _print(base) != _print(result) or name not in CORRUPTIONS:
            reason = "no clean result of the same weights and pictures, or an unknown corruption"
            problems.append(f"{_title(result)} ({result.condition}): {reason}")
            continue
        group = groups.setdefault(_place(result), {})
        group.setdefault(name, {0: base})[int(severity)] = result
    methods: dict[tuple[str, str], list[tuple[Result, list[_Drawn]]]] = defaultdict(list)
    for place, group in sorted(groups.items()):
        base = bases[place]
        widest = max((tuple(sorted(cells)) for cells in group.values()), key=len)
        whole = {name: cells for name, cells in group.items() if tuple(sorted(cells)) == widest}
        problems += [
            f"{_title(base)}: {name} lacks severities that others have"
            for name in sorted(set(group) - set(whole))
        ]
        methods[base.label, base.convention].append((base, _all_drawn(whole)))
    return [_joined(parts) for _, parts in sorted(methods.items())], problems


def _title(result: Result) -> str:
    return f"{result.label} on {result.dataset}:{result.split}"


def _place(result: Result) -> tuple[str, ...]:
    return result.label, result.convention, result.dataset, result.split


def _print(result: Result) -> tuple[object, object]:
    return result.provenance.get("weights_sha256"), result.provenance.get("list_hash")


def _all_drawn(group: Mapping[str, Mapping[int, Result]]) -> list[_Drawn]:
    """Curves by corruption and metric, of the metrics that every cell has."""
    results = [result for cells in group.values() for result in cells.values()]
    symbols = [s for s in results[0].scores if all(s in result.scores for result in results)]
    compared = [symbol for symbol in METRICS if symbol in symbols] or symbols
    names = sorted(group, key=list(CORRUPTIONS).index)
    return [_curve(group[name], name, symbol) for name in names for symbol in compared]


def _joined(parts: Sequence[tuple[Result, list[_Drawn]]]) -> Robustness:
    base = parts[0][0]
    return Robustness(
        method=base.method,
        weights=base.weights,
        convention=base.convention,
        weights_sha256=base.provenance.get("weights_sha256"),
        summaries=[_summary(drawn) for _, drawn in parts],
        curves=[one.curve for _, drawn in parts for one in drawn],
    )

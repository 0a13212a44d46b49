"""Statistics of results: intervals per cell, ranks over metrics and datasets, tests per metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fusionzoo import metrics, statistics
from fusionzoo.core import FusionZooError, Metric, UnknownNameError
from fusionzoo.statistics import Array, Friedman, Pair
from fusionzoo.store import Result


def metric_of(symbol: str) -> Metric | None:
    """The catalogue's metric, or None if a plug-in that measured it is not installed."""
    try:
        return metrics.find(symbol)
    except UnknownNameError:
        return None


def interval(result: Result, symbol: str) -> tuple[float, float] | None:
    """Bootstrap interval of a cell's score, pictures resampled.

    Scores that are not means (mIoU, of summed tables) are summed up anew for every resample.
    """
    metric = metric_of(symbol)
    records = [r for r in result.records if not r.error and symbol in r.observations]
    usable = [o for r in records if (o := r.observations[symbol]).status == "ok"]
    if len(usable) < 2 or result.scores.get(symbol) is None:
        return None
    if metric is None or usable[0].table is None:
        return statistics.bootstrap_interval([o.value for o in usable if o.value is not None])
    draws = statistics.draws(len(usable), resamples=200)
    scores = [metric.summarize([usable[i] for i in draw]) for draw in draws]
    known = [score for score in scores if score is not None]
    return statistics.percentiles(np.array(known), len(usable))


@dataclass(frozen=True)
class Comparison:
    """Methods compared by one metric on the pictures that all of them have.

    Attributes:
        symbol: The metric.
        methods: Labels, sorted by average rank.
        average_ranks: 1 = best, in the same order.
        blocks: Pictures.
        difference: Nemenyi's critical difference at 5 %.
        cliques: Runs of methods that do not differ, as positions (first, last).
        friedman: The test that all rank alike; None for fewer than three methods.
        pairs: Wilcoxon tests; positions are those of `methods`.
    """

    symbol: str
    methods: tuple[str, ...]
    average_ranks: tuple[float, ...]
    blocks: int
    difference: float
    cliques: tuple[tuple[int, int], ...]
    friedman: Friedman | None
    pairs: tuple[Pair, ...]


def compare(found: Sequence[Result], symbol: str, higher_is_better: bool) -> Comparison | None:
    """Rank methods by one metric, every picture of every dataset being a block.

    Methods that lack a dataset the others have are left out; None for fewer than two methods.
    """
    labels, scores = paired_values(found, symbol)
    if len(labels) < 2 or len(scores) < 2:
        return None
    ranked = statistics.ranks(scores, higher_is_better)
    average = ranked.mean(0)
    order = np.argsort(average, kind="stable")
    difference = statistics.critical_difference(len(labels), len(scores))
    return Comparison(
        symbol=symbol,
        methods=tuple(labels[i] for i in order),
        average_ranks=tuple(float(average[i]) for i in order),
        blocks=len(scores),
        difference=difference,
        cliques=tuple(statistics.cliques([float(a) for a in average], difference)),
        friedman=statistics.friedman(ranked),
        pairs=tuple(statistics.pairwise(scores[:, order])),
    )


def paired_values(found: Sequence[Result], symbol: str) -> tuple[list[str], Array]:
    """Labels, and values (pictures, methods) of the pictures that all these methods have.

    Methods with the most datasets stay; mIoU and other sums have values per picture as well.
    """
    places: dict[str, dict[tuple[str, str], Mapping[str, float]]] = defaultdict(dict)
    for result in found:
        if values := result.values(symbol):
            places[result.label][result.dataset, result.split] = values
    most = max((len(cells) for cells in places.values()), default=0)
    labels = sorted(label for label, cells in places.items() if len(cells) == most)
    if not labels:
        return [], np.empty((0, 0))
    rows = []
    for place in sorted(set.intersection(*(set(places[label]) for label in labels))):
        shared = set.intersection(*(set(places[label][place]) for label in labels))
        rows += [[places[label][place][name] for label in labels] for name in sorted(shared)]
    return labels, np.array(rows, np.float64).reshape(-1, len(labels))


def average_ranks(
    found: Sequence[Result], directions: Mapping[str, bool]
) -> dict[str, dict[str, float]]:
    """Dataset (as "name:split") and label to the mean rank over metrics, 1 = best.

    "" stands for the mean over datasets; it holds only methods that all datasets have.
    """
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in found:
        groups[f"{result.dataset}:{result.split}"].append(result)
    ranked = {place: _mean_ranks(cells, directions) for place, cells in sorted(groups.items())}
    tables = [table for table in ranked.values() if table]
    everywhere = set.intersection(*(set(table) for table in tables)) if tables else set()
    overall = {
        label: float(np.mean([table[label] for table in tables])) for label in sorted(everywhere)
    }
    return {"": overall, **ranked}


def _mean_ranks(cells: Sequence[Result], directions: Mapping[str, bool]) -> dict[str, float]:
    labels = [cell.label for cell in cells]
    columns = []
    for symbol, higher in directions.items():
        scores = [cell.scores.get(symbol) for cell in cells]
        known = [score for score in scores if score is not None]
        if len(known) == len(scores):
            columns.append(statistics.ranks(np.array([known], np.float64), higher)[0])
    if not columns or len(labels) < 2:
        return {}
    return dict(zip(labels, np.mean(columns, 0).tolist(), strict=True))


def directions_of(found: Sequence[Result]) -> dict[str, bool]:
    """Metric to direction, in the order of tables, for every metric that a result holds."""
    known: dict[str, bool] = {}
    for result in found:
        for symbol in result.scores:
            metric = metric_of(symbol)
            known[symbol] = (
                metric.higher_is_better if metric else result.directions.get(symbol, True)
            )
    core = [symbol for symbol in metrics.CORE if symbol in known]
    return {symbol: known[symbol] for symbol in [*core, *(s for s in known if s not in core)]}


def check_comparable(found: Sequence[Result]) -> None:
    """Refuse results that must not stand in one table.

    Raises:
        FusionZooError: Several metric conventions, or one split with two image lists.
    """
    conventions = sorted({result.convention for result in found})
    if len(conventions) > 1:
        raise FusionZooError(
            f"results of {len(conventions)} metric conventions ({', '.join(conventions)}) do not "
            "fit into one table: choose one with --convention"
        )
    lists: dict[tuple[str, str], tuple[str, str]] = {}
    for result in found:
        place = (result.dataset, result.split)
        mark = str(result.provenance.get("list_hash", ""))
        other, label = lists.setdefault(place, (mark, result.label))
        if other != mark:
            raise FusionZooError(
                f"{label} and {result.label} were measured on different pictures of "
                f"{result.dataset}:{result.split} (list hashes {other} and {mark}): measure one "
                "of them again"
            )

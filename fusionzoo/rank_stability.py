"""How much a ranking depends on which definition of a metric is used.

The same cells measured by two metric conventions give two rankings of the same methods on the same
pictures. Per metric and pair of conventions this module says how alike they are: Kendall's tau-b,
the share of datasets on which another method wins, how far a method moves at most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from fusionzoo import statistics
from fusionzoo.core import FusionZooError
from fusionzoo.statistics import Stability
from fusionzoo.store import Result
from fusionzoo.tables import Column, Row, Table

LEAST_METHODS = 3
BASE = "standard"


@dataclass(frozen=True)
class Agreement:
    """One metric under two conventions.

    Attributes:
        metric: Symbol.
        conventions: The two.
        datasets: "name:split" to the comparison of the two rankings there.
        methods: How many methods were ranked, the fewest of all datasets.
    """

    metric: str
    conventions: tuple[str, str]
    datasets: dict[str, Stability]
    methods: int

    @property
    def mean_tau(self) -> float:
        """Over datasets."""
        return sum(one.tau for one in self.datasets.values()) / len(self.datasets)

    @property
    def winner_changes(self) -> float:
        """Share of datasets on which the two conventions name different best methods."""
        changed = sum(one.winners[0] != one.winners[1] for one in self.datasets.values())
        return changed / len(self.datasets)


def agreements(found: Iterable[Result], base: str | None = BASE) -> list[Agreement]:
    """Every metric under every two conventions, the least stable first.

    Methods count that were measured by both with the same weights on the same pictures; fewer than
    three are no ranking, and where all scores are equal there is none either.

    Args:
        found: Cells; damaged ones are not used.
        base: Convention that every pair must contain; None: all pairs.

    Raises:
        FusionZooError: Nothing could be compared.
    """
    groups: dict[tuple[str, str], dict[str, Result]] = defaultdict(dict)
    for result in found:
        if not result.condition:
            place = f"{result.dataset}:{result.split}"
            groups[place, result.convention][_identity(result)] = result
    places = sorted({place for place, _ in groups})
    conventions = sorted({name for _, name in groups}, key=lambda name: (name != BASE, name))
    rows = []
    for pair in combinations(conventions, 2):
        if base is not None and base not in pair:
            continue
        compared = [(place, groups[place, pair[0]], groups[place, pair[1]])
                    for place in places]  # fmt: skip
        rows += list(_compared(pair, compared))
    if not rows:
        raise FusionZooError(
            f"no {LEAST_METHODS} methods were measured by two conventions on the same pictures: "
            "run `fusionzoo bench` again with --convention NAME and the same --out"
        )
    return sorted(rows, key=lambda row: (row.mean_tau, row.metric, row.conventions))


def _identity(result: Result) -> str:
    facts = (result.provenance.get(name) for name in ("weights_sha256", "list_hash"))
    return "\0".join([result.label, *map(str, facts)])


def _compared(
    pair: tuple[str, str], cells: Sequence[tuple[str, dict[str, Result], dict[str, Result]]]
) -> Iterator[Agreement]:
    symbols = dict.fromkeys(s for _, first, _ in cells for r in first.values() for s in r.scores)
    for symbol in symbols:
        datasets, sizes = {}, []
        for place, first, second in cells:
            shared = sorted(set(first) & set(second))
            names = [name for name in shared if _scored(first[name], second[name], symbol)]
            if len(names) < LEAST_METHODS:
                continue
            columns = [_scores(first, names, symbol), _scores(second, names, symbol)]
            if any(len(set(column.values())) == 1 for column in columns):
                continue
            ours, theirs = (side[names[0]].directions.get(symbol, True) for side in (first, second))
            found = statistics.stability(columns[0], columns[1], (ours, theirs))
            datasets[place] = found
            sizes.append(len(names))
        if datasets:
            yield Agreement(symbol, pair, datasets, min(sizes))


def _scores(cells: dict[str, Result], names: Sequence[str], symbol: str) -> dict[str, float]:
    return {cells[name].label: float(cells[name].scores[symbol] or 0.0) for name in names}


def _scored(first: Result, second: Result, symbol: str) -> bool:
    return first.scores.get(symbol) is not None and second.scores.get(symbol) is not None


def table(rows: Sequence[Agreement]) -> Table:
    """One row per metric and pair of conventions; means and extremes over datasets."""
    lines = []
    for row in rows:
        found = row.datasets.values()
        swapped = sum(one.swapped for one in found) / sum(one.pairs for one in found)
        values = (
            row.mean_tau,
            min(one.tau for one in found),
            100 * row.winner_changes,
            100 * swapped,
            float(max(one.largest_move for one in found)),
            float(row.methods),
            float(len(row.datasets)),
        )
        lines.append(Row((row.metric, *row.conventions), values))
    columns = (
        Column("tau", digits=3),
        Column("least tau", digits=3),
        Column("other winner, %"),
        Column("pairs swapped, %", digits=1),
        Column("largest move"),
        Column("methods"),
        Column("datasets"),
    )
    caption = (
        "Rankings of the same methods on the same pictures by two definitions: Kendall's tau-b "
        "(mean and least over datasets), share of datasets with another winner, share of pairs of "
        "methods in opposite order, ranks that a method moves at most."
    )
    return Table(("metric", "convention", "and"), columns, tuple(lines), caption)

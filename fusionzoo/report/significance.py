"""Tests of every metric, for each place and for all datasets of a task together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fusionzoo import analysis
from fusionzoo.analysis import Comparison
from fusionzoo.store import Result

if TYPE_CHECKING:
    from fusionzoo.report.model import Place


def everywhere(known: Sequence[Place], directions: Mapping[str, bool]) -> dict[str, Any]:
    """Key of a place or of a task, then metric, to the test as plain data.

    Keys are positions of places as text, and "task/convention" for the undisturbed datasets of a
    task; what a method lacks is left out of the test and named.
    """
    groups = groups_of(known)
    found: dict[str, Any] = {}
    for key, cells in groups.items():
        tests = {}
        for symbol, higher in directions.items():
            measured = [cell for cell in cells if cell.scores.get(symbol) is not None]
            if test := analysis.compare(measured, symbol, higher):
                tests[symbol] = plain(test, cells)
        if tests:
            found[key] = tests
    return found


def groups_of(known: Sequence[Place]) -> dict[str, list[Result]]:
    """Cells that one test may see, by key; one image list of each dataset."""
    groups: dict[str, list[Result]] = {str(i): list(p.cells) for i, p in enumerate(known)}
    joint: dict[str, list[Place]] = defaultdict(list)
    for place in known:
        if not place.condition:
            joint[f"{place.task}/{place.convention}"].append(place)
    for key, members in joint.items():
        distinct = {(place.dataset, place.split) for place in members}
        if len(members) > 1 and len(distinct) == len(members):
            groups[key] = [cell for place in members for cell in place.cells]
    return groups


def plain(test: Comparison, cells: Sequence[Result]) -> dict[str, Any]:
    """A test as data; methods it had to leave out are named."""
    missing = sorted({cell.label for cell in cells} - set(test.methods))
    friedman = test.friedman
    return {
        "methods": list(test.methods),
        "ranks": [round(rank, 4) for rank in test.average_ranks],
        "blocks": test.blocks,
        "difference": round(test.difference, 4),
        "cliques": [list(clique) for clique in test.cliques],
        "friedman": None
        if friedman is None
        else {
            "chi_square": _digits(friedman.chi_square),
            "p_value": _digits(friedman.p_value),
            "f_p_value": _digits(friedman.f_p_value),
        },
        "pairs": [
            [p.first, p.second, _digits(p.difference), _digits(p.wins), _digits(p.holm)]
            for p in test.pairs
        ],
        "missing": missing,
    }


def _digits(value: float) -> float:
    return float(f"{value:.4g}")

"""The comparison table: methods by metrics, grouped by dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusionzoo import analysis
from fusionzoo.core import Metric
from fusionzoo.metrics import find_convention
from fusionzoo.store import Result
from fusionzoo.tables import PARTIAL, Column, Row, Table

MARK = "‡"
UNKNOWN = "§"
"""Behind methods whose pictures came from files, so that nobody knows what they have seen."""


def comparison(
    found: Sequence[Result],
    metrics: Sequence[Metric],
    defaults: Mapping[str, str],
    intervals: bool = False,
) -> Table:
    """Methods by metrics, grouped by dataset.

    Args:
        found: Cells; all of one metric convention.
        metrics: Columns, in order; those of a clean picture that no dataset has are left out.
        defaults: Dataset to default split; another split is written behind the name.
        intervals: Bootstrap intervals beside the values.

    Raises:
        FusionZooError: The cells were measured by different conventions or on different lists.
    """
    analysis.check_comparable(found)
    conventions = sorted({result.convention for result in found})
    measured = {symbol for result in found for symbol in result.scores}
    metrics = [m for m in metrics if m.reference != "target" or m.symbol in measured]
    rows = []
    for result in found:
        default = defaults.get(result.dataset)
        where = result.dataset if result.split == default else f"{result.dataset}:{result.split}"
        where += f" ({result.condition})" if result.condition else ""
        mark = MARK if result.trained_here else UNKNOWN if result.trained_on_unknown else ""
        values = tuple(result.scores.get(metric.symbol) for metric in metrics)
        pictures = len(result.records) - len(result.failed)
        lost = frozenset(
            position
            for position, metric in enumerate(metrics)
            if result.counted.get(metric.symbol, pictures) < pictures
        )
        keys = (f"{result.method}{mark}", result.weights, where)
        bounds = tuple(analysis.interval(result, m.symbol) for m in metrics) if intervals else ()
        rows.append(Row(keys, (*values, float(pictures)), where, lost, bounds))
    columns = [Column(metric.symbol, metric.higher_is_better) for metric in metrics]
    caption = f"Means over n pictures of {_splits(found)}. {rule_of(conventions, metrics)}"
    if intervals:
        rule = "studentised bootstrap; Student's t below six"
        caption += f" ± half the 95 % interval over pictures ({rule})."
    if any(row.partial for row in rows):
        caption += f" {PARTIAL} without the pictures for which it is undefined."
    if any(result.trained_here for result in found):
        caption += f" {MARK} trained on pictures of this dataset, or of one with scenes of it."
    if any(result.trained_on_unknown for result in found):
        caption += f" {UNKNOWN} pictures of another program; what it was trained on is not known."
    if _uneven(rows):
        caption += " Where n differs within a dataset, means are over different pictures."
    keys = ("method", "weights", "dataset")
    return Table(keys, (*columns, Column("n")), tuple(rows), caption, ", ".join(conventions))


def _splits(found: Sequence[Result]) -> str:
    """Datasets with split and number of pictures, in the order of the rows."""
    counts: dict[str, tuple[int, int]] = {}
    for result in found:
        where = f"{result.dataset}:{result.split}"
        made, listed = counts.get(where, (0, 0))
        here = len(result.records)
        counts[where] = max(made, here - len(result.failed)), max(listed, here)
    return ", ".join(
        f"{where} (n = {made})" if made == listed else f"{where} (n = {made} of {listed})"
        for where, (made, listed) in counts.items()
    )


def _uneven(rows: Sequence[Row]) -> bool:
    """Whether some dataset's rows count different numbers of pictures."""
    counts = {(row.group, row.values[-1]) for row in rows}
    return len(counts) > len({row.group for row in rows})


def rule_of(conventions: Sequence[str], chosen: Sequence[Metric]) -> str:
    """The convention, and what a reader must know of its columns."""
    text = f"Metric convention: {', '.join(conventions)}."
    for name in conventions:
        rule = find_convention(name)
        notes = {metric.symbol: rule.definition(metric.symbol).note for metric in chosen}
        text += "".join(f" {symbol}: {note}." for symbol, note in notes.items() if note)
    return text

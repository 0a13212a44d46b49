"""Published tables as the audit reads them, and its report as a table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fusionzoo import metrics
from fusionzoo.audit import Columns, Report, known
from fusionzoo.audit_rules import SYMBOLS
from fusionzoo.core import DataError, UnknownNameError
from fusionzoo.tables import Column, Row, Table

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Published:
    """Columns by metric symbol, and the text in front of each row."""

    columns: Columns
    labels: Sequence[str] = ()


def read(path: Path) -> Published:
    """A CSV table with metrics as headings, or as the first cell of each row.

    Marks such as ** or arrows are ignored; columns that name no metric are left out.

    Raises:
        DataError: The file is missing, not text, or names no metric.
    """
    try:
        text = path.read_text("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text)) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: expected a CSV table ({error})") from None
    width = max(map(len, rows), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    if not any(symbol_of(cell) for cell in (rows[0] if rows else [])):
        rows = [list(column) for column in zip(*rows, strict=True)]
    found = _published(rows)
    if not found.columns:
        raise DataError(f"{path} names no metric with numbers: expected headings such as EN, SD")
    return found


def _published(rows: list[list[str]]) -> Published:
    head = rows[0] if rows else []
    places = {symbol: i for i, cell in enumerate(head) if (symbol := symbol_of(cell))}
    columns = {symbol: [_number(row[i]) for row in rows[1:]] for symbol, i in places.items()}
    labels = [str(i + 1) if 0 in places.values() else row[0] for i, row in enumerate(rows[1:])]
    return Published({s: values for s, values in columns.items() if known(columns, s)}, labels)


def parse(texts: Sequence[str]) -> Published:
    """Values as they are typed: SD=9.8,8.9 or PSNR=62.8.

    Raises:
        DataError: A text of another form.
        UnknownNameError: A name that is no metric's.
    """
    columns: dict[str, list[float | None]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        numbers = [_number(value) for value in values.split(",")]
        if not sign or None in numbers:
            raise DataError(f"cannot read '{text}': give a CSV file, or values such as SD=9.8,8.9")
        symbol = symbol_of(name)
        if symbol is None:
            raise UnknownNameError(f"'{name}' names no metric: see `fusionzoo list metrics`")
        columns[symbol] = numbers
    return Published(columns)


def symbol_of(heading: str) -> str | None:
    """The metric that a heading names, whatever its capitals, arrows and signs; None if none."""
    plain = "".join(c for c in heading.lower() if c.isascii() and c.isalnum())
    if plain in SYMBOLS:
        return SYMBOLS[plain]
    for entry in map(metrics.find, metrics.names()):
        known = (entry.symbol, *entry.aliases)
        if plain in ("".join(filter(str.isalnum, name.lower())) for name in known):
            return entry.symbol
    return None


def _number(text: str) -> float | None:
    found = _NUMBER.search(text)
    return float(found.group()) if found else None


def findings(report: Report, columns: Columns) -> Table:
    """One row per rule that holds; columns without any are named too."""
    rows: list[tuple[str, ...]] = [
        (f.column, _ends(columns, f.column), f.verdict, f.strength, ", ".join(f.points_to), f.rule)
        for f in report.findings
    ]
    spoken = {finding.column for finding in report.findings}
    rows += [(s, _ends(columns, s), "no rule", "", "", "") for s in columns if s not in spoken]
    heads = ("column", "values", "verdict", "confidence", "conventions", "rule")
    return Table(heads, (), tuple(Row(row, ()) for row in rows), conclusion(report))


def _ends(columns: Columns, symbol: str) -> str:
    low, high = min(known(columns, symbol)), max(known(columns, symbol))
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def conclusion(report: Report) -> str:
    """The verdict on the whole table, in one sentence."""
    if not report.conventions:
        return "No rule points to a convention."
    columns = ", ".join(report.support)
    if report.confidence == "possible":
        names = " or ".join(report.conventions)
        return f"Possible: {names}, for {columns} alone speaks; two columns must agree."
    if len(report.conventions) == 1:
        return f"Likely: {report.conventions[0]}, on which {columns} agree."
    return f"Likely one of {', '.join(report.conventions)}, on which {columns} agree."


def converted(report: Report, published: Published) -> Table | None:
    """The columns that can be brought to the standard convention; None if none can."""
    if not report.converted:
        return None
    columns = [Column(s, metrics.find(s).higher_is_better) for s in report.converted]
    count = max(map(len, report.converted.values()))
    labels = published.labels or [str(i + 1) for i in range(count)]
    padded = [[*values, *[None] * (count - len(values))] for values in report.converted.values()]
    cells = zip(*padded, strict=True)
    rows = tuple(Row((label,), values) for label, values in zip(labels, cells, strict=True))
    caption = f"Converted to the standard convention: {', '.join(report.converted)}."
    return Table(("row",), tuple(columns), rows, caption, "standard")

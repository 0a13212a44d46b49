"""Which metric convention made a published table? Rules on ranges, and how sure they are.

The ranges are those of 525 fused pictures of VIFB, of the published TNO table of 2022 and of SAGE's
published pairs (see metrics/README.md). One rule alone is a hint; a convention is called likely
when two agree, or when one leaves no other possibility.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal

from fusionzoo.audit_rules import RULES, SYMBOLS
from fusionzoo.core import FusionZooError

Strength = Literal["certain", "strong", "weak"]
_OFFSET = 20 * math.log10(255)
_CONSISTENT = 0.02
"""Decibel by which PSNR may miss the value that MSE or RMSE gives: rounding of printed digits."""


@dataclass(frozen=True)
class Finding:
    """What one rule says of one column.

    Attributes:
        column: Symbol.
        verdict: In words.
        points_to: Conventions that print such values; empty if none in particular.
        strength: What the rule alone justifies.
        rule: Why, with the range.
        factor: Multiply the column by this to get the standard, if that is possible.
        offset: Then add this.
    """

    column: str
    verdict: str
    points_to: tuple[str, ...]
    strength: Strength
    rule: str
    factor: float | None = None
    offset: float = 0.0


@dataclass(frozen=True)
class Report:
    """Findings, and the convention that they agree on."""

    findings: tuple[Finding, ...]
    convention: str | None
    confidence: Literal["likely", "possible", "none"]
    support: tuple[str, ...] = ()


def read_columns(path: Path) -> dict[str, list[float]]:
    """Numeric columns of a CSV table by metric symbol; other columns are left out.

    Raises:
        FusionZooError: The file is missing, empty, or has no column that names a metric.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FusionZooError(f"cannot read {path}: expected a CSV table ({error})") from None
    columns: dict[str, list[float]] = {}
    for heading in rows[0] if rows else ():
        symbol = SYMBOLS.get(_plain(heading or ""))
        values = [v for row in rows if (v := _number(row.get(heading))) is not None]
        if symbol and values:
            columns[symbol] = values
    if not columns:
        raise FusionZooError(
            f"{path} has no column that names a metric: expected headings such as EN, SD, PSNR"
        )
    return columns


def _plain(heading: str) -> str:
    return "".join(c for c in heading.lower() if c.isalnum())


def _number(text: str | None) -> float | None:
    try:
        value = float((text or "").strip(" *_"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def audit(columns: Mapping[str, Sequence[float]]) -> Report:
    """Apply every rule to a table's columns.

    Args:
        columns: Metric symbol to its values, per method or per picture.
    """
    findings = [
        Finding(symbol, r.verdict, r.points_to, r.strength, r.text, r.factor, r.offset)
        for symbol, values in columns.items()
        for r in RULES.get(symbol, ())
        if all(r.low <= value <= r.high for value in values)
    ]
    findings += _relations(columns)
    return _concluded(tuple(findings))


def _relations(columns: Mapping[str, Sequence[float]]) -> list[Finding]:
    """Rules on two columns."""
    found = []
    psnr = columns.get("PSNR")
    for other, points_to in (("MSE", ("tang", "tang_py", "tang2022")), ("RMSE", ("vifb", "mefb"))):
        errors = columns.get(other)
        if psnr and errors and len(psnr) == len(errors) and min(errors) > 0:
            expected = [_OFFSET - 10 * math.log10(error) for error in errors]
            if fmean(abs(a - b) for a, b in zip(psnr, expected, strict=True)) < _CONSISTENT:
                rule = f"PSNR = 48.1308 - 10 log10({other}) in every row"
                found.append(Finding("PSNR", "consistent", points_to, "strong", rule))
    for first in columns:
        for second in columns:
            same = list(columns[first]) == list(columns[second]) and len(columns[first]) > 2
            if first < second and same:
                rule = f"{first} and {second} hold the same values"
                found.append(Finding(first, "copied column", (), "certain", rule))
    return found


def _concluded(findings: tuple[Finding, ...]) -> Report:
    """The convention with the most support; "standard" only if nothing speaks for another."""
    points = {"certain": 2.0, "strong": 1.0, "weak": 0.5}
    score: dict[str, float] = {}
    columns: dict[str, set[str]] = {}
    for finding in findings:
        # A hint at several conventions at once is worth less for each of them.
        for name in finding.points_to:
            score[name] = score.get(name, 0.0) + points[finding.strength]
            columns.setdefault(name, set()).add(finding.column)
    if not score:
        return Report(findings, None, "none")
    best = max(score, key=lambda name: (score[name], len(columns[name]), name))
    sure = len(columns[best]) >= 2 or score[best] >= 2
    support = tuple(sorted(columns[best]))
    return Report(findings, best, "likely" if sure else "possible", support)

"""Which metric convention made a published table? Rules on ranges, and how sure they are.

The ranges are those of 525 fused pictures of VIFB, of the published TNO table of 2022 and of SAGE's
published pairs. One rule alone is a hint: a convention is called likely when rules on two columns
agree on it and no column contradicts it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from fusionzoo import metrics
from fusionzoo.audit_rules import OFFSET, RULES, Rule, Strength

Columns = Mapping[str, Sequence[float | None]]
"""Symbol to one value per row; None where the table has none."""
_CONSISTENT = 0.02
"""Decibel by which PSNR may miss the value that MSE or RMSE gives: rounding of printed digits."""
_SHARE = 0.8
"""Part of a column that must lie in a range, with its mean: ranges are those of dataset means, and
a table may hold single pictures."""
_POINTS = {"certain": 2.0, "strong": 1.0, "weak": 0.5}


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
    """Findings, and what they agree on.

    Attributes:
        findings: In the order of the columns.
        conventions: Those with the most support; several if the columns do not separate them.
        confidence: "likely" if rules on two columns agree, "possible" if one speaks, else "none".
        support: Columns whose rules point to them.
        converted: Columns that can be brought to the standard convention.
    """

    findings: tuple[Finding, ...]
    conventions: tuple[str, ...]
    confidence: Literal["likely", "possible", "none"]
    support: tuple[str, ...]
    converted: Columns


def audit(columns: Columns) -> Report:
    """Apply every rule to a table's columns.

    Args:
        columns: Metric symbol to its values, per method or per picture.
    """
    findings = [found for symbol in columns for found in _of_column(symbol, known(columns, symbol))]
    findings += [finding for relation in _RELATIONS for finding in relation(columns)]
    excluded = _contradicted(columns)
    support: dict[str, set[str]] = {}
    points: dict[str, float] = {}
    for finding in findings:
        for name in set(finding.points_to) - excluded:
            support.setdefault(name, set()).add(finding.column)
            # A hint at several conventions at once is worth less for each of them.
            share = _POINTS[finding.strength] / len(finding.points_to)
            points[name] = points.get(name, 0.0) + share
    if not support:
        return Report(tuple(findings), (), "none", (), _converted(columns, findings, ()))
    ranks = {name: (len(support[name]), round(points[name], 6)) for name in support}
    best = tuple(name for name in metrics.CONVENTIONS if ranks.get(name) == max(ranks.values()))
    columns_of = tuple(sorted(support[best[0]]))
    confidence: Literal["likely", "possible"] = "likely" if len(columns_of) > 1 else "possible"
    converted = _converted(columns, findings, best)
    return Report(tuple(findings), best, confidence, columns_of, converted)


def known(columns: Columns, symbol: str) -> list[float]:
    """The values of a column that the table has."""
    return [value for value in columns.get(symbol, ()) if value is not None]


def _mean(columns: Columns, symbol: str, otherwise: float) -> float:
    values = known(columns, symbol)
    return fmean(values) if values else otherwise


def _together(columns: Columns, *symbols: str) -> list[tuple[float, float]]:
    """Rows in which two columns have values."""
    rows = zip(*(columns.get(symbol, ()) for symbol in symbols), strict=False)
    return [(one, two) for one, two in rows if one is not None and two is not None]


def _of_column(symbol: str, values: Sequence[float]) -> Iterator[Finding]:
    if not values:
        return
    low, high = metrics.find(symbol).range
    if (low is not None and min(values) < low) or (high is not None and max(values) > high):
        bounds = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
        rule = f"{symbol} lies in {bounds}: columns exchanged, or another data range"
        yield Finding(symbol, "not possible", (), "certain", rule)
    for r in RULES.get(symbol, ()):
        if _holds(values, [r]):
            yield Finding(symbol, r.verdict, r.points_to, r.strength, r.text, r.factor, r.offset)


def _holds(values: Sequence[float], rules: Sequence[Rule]) -> bool:
    """True if the mean and most of the values lie in one range or another."""
    inside = [any(r.low <= v <= r.high for r in rules) for v in (fmean(values), *values)]
    return inside[0] and sum(inside[1:]) >= _SHARE * len(values)


def _contradicted(columns: Columns) -> set[str]:
    """Conventions whose own, unmistakable range of a column does not hold its values."""
    excluded = set()
    for symbol in columns:
        values = known(columns, symbol)
        sure = [rule for rule in RULES.get(symbol, ()) if rule.strength != "weak"]
        for name in {name for rule in sure for name in rule.points_to}:
            ranges = [rule for rule in RULES[symbol] if name in rule.points_to]
            if values and not _holds(values, ranges):
                excluded.add(name)
    return excluded


def _from_error(columns: Columns) -> Iterator[Finding]:
    """PSNR follows from the error beside it, in one way or the other."""
    for other, points_to in (("MSE", ("tang", "tang_py", "tang2022", "ivif_zoo")),
                             ("RMSE", ("vifb", "mefb"))):  # fmt: skip
        rows = [row for row in _together(columns, "PSNR", other) if row[1] > 0]
        gaps = [abs(psnr - OFFSET + 10 * math.log10(error)) for psnr, error in rows]
        if gaps and fmean(gaps) < _CONSISTENT:
            rule = f"PSNR = 48.1308 - 10 log10({other}) in every row"
            factor, offset = (1.0, -OFFSET) if other == "MSE" else (None, 0.0)
            yield Finding("PSNR", f"made from {other}", points_to, "strong", rule, factor, offset)


def _saturated(columns: Columns) -> Iterator[Finding]:
    """Saturated 8-bit arithmetic shows in SD and spoils VIF too."""
    if known(columns, "VIFp") and _mean(columns, "SD", 16) < 16:
        rule = "VIF beside an SD below 16 (TNO means 0.65 to 0.98)"
        yield Finding("VIFp", "saturated products", ("tang2022",), "strong", rule)


def _exposure(columns: Columns) -> Iterator[Finding]:
    """Tang's MATLAB code prints MEF-SSIM as MS-SSIM."""
    if _mean(columns, "PSNR", 0) > 58 and 0.86 <= _mean(columns, "MS-SSIM", 0) <= 1:
        rule = "MS-SSIM 0.88 to 0.97 beside a PSNR of 59 to 65"
        yield Finding("MS-SSIM", "MEF-SSIM", ("tang",), "strong", rule)


def _exchanged(columns: Columns) -> Iterator[Finding]:
    """Tang's MATLAB code calls Nabf with its arguments exchanged, and ranks methods backwards."""
    rows = _together(columns, "Nabf", "Qabf")
    pairs = itertools.combinations(rows, 2)
    order = sum(math.copysign(1, (a[0] - b[0]) * (a[1] - b[1])) for a, b in pairs if a[0] != b[0])
    if len(rows) > 4 and order < 0 and all(0.003 <= row[0] <= 0.033 for row in rows):
        rule = "Nabf 0.003 to 0.032 in every row, falling where Qabf rises"
        yield Finding("Nabf", "arguments exchanged", ("tang",), "weak", rule)


def _edges(columns: Columns) -> Iterator[Finding]:
    """EI and AG measure the same slopes, one with weights of sum 8."""
    pairs = _together(columns, "EI", "AG")
    if pairs and not all(8 < intensity / max(slope, 1e-9) < 13 for intensity, slope in pairs):
        rule = "EI is 9.5 to 11 times AG for every fused picture of VIFB"
        yield Finding("EI", "does not fit AG", (), "weak", rule)


def _copied(columns: Columns) -> Iterator[Finding]:
    """Two columns of the same numbers."""
    for first in columns:
        for second in columns:
            rows = _together(columns, first, second)
            if first < second and len(rows) > 2 and all(one == two for one, two in rows):
                rule = f"{first} and {second} hold the same values"
                yield Finding(first, "copied column", (), "certain", rule)


_RELATIONS: tuple[Callable[[Columns], Iterator[Finding]], ...] = (
    _from_error, _saturated, _exposure, _exchanged, _edges, _copied,
)  # fmt: skip


def _converted(
    columns: Columns, findings: Sequence[Finding], conventions: tuple[str, ...]
) -> dict[str, list[float | None]]:
    """Columns in the standard convention; none on a hint that the whole table does not confirm."""
    found: dict[str, list[float | None]] = {}
    for finding in findings:
        agreed = conventions and set(conventions) <= set(finding.points_to)
        if finding.factor is not None and (agreed or not finding.points_to):
            factor, offset = finding.factor, finding.offset
            found[finding.column] = [
                None if value is None else factor * value + offset
                for value in columns[finding.column]
            ]
    return found

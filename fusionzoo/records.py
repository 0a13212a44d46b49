"""What is known of one picture of one cell, and its two forms on disk: a line, and columns.

A run appends one JSON line per finished picture. A finished cell is written as columns, one list
per metric, which is a third of the size and keeps every digit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from fusionzoo.core import FusionZooError, Observation

STATUSES = ("ok", "undefined", "infinite", "too_small")


class FormatError(FusionZooError):
    """Stored results that do not have the form they should have."""


@dataclass(frozen=True)
class Record:
    """One picture of one cell.

    Attributes:
        image: Name of the picture.
        key: Hash of inputs, weights, code and settings; the record is void if it changes.
        observations: Metric symbol to what it saw.
        versions: Metric symbol to the version and convention that saw it.
        seconds: Time of the method on this picture.
        error: Why there is no output, if there is none.
    """

    image: str
    key: str
    observations: Mapping[str, Observation] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data; numbers keep every digit."""
        plain = asdict(self)
        plain["observations"] = {k: _plain(o) for k, o in self.observations.items()}
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Record:
        """Inverse of `to_json`."""
        seen = {k: _observation(o) for k, o in plain["observations"].items()}
        return cls(**{**plain, "observations": seen})


def _plain(observation: Observation) -> dict[str, Any]:
    value = observation.value
    plain: dict[str, Any] = {"value": value if value is None or math.isfinite(value) else None}
    if observation.status != "ok":
        plain |= {"status": observation.status, "reason": observation.reason}
    if observation.terms:
        plain["terms"] = dict(observation.terms)
    if observation.table is not None:
        plain["table"] = observation.table.tolist()
    return plain


def _observation(plain: Mapping[str, Any]) -> Observation:
    table = plain.get("table")
    status = plain.get("status", "ok")
    if status not in STATUSES:
        raise FormatError(f"status '{status}' is unknown: expected {', '.join(STATUSES)}")
    value = math.inf if status == "infinite" else plain["value"]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if status == "ok" and not (number and math.isfinite(value)):
        raise FormatError(f"an observation holds {value!r}: expected a number")
    return Observation(
        value=value,
        status=status,
        reason=plain.get("reason", ""),
        terms=plain.get("terms", {}),
        table=None if table is None else np.asarray(table, np.int64),
    )


def to_columns(records: Sequence[Record]) -> dict[str, Any]:
    """Records as one list per field and metric; what most pictures lack is kept by position."""
    symbols = list(dict.fromkeys(s for record in records for s in record.observations))
    return {
        "images": [record.image for record in records],
        "keys": [record.key for record in records],
        "seconds": [record.seconds for record in records],
        "errors": {str(i): record.error for i, record in enumerate(records) if record.error},
        "metrics": {symbol: _column(symbol, records) for symbol in symbols},
    }


def _column(symbol: str, records: Sequence[Record]) -> dict[str, Any]:
    seen = [record.observations.get(symbol) for record in records]
    plain = [None if one is None else _plain(one) for one in seen]
    versions = [record.versions.get(symbol, "") for record in records]
    present = {version for version, one in zip(versions, seen, strict=True) if one is not None}
    column: dict[str, Any] = {
        "version": present.pop() if len(present) == 1 else versions,
        "values": [one and one["value"] for one in plain],
    }
    roles = sorted({role for one in plain if one for role in one.get("terms", {})})
    if roles:
        column["terms"] = {
            role: [one and one.get("terms", {}).get(role) for one in plain] for role in roles
        }
    for part in ("status", "reason", "table"):
        sparse = {str(i): one[part] for i, one in enumerate(plain) if one and part in one}
        if sparse:
            column[part] = sparse
    absent = [i for i, one in enumerate(plain) if one is None]
    if absent:
        column["absent"] = absent
    return column


def from_columns(plain: Mapping[str, Any]) -> list[Record]:
    """Inverse of `to_columns`.

    Raises:
        FormatError: Columns of different lengths, a picture twice, or values of a wrong kind.
    """
    images = plain["images"]
    count = len(images)
    if len(set(images)) != count:
        raise FormatError("a picture is there twice")
    for name in ("keys", "seconds"):
        _check_length(name, plain[name], count)
    seen: list[dict[str, Observation]] = [{} for _ in images]
    versions: list[dict[str, str]] = [{} for _ in images]
    for symbol, column in plain["metrics"].items():
        _check_length(symbol, column["values"], count)
        absent = set(column.get("absent", ()))
        for index in (i for i in range(count) if i not in absent):
            seen[index][symbol] = _observation(_cell(column, index))
            version = column["version"]
            known = version if isinstance(version, str) else version[index]
            versions[index] |= {symbol: known} if known else {}
    errors = plain["errors"]
    rows = zip(images, plain["keys"], seen, versions, plain["seconds"], strict=True)
    return [Record(*row, errors.get(str(index), "")) for index, row in enumerate(rows)]


def _check_length(name: str, values: Sequence[Any], count: int) -> None:
    if len(values) != count:
        raise FormatError(f"{name} has {len(values)} values: expected {count}, one per picture")


def _cell(column: Mapping[str, Any], index: int) -> dict[str, Any]:
    """One picture's observation as `Record.to_json` writes it."""
    terms = {role: values[index] for role, values in column.get("terms", {}).items()}
    plain: dict[str, Any] = {"value": column["values"][index]}
    plain["terms"] = {role: value for role, value in terms.items() if value is not None}
    for part in ("status", "reason", "table"):
        if str(index) in column.get(part, {}):
            plain[part] = column[part][str(index)]
    return plain

"""Results as data: one JSON file per (method, weights, dataset, split), with provenance.

While a cell is being computed, every finished picture is one line of a `.partial.jsonl` file beside
it; the JSON file appears when the last one is done. Both hold the same records, so a run that was
stopped at any moment goes on where it was.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fusionzoo import image
from fusionzoo.core import NO_WEIGHTS, FusionZooError, Metric, Observation, OutputError, hash_of

SCHEMA = 1


def list_hash(names: Iterable[str]) -> str:
    """Identity of an image list, whatever folder it came from."""
    return hash_of(*sorted(names))


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
    return Observation(
        value=math.inf if status == "infinite" else plain["value"],
        status=status,
        reason=plain.get("reason", ""),
        terms=plain.get("terms", {}),
        table=None if table is None else np.asarray(table, np.int64),
    )


@dataclass(frozen=True)
class Result:
    """One finished cell.

    Attributes:
        method: Catalogue name, or the name given to a folder of pictures.
        weights: Tag, or "-".
        dataset: Catalogue name.
        split: Split name.
        convention: Metric convention.
        scores: Metric symbol to the dataset's number (None: no picture counted).
        counted: Metric symbol to how many pictures entered that number.
        records: Per picture, in name order.
        provenance: Versions, device, precision, weight hash, list hash.
    """

    method: str
    weights: str
    dataset: str
    split: str
    convention: str
    scores: Mapping[str, float | None]
    counted: Mapping[str, int]
    records: Sequence[Record]
    provenance: Mapping[str, Any]

    @property
    def label(self) -> str:
        """As in "sage@official", or the bare name without weights."""
        return label(self.method, self.weights)

    @property
    def failed(self) -> list[Record]:
        """Pictures without output."""
        return [record for record in self.records if record.error]

    @property
    def seconds(self) -> float | None:
        """Median time of the method per picture."""
        times = [record.seconds for record in self.records if not record.error]
        return float(np.median(times)) if times else None


def label(method: str, tag: str) -> str:
    """How a method with weights is written everywhere: name@tag."""
    return method if tag == NO_WEIGHTS else f"{method}@{tag}"


def cell_path(out: Path, dataset: str, split: str, default_split: str, name: str) -> Path:
    """Where a cell's JSON lies: out/dataset[-split]/method[@tag].json."""
    folder = dataset if split == default_split else f"{dataset}-{split}"
    return out / folder / f"{name}.json"


def partial_path(cell: Path) -> Path:
    """Where a cell keeps its finished pictures until it is whole."""
    return cell.with_suffix(".partial.jsonl")


def summarize(metrics: Sequence[Metric], records: Sequence[Record]) -> tuple[Any, Any]:
    """(scores, counted) of a cell; undefined and infinite observations are left out and counted."""
    scores: dict[str, float | None] = {}
    counted: dict[str, int] = {}
    for metric in metrics:
        seen = [r.observations[metric.symbol] for r in records if metric.symbol in r.observations]
        usable = [o for o in seen if o.status == "ok"]
        counted[metric.symbol] = len(usable)
        scores[metric.symbol] = metric.summarize(usable) if usable else None
    return scores, counted


def write(path: Path, result: Result) -> None:
    """Write a cell, whole or not at all."""
    plain = {"schema": SCHEMA} | {k: v for k, v in asdict(result).items() if k != "records"}
    plain["records"] = [record.to_json() for record in result.records]
    image.write_bytes(path, json.dumps(plain, indent=1, allow_nan=False).encode())
    partial_path(path).unlink(missing_ok=True)


def read(path: Path) -> Result:
    """Read a cell.

    Raises:
        FusionZooError: Not JSON, half-written, or of another schema.
    """
    try:
        plain = json.loads(path.read_bytes())
        schema = plain.pop("schema")
        if schema != SCHEMA:
            raise FusionZooError(f"{path} has schema {schema}: this version reads {SCHEMA}")
        records = [Record.from_json(record) for record in plain.pop("records")]
        return Result(**plain, records=records)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FusionZooError(f"{path} is not a whole result file ({error}): delete it") from None


def known_records(path: Path) -> dict[str, Record]:
    """Every record of a cell that is on disk, finished or not; later lines win."""
    records: dict[str, Record] = {}
    if path.exists():
        records = {record.image: record for record in read(path).records}
    partial = partial_path(path)
    if partial.exists():
        for line in partial.read_text("utf-8").splitlines():
            try:
                record = Record.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue  # the line that was being written when the run was stopped
            records[record.image] = record
    return records


def append(path: Path, record: Record) -> None:
    """Add a finished picture to a cell in progress."""
    # The newline in front closes a line that a killed run may have left half-written.
    line = f"\n{json.dumps(record.to_json(), allow_nan=False)}\n"
    partial = partial_path(path)
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("a", encoding="utf-8") as stream:
            stream.write(line)
    except OSError as error:
        raise OutputError(f"cannot write {partial}: {error.strerror or error}") from None

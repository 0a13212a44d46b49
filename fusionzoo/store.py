"""Results as data: one JSON file per (method, weights, dataset, split), with provenance.

While a cell is being computed, every finished picture is one line of a `.partial.jsonl` file beside
it; the JSON file appears when the last one is done. Both hold the same records, so a run that was
stopped at any moment goes on where it was.
"""

from __future__ import annotations

import glob
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from fusionzoo import datasets, image
from fusionzoo.core import NO_WEIGHTS, FusionZooError, Metric, OutputError, hash_of
from fusionzoo.records import FormatError, Record, from_columns, to_columns

SCHEMA = 2
"""Of the files; raised when their form changes. Older files are measured again, not guessed."""


def list_hash(names: Iterable[str]) -> str:
    """Identity of an image list, whatever folder it came from."""
    return hash_of(*sorted(names))


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
        condition: How the sources were corrupted ("noise-3"), or "".
        directions: Metric symbol to whether higher is better, so that a table needs no catalogue.
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
    condition: str = ""
    directions: Mapping[str, bool] = field(default_factory=dict)

    @property
    def cell(self) -> tuple[str, str, str, str, str]:
        """What makes it this cell: dataset, split, condition, convention and label."""
        return self.dataset, self.split, self.condition, self.convention, self.label

    @property
    def trained_here(self) -> bool:
        """True if the weights saw pictures of the cell's dataset, or of one with its scenes."""
        seen = {str(name).partition(":")[0] for name in self.provenance.get("trained_on") or []}
        return bool(seen & datasets.showing_scenes_of(self.dataset))

    @property
    def trained_on_unknown(self) -> bool:
        """True for pictures that were fused elsewhere."""
        return self.provenance.get("trained_on", ()) is None

    def values(self, symbol: str) -> dict[str, float]:
        """Picture to value, of the pictures for which the metric is defined."""
        seen = ((r.image, r.observations.get(symbol)) for r in self.records if not r.error)
        return {
            name: one.value
            for name, one in seen
            if one is not None and one.status == "ok" and one.value is not None
        }

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
        times = [r.seconds for r in self.records if not r.error and r.seconds > 0]
        return float(np.median(times)) if times else None


PROFILES = "profile"
"""Folder of the methods' costs, beside the cells (`fusionzoo.costs`)."""
ROBUSTNESS = "robustness"
"""Folder of what corruptions cost, beside the cells (`fusionzoo.robustness`)."""


def label(method: str, tag: str) -> str:
    """How a method with weights is written everywhere: name@tag."""
    return method if tag == NO_WEIGHTS else f"{method}@{tag}"


def cell_path(
    out: Path,
    dataset: str,
    split: str,
    default_split: str,
    name: str,
    convention: str = "standard",
    condition: str = "",
) -> Path:
    """Where a cell's JSON lies: out/dataset[-split][+convention][~condition]/method[@tag].json."""
    folder = dataset if split == default_split else f"{dataset}-{split}"
    folder += "" if convention == "standard" else f"+{convention}"
    folder += f"~{condition}" if condition else ""
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
    plain = {f.name: getattr(result, f.name) for f in fields(result) if f.name != "records"}
    columns = to_columns(result.records)
    metrics = columns.pop("metrics")
    # One metric is one line: files stay small, and a difference is seen.
    body = [_line(name, value) for name, value in {"schema": SCHEMA, **plain}.items()]
    body += [_line(name, value) for name, value in columns.items()]
    inner = ",\n".join(_line(symbol, column, 2) for symbol, column in metrics.items())
    body.append(f' "metrics": {{\n{inner}\n }}' if inner else ' "metrics": {}')
    image.write_bytes(path, ("{\n" + ",\n".join(body) + "\n}\n").encode())
    partial_path(path).unlink(missing_ok=True)


def _line(name: str, value: Any, indent: int = 1) -> str:
    shown = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return f"{' ' * indent}{json.dumps(name)}: {shown}"


def parsed(path: Path, schema: int, remedy: str) -> dict[str, Any]:
    """What a JSON file holds beside its schema number.

    Raises:
        FusionZooError: Of another schema; the message ends with the remedy.
        OSError: It cannot be read.
        ValueError, KeyError, AttributeError, TypeError: Not JSON, or not an object with a schema.
    """
    plain: dict[str, Any] = json.loads(path.read_bytes())
    found = plain.pop("schema")
    if found != schema:
        raise FusionZooError(f"{path} has schema {found}, this version reads {schema}: {remedy}")
    return plain


def read(path: Path) -> Result:
    """Read a cell and check that it is one.

    Raises:
        FusionZooError: Not JSON, half-written, of another schema, or with values of a wrong kind.
    """
    try:
        plain = parsed(path, SCHEMA, "move it away, then the same bench command measures it again")
        columns = ("images", "keys", "seconds", "errors", "metrics")
        records = from_columns({name: plain.pop(name) for name in columns})
        return _checked(Result(**plain, records=records))
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise FusionZooError(f"{path} is not a whole result file ({error}): delete it") from None
    except FormatError as error:
        raise FusionZooError(f"{path} is not a whole result file: {error}; delete it") from None


def _checked(result: Result) -> Result:
    """The result, if its parts have the types they should have."""
    for name in ("method", "weights", "dataset", "split", "convention", "condition"):
        if not isinstance(getattr(result, name), str):
            raise FormatError(f"{name} is {getattr(result, name)!r}: expected text")
    for symbol, score in result.scores.items():
        good = score is None or (isinstance(score, int | float) and math.isfinite(score))
        if isinstance(score, bool) or not good:
            raise FormatError(f"the score of {symbol} is {score!r}: expected a number or null")
    if not isinstance(result.provenance, dict):
        raise FormatError("the provenance is missing")
    return result


def find(folder: Path) -> tuple[list[Result], list[str]]:
    """Every cell below a results folder, sorted, and one line per file that is none.

    Raises:
        FusionZooError: No such folder, no cell in it, or two files for one cell.
    """
    if not folder.is_dir():
        raise FusionZooError(f"{folder} is not a folder: expected the results of `fusionzoo bench`")
    found: dict[tuple[str, ...], tuple[Path, Result]] = {}
    problems = []
    for path in sorted(folder.glob("*/*.json")):
        if path.parent.name in (PROFILES, ROBUSTNESS) or path.name.startswith("."):
            continue
        try:
            result = read(path)
        except FusionZooError as error:
            problems.append(str(error))
            continue
        if result.cell in found:
            other = found[result.cell][0]
            raise FusionZooError(f"{other} and {path} are results of one cell: keep one of them")
        found[result.cell] = path, result
    if not found:
        reason = f": {problems[0]}" if problems else ""
        raise FusionZooError(f"{folder} holds no results of `fusionzoo bench`{reason}")
    return [result for _, (_, result) in sorted(found.items())], problems


def set_aside(path: Path) -> Path:
    """Rename a result that cannot be read, so that the cell is measured anew; nothing is deleted.

    Returns:
        Its new place beside the old one, which no command takes for a result.

    Raises:
        OutputError: It cannot be renamed.
    """
    taken = sum(1 for _ in path.parent.glob(f"{glob.escape(path.name)}.aside*"))
    aside = path.with_name(f"{path.name}.aside{taken + 1}")
    try:
        path.rename(aside)
    except OSError as error:
        raise OutputError(f"cannot rename {path}: {error.strerror or error}") from None
    return aside


def known_records(path: Path) -> dict[str, Record]:
    """Every record of a cell that is on disk, finished or not; later lines win.

    Raises:
        FusionZooError: The cell's file is no whole result.
    """
    records: dict[str, Record] = {}
    if path.exists():
        records = {record.image: record for record in read(path).records}
    partial = partial_path(path)
    if partial.exists():
        for line in partial.read_text("utf-8", errors="replace").splitlines():
            try:
                record = Record.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, FormatError):
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

"""What methods cost, as data: `RESULTS/profile/METHOD@TAG.json`, written by `fusionzoo profile`.

The form (schema 1), one file per method and weights:

    {"schema": 1, "method": "sage", "weights": "zoo", "task": "fuse",
     "parameters": 135617,                       numbers stored in the network; 0 without one
     "weights_sha256": "35...",                  null without weights
     "measurements": [                           one per size, device, precision, threads, batch
      {"width": 1024, "height": 768, "batch": 1, "device": "cpu", "precision": "float32",
       "threads": 2,
       "macs": {"torch": 51162120192, "thop": 52062584832, "thop_0.1": 52061798400},
       "seconds": {"median": 0.5, "lower_quartile": 0.49, "upper_quartile": 0.52,
                   "fastest": 0.48, "network": 0.44, "runs": 5},
       "pictures_per_second": 1.97,
       "memory": {"process": 812000000, "before": 310000000, "cuda": null},
       "provenance": {"processor": "...", "cores": 2, "system": "Linux-...",
                      "python": "3.11.7", "torch": "2.13.0", "fusionzoo": "0.3.0"}}]}

`macs` (rules: `fusionzoo.macs`) are of one picture and null without a network. `seconds` are of one
call on `batch` pictures, from tensors to tensors, colour conversion and padding included;
`network` is the median inside the network, null for chains. `memory` is in bytes: the peak of the
process's resident memory, what it was before the first call, and the peak of tensors on a GPU.

A plot of quality against cost needs `read_all(folder)`, `Profile.label`, which is the label of
results, and `Profile.at(width, height)`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fusionzoo import image, store
from fusionzoo.core import FusionZooError
from fusionzoo.records import FormatError
from fusionzoo.tables import Column, Row, Table

SCHEMA = 1
FOLDER = store.PROFILES
MARK = "‡"
"""Behind the names of methods that were trained on the dataset of the row."""
COLUMNS = (
    Column("parameters, M", digits=3),
    Column("MACs, G", digits=2),
    Column("MACs (thop), G", digits=2),
    Column("time, s", digits=3),
    Column("memory, MiB"),
)


@dataclass(frozen=True)
class Measurement:
    """One size on one device; the fields are explained in the module's docstring."""

    width: int
    height: int
    batch: int
    device: str
    precision: str
    threads: int
    macs: Mapping[str, int] | None
    seconds: Mapping[str, float | None]
    pictures_per_second: float
    memory: Mapping[str, int | None]
    provenance: Mapping[str, Any]

    @property
    def setting(self) -> tuple[object, ...]:
        """What tells it from the other measurements of a method."""
        size = (self.width, self.height, self.batch)
        return (*size, self.device, self.precision, self.threads)


@dataclass(frozen=True)
class Profile:
    """What a method with one set of weights costs."""

    method: str
    weights: str
    task: str
    parameters: int
    weights_sha256: str | None
    measurements: Sequence[Measurement]

    @property
    def label(self) -> str:
        """As in results: "sage@zoo", or the bare name without weights."""
        return store.label(self.method, self.weights)

    def at(self, width: int, height: int) -> Measurement | None:
        """The measurement of a size; rather on a CPU, in float32, of single pictures."""
        fitting = [m for m in self.measurements if (m.width, m.height) == (width, height)]

        def usual(one: Measurement) -> tuple[object, ...]:
            return one.device != "cpu", one.precision != "float32", one.batch != 1, -one.threads

        return min(fitting, key=usual, default=None)

    def joined(self, newer: Profile) -> Profile:
        """The newer profile, and the older measurements that it does not repeat.

        Measurements of other weights are not kept.
        """
        if newer.weights_sha256 != self.weights_sha256:
            return newer
        known = {one.setting: one for one in (*self.measurements, *newer.measurements)}
        order = sorted(known, key=lambda setting: tuple(map(str, setting)))
        return replace(newer, measurements=[known[setting] for setting in order])


def path_of(out: Path, label: str) -> Path:
    """Where the profile of a method lies below a results folder."""
    return out / FOLDER / f"{label}.json"


def write(out: Path, profile: Profile) -> Path:
    """Write a profile below a results folder, joined with what is there for the same weights."""
    path = path_of(out, profile.label)
    if path.exists():
        profile = read(path).joined(profile)
    plain = {"schema": SCHEMA, **asdict(profile)}
    image.write_bytes(path, f"{json.dumps(plain, indent=1, allow_nan=False)}\n".encode())
    return path


def read(path: Path) -> Profile:
    """Read a profile and check that it is one.

    Raises:
        FusionZooError: Not JSON, half-written, of another schema, or with values of a wrong kind.
    """
    try:
        remedy = "move it away, then `fusionzoo profile` writes it again"
        plain = store.parsed(path, SCHEMA, remedy)
        measurements = [_checked(Measurement(**one)) for one in plain.pop("measurements")]
        return _whole(Profile(**plain, measurements=measurements))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FusionZooError(f"{path} is not a whole profile ({error}): delete it") from None
    except FormatError as error:
        raise FusionZooError(f"{path} is not a whole profile: {error}; delete it") from None


def _whole(profile: Profile) -> Profile:
    for name in ("method", "weights", "task"):
        if not isinstance(getattr(profile, name), str):
            raise FormatError(f"{name} is {getattr(profile, name)!r}: expected text")
    if not _is_count(profile.parameters):
        raise FormatError(f"parameters are {profile.parameters!r}: expected a whole number")
    return profile


def _checked(one: Measurement) -> Measurement:
    """The measurement, if its parts have the types they should have."""
    for name in ("width", "height", "batch", "threads"):
        if not _is_count(getattr(one, name), least=1):
            raise FormatError(f"{name} is {getattr(one, name)!r}: expected a positive number")
    counts = {**(one.macs or {}), **{k: v for k, v in one.memory.items() if v is not None}}
    for name, value in counts.items():
        if not _is_count(value):
            raise FormatError(f"{name} is {value!r}: expected a whole number")
    times = {"pictures_per_second": one.pictures_per_second, **one.seconds}
    for name, time in times.items():
        good = isinstance(time, int | float) and math.isfinite(time) and time >= 0
        if not good and not (time is None and name == "network"):
            raise FormatError(f"{name} is {time!r}: expected a number that is not negative")
    lacking = {"median", "lower_quartile", "upper_quartile"} - set(one.seconds)
    if lacking or "process" not in one.memory or not isinstance(one.provenance, dict):
        raise FormatError("median, quartiles, memory or provenance are missing")
    return one


def _is_count(value: object, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def read_all(out: Path) -> tuple[dict[str, Profile], list[str]]:
    """Label to profile below a results folder, sorted, and one line per file that is none."""
    found: dict[str, Profile] = {}
    problems = []
    for path in sorted((out / FOLDER).glob("*.json")):
        if path.name.startswith("."):
            continue
        try:
            profile = read(path)
        except FusionZooError as error:
            problems.append(str(error))
            continue
        found[profile.label] = profile
    return found, problems


def beside(table: Table, profiles: Mapping[str, Profile], width: int, height: int) -> Table:
    """A table of results with the costs of its methods at one size behind the scores.

    Rows begin with method and weights; a dash stands where a method was not profiled.
    """
    rows = []
    for row in table.rows:
        label = store.label(row.keys[0].rstrip(MARK), row.keys[1])
        costs = _row(profiles.get(label), width, height)
        rows.append(replace(row, values=(*row.values, *costs)))
    caption = f"{table.caption} {caption_of(profiles.values(), width, height)}".strip()
    return replace(table, columns=(*table.columns, *COLUMNS), rows=tuple(rows), caption=caption)


def table(profiles: Iterable[Profile]) -> Table:
    """Every measurement of every profile, a row each."""
    rows = []
    for profile in profiles:
        for one in profile.measurements:
            size = f"{one.width}x{one.height}" + (f" x {one.batch}" if one.batch > 1 else "")
            where = f"{one.device}, {one.threads} threads" if one.device == "cpu" else one.device
            keys = (profile.method, profile.weights, size, f"{where}, {one.precision}")
            middle = (one.seconds["upper_quartile"] or 0) - (one.seconds["lower_quartile"] or 0)
            values = (*_values(profile, one), middle, one.pictures_per_second)
            rows.append(Row(keys, values, size))
    spread = (Column("quartiles apart, s", digits=3), Column("pictures/s", digits=2))
    rows.sort(key=lambda row: (row.group, row.keys))
    caption = (
        "MACs of one picture by two rules (torch's operator counter; thop 0.0.31); time: median of "
        "a call; memory: peak of the process, on a GPU of its tensors."
    )
    keys = ("method", "weights", "size", "on")
    return Table(keys, (*COLUMNS, *spread), tuple(rows), caption)


def caption_of(profiles: Iterable[Profile], width: int, height: int) -> str:
    """What the cost columns of one size were measured on."""
    found = [one for profile in profiles if (one := profile.at(width, height))]
    machines = {
        f"{one.provenance.get('processor', one.device)}, {one.threads} threads, {one.precision}"
        for one in found
    }
    shown = "; ".join(sorted(machines)) or "not profiled"
    return f"Costs at {width}x{height}: {shown}."


def _row(profile: Profile | None, width: int, height: int) -> tuple[float | None, ...]:
    one = profile.at(width, height) if profile else None
    return _values(profile, one) if profile and one else (None,) * len(COLUMNS)


def _values(profile: Profile, one: Measurement) -> tuple[float | None, ...]:
    counted = [one.macs.get(rule, 0) / 1e9 if one.macs else None for rule in ("torch", "thop")]
    memory = one.memory.get("cuda") or one.memory["process"]
    size = memory / 2**20 if memory is not None else None
    return profile.parameters / 1e6, *counted, one.seconds["median"], size

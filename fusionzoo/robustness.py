"""How much of its score a method loses when its sources are damaged: curves, and one number.

For a metric whose mean over pictures is s(0) with clean sources and s(k) at severity k,

    loss(k) = (s(0) - s(k)) / |s(0)|,   with the other sign where lower is better,
    relative loss area = 1/K * integral of loss from 0 to K, by trapezoids,

K being the highest severity measured. 0 means that nothing was lost, 1 that nothing was left from
the least damage on, a negative value that the score rose. Means are over the pictures for which the
metric is defined at every severity. The area is undefined (null) without such pictures, and where
s(0) is not positive. The number of a method on a dataset is the plain mean of its areas over
metrics and corruptions; only methods with the same ones can be compared by it. Outputs are
compared with the clean sources, so metrics should have the reference "sources".

Damaged cells are ordinary results in `RESULTS/robustness/DATASET~CORRUPTION-SEVERITY/`; the curves
made from them and from the clean cells are `RESULTS/robustness/METHOD@TAG.json` (schema 1):

    {"schema": 1, "method": "sage", "weights": "zoo", "convention": "standard",
     "weights_sha256": "35...",
     "summaries": [{"dataset": "tno", "split": "all", "pictures": 42, "loss_area": 0.21,
                    "low": 0.19, "high": 0.23, "severities": [0, 1, 2, 3, 4, 5],
                    "corruptions": ["noise", ...], "metrics": ["SSIM", ...], "undefined": 0}],
     "curves": [{"dataset": "tno", "split": "all", "corruption": "noise", "metric": "SSIM",
                 "higher_is_better": true, "severities": [0, 1, 2, 3, 4, 5],
                 "scores": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], "pictures": 42,
                 "loss_area": 0.3, "low": 0.28, "high": 0.32}]}

`low` and `high` bound a 95 % bootstrap interval over pictures, the same pictures being drawn at
every severity; `undefined` counts the curves without an area, which the mean leaves out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fusionzoo import image, store
from fusionzoo.core import FusionZooError
from fusionzoo.records import FormatError
from fusionzoo.tables import Column, Row, Table

SCHEMA = 1
FOLDER = store.ROBUSTNESS
METRICS = ("SSIM", "MS-SSIM", "SCD", "Qabf", "VIFF")
"""What is measured unless asked otherwise: metrics that compare with the (clean) sources."""
NUMBER = "loss area"


@dataclass(frozen=True)
class Curve:
    """One metric of one method under one corruption; see the module's docstring."""

    dataset: str
    split: str
    corruption: str
    metric: str
    higher_is_better: bool
    severities: Sequence[int]
    scores: Sequence[float]
    pictures: int
    loss_area: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Summary:
    """The number of one method on one dataset; see the module's docstring."""

    dataset: str
    split: str
    pictures: int
    loss_area: float | None
    low: float | None
    high: float | None
    severities: Sequence[int]
    corruptions: Sequence[str]
    metrics: Sequence[str]
    undefined: int


@dataclass(frozen=True)
class Robustness:
    """Everything known of one method with one set of weights."""

    method: str
    weights: str
    convention: str
    weights_sha256: str | None
    summaries: Sequence[Summary]
    curves: Sequence[Curve]

    @property
    def label(self) -> str:
        """As in results: "sage@zoo"."""
        return store.label(self.method, self.weights)


def path_of(out: Path, label: str, convention: str = "standard") -> Path:
    """Where the curves of a method lie below a results folder."""
    suffix = "" if convention == "standard" else f"+{convention}"
    return out / FOLDER / f"{label}{suffix}.json"


def write(out: Path, found: Robustness) -> Path:
    """Write the curves of a method, whole or not at all."""
    path = path_of(out, found.label, found.convention)
    plain = asdict(found)
    lists = {name: plain.pop(name) for name in ("summaries", "curves")}
    body = [f" {json.dumps(name)}: {json.dumps(value)}"
            for name, value in {"schema": SCHEMA, **plain}.items()]  # fmt: skip
    for name, rows in lists.items():
        inner = ",\n".join(f"  {json.dumps(row, allow_nan=False)}" for row in rows)
        body.append(f" {json.dumps(name)}: [\n{inner}\n ]")
    image.write_bytes(path, ("{\n" + ",\n".join(body) + "\n}\n").encode())
    return path


def read(path: Path) -> Robustness:
    """Read the curves of a method and check that they are such.

    Raises:
        FusionZooError: Not JSON, half-written, of another schema, or with values of a wrong kind.
    """
    try:
        plain = store.parsed(path, SCHEMA, "`fusionzoo bench --robustness` writes it again")
        curves = [_checked(Curve(**one)) for one in plain.pop("curves")]
        summaries = [Summary(**one) for one in plain.pop("summaries")]
        for one in summaries:
            _check_numbers(f"{one.dataset}", one.loss_area, one.low, one.high)
        return Robustness(**plain, summaries=summaries, curves=curves)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FusionZooError(f"{path} holds no whole robustness curves ({error})") from None
    except FormatError as error:
        raise FusionZooError(f"{path} holds no whole robustness curves: {error}") from None


def _checked(curve: Curve) -> Curve:
    where = f"{curve.corruption}, {curve.metric}"
    if list(curve.severities) != sorted(set(curve.severities)) or curve.severities[:1] != [0]:
        raise FormatError(f"{where}: severities {curve.severities} do not rise from 0")
    if len(curve.scores) not in (0, len(curve.severities)):
        raise FormatError(
            f"{where}: {len(curve.scores)} scores, {len(curve.severities)} severities"
        )
    _check_numbers(where, *curve.scores, curve.loss_area, curve.low, curve.high)
    return curve


def _check_numbers(where: str, *values: object) -> None:
    for value in values:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and math.isfinite(float(str(value)))):
            raise FormatError(f"{where}: {value!r} is no number")


def read_all(out: Path) -> tuple[list[Robustness], list[str]]:
    """The curves of every method below a results folder, and a line per file that is none."""
    found, problems = [], []
    for path in sorted((out / FOLDER).glob("*.json")):
        if path.name.startswith("."):
            continue
        try:
            found.append(read(path))
        except FusionZooError as error:
            problems.append(str(error))
    return found, problems


def table(found: Iterable[Robustness]) -> Table:
    """Relative loss areas: methods by corruptions (means over metrics), and their number."""
    rows, names = [], dict[str, None]()
    every = [(one, summary) for one in found for summary in one.summaries]
    for _, summary in every:
        names.update(dict.fromkeys(summary.corruptions))
    for one, summary in sorted(every, key=lambda pair: (pair[1].dataset, pair[1].split)):
        where = f"{summary.dataset}:{summary.split}"
        values = (_mean_area(one, summary, name) for name in names)
        bounds = (summary.low, summary.high)
        limits = (bounds[0], bounds[1]) if bounds[0] is not None and bounds[1] is not None else None
        rows.append(
            Row(
                (one.method, one.weights, where),
                (summary.loss_area, *values, float(summary.pictures)),
                where,
                frozenset({0}) if summary.undefined else frozenset(),
                (limits,),
            )
        )
    columns = [Column(NUMBER, False), *(Column(name, False) for name in names), Column("n")]
    metrics = sorted({"+".join(summary.metrics) for _, summary in every})
    severities = sorted({str(max(summary.severities)) for _, summary in every})
    caption = (
        f"Relative loss area up to severity {' or '.join(severities)}, mean over "
        f"{' or '.join(metrics)} and over corruptions; 0: nothing lost, 1: all. ± half the 95 % "
        "bootstrap interval over pictures."
    )
    if any(row.partial for row in rows):
        caption += " * without the curves for which it is undefined."
    conventions = ", ".join(sorted({one.convention for one, _ in every}))
    keys = ("method", "weights", "dataset")
    return Table(keys, tuple(columns), tuple(rows), caption, conventions)


def _mean_area(found: Robustness, summary: Summary, corruption: str) -> float | None:
    areas = [
        curve.loss_area
        for curve in found.curves
        if (curve.dataset, curve.split) == (summary.dataset, summary.split)
        and curve.corruption == corruption
        and curve.loss_area is not None
    ]
    return sum(areas) / len(areas) if areas else None

"""The leaderboard: every shipped method on every dataset at hand, and the page made from it.

What to measure comes from the catalogue of benchmarks. Methods are those that need no weights or
whose weights are part of the package, with every weights tag that is on this machine ("sage@zoo",
"sage@official"); a benchmark that names its methods has those. Results are ordinary cells, so only
what is missing or outdated (other weights, code, inputs or metric versions) is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusionzoo import analysis, benchmarks, costs, datasets, grid, metrics, pipeline, report, store
from fusionzoo import methods as catalogue
from fusionzoo import weights as weights_at
from fusionzoo.core import NO_WEIGHTS, Benchmark, DataError, FusionZooError, Method
from fusionzoo.plan import Grid
from fusionzoo.predictor import Precision, Predictor
from fusionzoo.store import Result
from fusionzoo.tables import Column, Row, Table

SIZE = (1024, 768)
"""Of the pictures whose cost stands beside quality."""


@dataclass(frozen=True)
class Settings:
    """What is measured, where, and with what.

    Attributes:
        out: Results folder.
        names: Benchmarks, of the catalogue.
        only: Datasets to which the benchmarks are limited; empty: all of theirs.
        data: Data root.
        limit: Only the first scenes of each dataset.
        device: Where networks run.
        precision: Of networks.
    """

    out: Path
    names: Sequence[str]
    only: Sequence[str] = ()
    data: Path | None = None
    limit: int | None = None
    device: str = "auto"
    precision: Precision = "float32"


def entrants(benchmark: Benchmark, roles: Iterable[str]) -> list[tuple[str, str]]:
    """Labels ("sage@zoo") and tasks of the methods that take part where the roles are offered."""
    everyone = benchmark.methods == (grid.ALL,)
    offered = set(roles)
    found = []
    for name in catalogue.names() if everyone else benchmark.methods:
        entry: Method = catalogue.find(name)
        task = entry.task_for(offered)
        if task is None or (everyone and entry.task != "fuse"):
            continue
        form = entry.form(task)
        default = form.weights.get(form.default_tag)
        if default is not None and not default.file:
            continue
        tags = [tag for tag in form.weights if weights_at.at_hand(form, tag)] or [NO_WEIGHTS]
        found += [(store.label(name, tag), task) for tag in tags]
    return found


def grids(settings: Settings) -> Iterator[Grid | str]:
    """What is to be computed, a grid per dataset; a line of text for a dataset that is not here."""
    loaded: dict[tuple[str, str], Predictor] = {}
    for name in settings.names:
        benchmark: Benchmark = benchmarks.find(name)
        chosen = metrics.select(",".join(benchmark.metrics))
        for spec in benchmark.datasets if not settings.only else settings.only:
            try:
                place, entry, listing = grid.open_dataset(spec, settings.data, settings.limit)
            except DataError as error:
                yield f"dataset {spec}: {error}"
                continue
            fitting = []
            for label, task in entrants(benchmark, entry.roles):
                if (label, task) not in loaded:
                    where = (settings.device, settings.precision)
                    loaded[label, task] = pipeline.load(label, None, *where, task=task)
                fitting.append(loaded[label, task])
            if fitting:
                yield Grid(place, entry, listing, fitting, chosen, settings.out, keep=0,
                           data=settings.data)  # fmt: skip


def due(cells: Grid) -> dict[str, tuple[int, int]]:
    """Label to how many pictures of a cell are missing or outdated, and how many it has in all."""
    counts = {}
    versions = cells.versions()
    for predictor in cells.predictors:
        try:
            records = store.known_records(cells.cell(predictor))
        except FusionZooError:
            records = {}
        missing = 0
        for item in cells.listing.items:
            record = records.get(item.name)
            valid = record is not None and record.key == cells.key(predictor, item)
            valid = valid and versions.items() <= dict(record.versions if record else {}).items()
            missing += not valid
        counts[predictor.label] = missing, len(cells.listing.items)
    return counts


def unprofiled(settings: Settings, size: tuple[int, int] = SIZE) -> list[str]:
    """Labels in the results that have no profile at a size, or one of other weights."""
    found, _ = store.find(settings.out)
    profiles, _ = costs.read_all(settings.out)
    missing = []
    for label, sha in sorted({(r.label, r.provenance.get("weights_sha256")) for r in found}):
        profile = profiles.get(label)
        stale = profile is None or profile.weights_sha256 != sha or profile.at(*size) is None
        # A method with several files (one per task) is profiled with those of its first task.
        several = len({r.provenance.get("weights_sha256") for r in found if r.label == label}) > 1
        if stale and not (several and profile is not None and profile.at(*size)):
            missing.append(label)
    return list(dict.fromkeys(missing))


def page(settings: Settings, size: tuple[int, int] = SIZE) -> tuple[str, list[str]]:
    """The leaderboard in Markdown from the results there are, and what could not be read.

    Raises:
        FusionZooError: No results, or some that do not fit into one table.
    """
    found, problems = store.find(settings.out)
    profiles, faults = costs.read_all(settings.out)
    parts = [_HEAD]
    for name in settings.names:
        benchmark: Benchmark = benchmarks.find(name)
        cells = [r for r in found if _belongs(r, settings.only or benchmark.datasets)]
        if not cells:
            continue
        chosen = [
            metric
            for metric in metrics.select(",".join(benchmark.metrics))
            if any(metric.symbol in cell.scores for cell in cells)
        ]
        defaults = {cell.dataset: datasets.find(cell.dataset).default_split for cell in cells}
        table = report.comparison(cells, chosen, defaults, intervals=True)
        if any(one.at(*size) for one in profiles.values()):
            table = costs.beside(table, profiles, *size)
        parts += [f"## {benchmark.title}\n", table.markdown()]
        directions = {metric.symbol: metric.higher_is_better for metric in chosen}
        if (ranked := ranks(cells, directions)).rows:
            parts.append(ranked.markdown())
        if (tests := significance(cells, directions)).rows:
            parts.append(tests.markdown())
    parts.append(_provenance(found))
    return "\n".join(parts), problems + faults


_HEAD = """# Leaderboard

Every shipped method on every dataset at hand, standard metric convention. This page, and the
result files it is made from, are written by `fusionzoo leaderboard`, which measures only what is
missing or outdated.
"""


def _belongs(result: Result, places: Sequence[str]) -> bool:
    """True for undamaged results of the usual convention on one of the datasets."""
    if result.condition or result.convention != "standard":
        return False
    for place in places:
        name, _, split = place.partition(":")
        wanted = split or datasets.find(name).default_split
        if result.dataset == name and result.split.partition(grid.CUT)[0] == wanted:
            return True
    return False


def ranks(found: Sequence[Result], directions: dict[str, bool]) -> Table:
    """Mean rank over metrics of each method on each dataset, and over the datasets all have."""
    ranked = analysis.average_ranks(found, directions)
    places = [place for place, table in ranked.items() if place and table]
    labels = sorted({label for place in places for label in ranked[place]})
    rows = [
        Row((label,), (ranked[""].get(label), *(ranked[place].get(label) for place in places)))
        for label in labels
    ]
    rows.sort(key=lambda row: (row.values[0] is None, row.values[0] or 0, row.keys))
    columns = (Column("all", False), *(Column(place, False) for place in places))
    caption = (
        "Mean rank over the metrics that all methods of a dataset have, 1 = best; all: mean over "
        "the datasets, of methods that have every one."
    )
    return Table(("mean rank",), columns, tuple(rows), caption)


def significance(found: Sequence[Result], directions: dict[str, bool]) -> Table:
    """Per metric the best method by mean rank over pictures, and those not told apart from it."""
    rows = []
    for symbol, higher in directions.items():
        compared = analysis.compare(found, symbol, higher)
        if compared is None or compared.friedman is None:
            continue
        best = compared.average_ranks[0]
        near = [
            label
            for label, rank in zip(compared.methods, compared.average_ranks, strict=True)
            if rank - best <= compared.difference and label != compared.methods[0]
        ]
        values = (best, compared.difference, compared.friedman.f_p_value, float(compared.blocks))
        rows.append(Row((symbol, compared.methods[0], ", ".join(near) or "none"), values))
    columns = (
        Column("mean rank", digits=2),
        Column("critical difference", digits=2),
        Column("p of Friedman's F", digits=3),
        Column("pictures"),
    )
    caption = (
        "Ranks picture by picture, of the methods that have the most datasets; not told apart: "
        "within Nemenyi's critical difference at 5 %; a p of 0.000 is below 0.0005."
    )
    return Table(("metric", "best", "not told apart from it"), columns, tuple(rows), caption)


def _provenance(found: Sequence[Result]) -> str:
    facts = {}
    for name in ("fusionzoo", "torch", "device", "precision"):
        facts[name] = ", ".join(sorted({str(r.provenance.get(name)) for r in found}))
    shown = "; ".join(f"{name} {value}" for name, value in facts.items())
    return f"Measured with {shown}.\n"

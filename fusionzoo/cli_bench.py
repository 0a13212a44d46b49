"""The command that computes the grid: methods x datasets x metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fusionzoo import cli_robustness, cli_work
from fusionzoo.cli_readers import check_reader, judge, with_reader_options
from fusionzoo.core import DataError, FusionZooError

if TYPE_CHECKING:
    from fusionzoo.bench import Grid
    from fusionzoo.engines import Engine
    from fusionzoo.predictor import Predictor
    from fusionzoo.store import Result

SHOWN = 3
"""Failures of one cell that are printed; the others are counted."""
ENGINE_OPTIONS = (
    click.option("--engine", type=click.Choice(["local", "ray"]), default="local",
                 show_default=True, help="Who computes; the numbers are the same."),
    click.option("--workers", type=click.IntRange(1), default=1, show_default=True,
                 help="Worker processes of --engine local; 1: this one."),
    click.option("--address", help="Of a Ray cluster, or auto; else one is started here."),
    click.option("--threads", type=click.IntRange(1),
                 help="Of the networks of each worker  [default: processors / workers; ray: 1]"),
)  # fmt: skip


def with_engine_options(command: Any) -> Any:
    """Add --engine, --workers, --address and --threads, as keyword arguments."""
    for option in reversed(ENGINE_OPTIONS):
        command = option(command)
    return command


def here(device: str, engine: str) -> str:
    """Where this process loads methods: Ray's workers may have a GPU that this machine lacks.

    Raises:
        FusionZooError: The device does not exist here, where it is needed.
    """
    from fusionzoo import devices

    if engine != "ray":
        return device
    try:
        return str(devices.pick_device(device))
    except FusionZooError:
        return "cpu"


def kept(_context: click.Context, _option: click.Parameter, text: str) -> int | None:
    """Number of pictures of `--pictures`; None for all.

    Raises:
        DataError: Neither a number nor "all".
    """
    if text == "all":
        return None
    if not text.isdecimal():
        raise DataError(f"--pictures takes a number or all, got '{text}'")
    return int(text)


@click.command()
@click.argument("name", required=False)
@click.option("--methods", help="all, or NAME[@TAG],...  [default: all]")
@click.option("--datasets", "where", help="all, or NAME[:SPLIT],...  [default: all]")
@click.option("--metrics", "wanted", help="all, core, or names  [default: all]")
@with_engine_options
@with_reader_options
@cli_robustness.with_robustness_options
@cli_work.convention_option
@cli_work.data_option
@cli_work.limit_option
@cli_work.device_option
@cli_work.precision_option
@click.option("--fused", multiple=True, metavar="NAME=FOLDER",
              help="Pictures of another program as a row; may be given again.")  # fmt: skip
@click.option("--pictures", "keep", default="3", show_default=True, metavar="N", callback=kept,
              help="Fused pictures of each dataset that are kept, or all.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def bench(
    name: str | None,
    methods: str | None,
    where: str | None,
    wanted: str | None,
    engine: str,
    workers: int,
    address: str | None,
    threads: int | None,
    convention: str,
    data: Path | None,
    limit: int | None,
    device: str,
    precision: Any,
    fused: tuple[str, ...],
    keep: int | None,
    out: Path,
    robustness: str | None,
    severities: str,
    **reading: Any,
) -> None:
    """Methods x datasets x metrics: result files, tables and contact sheets.

    NAME is a grid of `fusionzoo list benchmarks`; options replace its parts. The mean of the
    sources and the sources themselves are in every table. A folder of --fused has a picture per
    scene, of the scene's name, and with several datasets a subfolder for each.
    """
    from fusionzoo import bench as benchmark
    from fusionzoo import engines, foreign, grid, metrics, report, score

    corruptions = cli_robustness.wanted(robustness, severities)
    folders = [foreign.parse(spec) for spec in fused]
    plan = grid.named(name)
    chosen = metrics.select(wanted or ",".join(plan.metrics), convention)
    places, absent = grid.chosen_datasets(where or ",".join(plan.datasets), data, limit)
    check_reader(places, **reading)
    cli_work.warn(score.unseen(wanted or "", [m for m in chosen if m.reference == "labels"]))
    chosen = tuple(metric for metric in chosen if metric.reference != "labels")
    offers = [entry.roles for _, entry, _ in places]
    names = methods or ",".join(plan.methods)
    predictors, unready = grid.chosen_methods(names, here(device, engine), precision, offers)
    cli_work.warn([*absent, *unready])
    trivial = grid.baselines(offers, here(device, engine))
    found: list[Result] = []
    sheets: list[Path | None] = []
    readable: dict[str, Sequence[Predictor]] = {}
    grids: list[Grid] = []
    with engines.engine(engine, workers, address, threads) as machine:
        for place, entry, listing in places:
            cli_work.warn(f"{place}: {problem}" for problem in listing.problems)
            readable[place] = grid.fitting(predictors, entry.roles)
            rows = grid.fitting([*predictors, *trivial], entry.roles)
            rows += foreign_rows(folders, place, len(places) == 1, rows)
            cells = benchmark.Grid(
                place, entry, listing, rows, chosen, out, convention, None, keep, data,
                machine.device(device), machine.threads,
            )  # fmt: skip
            found += computed(cells, machine)
            sheets.append(report.contact_sheet(cells))
            grids.append(cells)
        write_table(found, chosen, {n: e.default_split for n, e, _ in places}, out)
        click.echo(f"tables {out / 'table.*'}, sheets {', '.join(str(s) for s in sheets if s)}")
        click.echo(f"one page of it all: fusionzoo report {out}")
        lost = cli_robustness.damage(grids, corruptions, lambda cells: computed(cells, machine))
    judge(places, readable, out, data=data, device=device, **reading)
    failures = tell_failures(found) + lost
    cli_work.fail_if(failures + sum(len(listing.problems) for _, _, listing in places))


def foreign_rows(
    folders: Sequence[tuple[str, Path]], place: str, alone: bool, others: Sequence[Predictor]
) -> list[Predictor]:
    """The rows of `--fused` for a dataset.

    Raises:
        DataError: Two rows of one name, or a folder without pictures.
    """
    from fusionzoo import foreign

    taken = {other.label for other in others}
    rows: list[Predictor] = []
    for name, folder in folders:
        if name in taken:
            raise DataError(f"--fused {name}={folder}: {place} has a row of that name already")
        taken.add(name)
        row = foreign.row(name, folder, place, alone)
        if row is None:
            cli_work.warn([f"{name} on {place}: there is no folder {folder / place}"])
        else:
            rows.append(row)
    return rows


def computed(cells: Grid, machine: Engine) -> list[Result]:
    """The results of one grid, with a bar that shows how far it is."""
    from tqdm import tqdm

    from fusionzoo import bench as benchmark

    total = len(cells.listing.items) * len(cells.predictors)
    label = cells.name + (f" ({cells.condition})" if cells.condition else "")
    with tqdm(total=total, desc=label, disable=None) as bar:
        return benchmark.run(cells, lambda _, __, count: bar.update(count), machine.compute)


def write_table(
    found: Sequence[Result], chosen: Sequence[Any], defaults: Mapping[str, str], out: Path
) -> None:
    """Print the table and write it in every format."""
    from fusionzoo import report, tables

    table = report.comparison(found, chosen, defaults)
    for suffix in tables.FORMATS:
        table.write(out / f"table{suffix}")
    click.echo(table.markdown())


def tell_failures(found: Sequence[Result]) -> int:
    """Say which pictures have no output, the first of each cell with the reason; count scenes."""
    for result in found:
        failed = result.failed
        for record in failed[:SHOWN]:
            text = f"failed {result.label} on {result.dataset}, {record.image}: {record.error}"
            click.secho(text, fg="yellow", err=True)
        if len(failed) > SHOWN:
            rest = ", ".join(record.image for record in failed[SHOWN : SHOWN + 5])
            more = ", ..." if len(failed) > SHOWN + 5 else ""
            click.secho(
                f"failed {result.label} on {result.dataset}: {len(failed) - SHOWN} more of "
                f"{len(result.records)} ({rest}{more})",
                fg="yellow",
                err=True,
            )
    return len({(result.dataset, record.image) for result in found for record in result.failed})

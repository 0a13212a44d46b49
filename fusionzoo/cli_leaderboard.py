"""The command that measures every shipped method on every dataset at hand, and writes the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fusionzoo import cli_bench, cli_work
from fusionzoo.cli_profile import size_of
from fusionzoo.core import FusionZooError

if TYPE_CHECKING:
    from fusionzoo.leaderboard import Settings


@click.command()
@click.argument("names", nargs=-1, metavar="[BENCHMARK]...")
@click.option(
    "--datasets", "only", help="These instead of the benchmarks' own, separated by commas."
)
@cli_bench.with_engine_options
@cli_work.data_option
@cli_work.limit_option
@cli_work.device_option
@cli_work.precision_option
@click.option("--dry-run", is_flag=True, help="Only say what would be measured.")
@click.option("--page-only", is_flag=True, help="Measure nothing: the page of what there is.")
@click.option("--cost/--no-cost", default=True, help="Profile methods that have no profile.")
@click.option("--size", default="1024x768", show_default=True, help="Of the profiles.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--page", type=click.Path(path_type=Path), help="[default: OUT/leaderboard.md]")
def leaderboard(
    names: tuple[str, ...],
    only: str | None,
    engine: str,
    workers: int,
    address: str | None,
    threads: int | None,
    data: Path | None,
    limit: int | None,
    device: str,
    precision: Any,
    dry_run: bool,
    page_only: bool,
    cost: bool,
    size: str,
    out: Path,
    page: Path | None,
) -> None:
    """Every shipped method on every dataset at hand, as result files and one page.

    BENCHMARKs are names of `fusionzoo list benchmarks`; all of them if none is given. What is
    measured already, with the same weights, code and inputs, is kept; a stopped run goes on.
    """
    from fusionzoo import benchmarks, engines, grid, image
    from fusionzoo import leaderboard as board

    pixels = size_of(size)
    where = tuple(grid.split_names(only)) if only else ()
    here = cli_bench.here(device, engine)
    settings = board.Settings(
        out, names or tuple(benchmarks.names()), where, data, limit, here, precision
    )
    if dry_run:
        return _tell_due(settings)
    failures = 0
    if not page_only:
        with engines.engine(engine, workers, address, threads) as machine:
            for cells in board.grids(settings):
                if isinstance(cells, str):
                    cli_work.warn([cells])
                    continue
                cells = replace(cells, device=machine.device(device), threads=machine.threads)
                failures += cli_bench.tell_failures(cli_bench.computed(cells, machine))
        if cost:
            _profile(settings, pixels)
    text, problems = board.page(settings, pixels)
    target = page or out / "leaderboard.md"
    image.write_bytes(target, text.encode())
    click.echo(f"page {target}")
    cli_work.warn(problems)
    cli_work.fail_if(failures + len(problems))
    return None


def _tell_due(settings: Settings) -> None:
    from fusionzoo import leaderboard as board

    total = 0
    for cells in board.grids(settings):
        if isinstance(cells, str):
            cli_work.warn([cells])
            continue
        for label, (missing, every) in board.due(cells).items():
            total += missing
            if missing:
                where = f"{cells.name}:{cells.listing.split}"
                click.echo(f"{where} {label}: {missing} of {every} pictures are due")
    click.echo(f"{total} pictures are due")


def _profile(settings: Settings, size: tuple[int, int]) -> None:
    from fusionzoo import costs, profiling
    from fusionzoo import leaderboard as board

    how = profiling.Settings([size], settings.device, settings.precision)
    for label in board.unprofiled(settings, size):
        try:
            path = costs.write(settings.out, profiling.measure_apart(label, how))
        except FusionZooError as error:
            cli_work.warn([f"profile of {label}: {error}"])
            continue
        click.echo(f"profile {path}")

"""The command that computes the grid: methods x datasets x metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fusionzoo import cli_work
from fusionzoo.cli_readers import judge, with_reader_options


@click.command()
@click.argument("name", required=False)
@click.option("--methods", help="all, or NAME[@TAG],...  [default: all]")
@click.option("--datasets", "where", help="all, or NAME[:SPLIT],...  [default: all]")
@click.option("--metrics", "wanted", help="all, core, or names  [default: all]")
@with_reader_options
@cli_work.convention_option
@cli_work.data_option
@cli_work.limit_option
@cli_work.device_option
@cli_work.precision_option
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def bench(
    name: str | None,
    methods: str | None,
    where: str | None,
    wanted: str | None,
    convention: str,
    data: Path | None,
    limit: int | None,
    device: str,
    precision: Any,
    out: Path,
    **reading: Any,
) -> None:
    """Methods x datasets x metrics: result files, tables and contact sheets.

    NAME is a grid of `fusionzoo list benchmarks`; options replace its parts.
    """
    from tqdm import tqdm

    from fusionzoo import bench as engine
    from fusionzoo import grid, metrics, report, tables

    plan = grid.named(name)
    chosen = metrics.select(wanted or ",".join(plan.metrics), convention)
    places, absent = grid.chosen_datasets(where or ",".join(plan.datasets), data, limit)
    predictors, unready = grid.chosen_methods(
        methods or ",".join(plan.methods), device, precision, [e.roles for _, e, _ in places]
    )
    cli_work.warn([*absent, *unready])
    found, sheets, readable = [], [], {}
    for place, entry, listing in places:
        cli_work.warn(f"{place}: {problem}" for problem in listing.problems)
        fitting = readable[place] = grid.fitting(predictors, entry.roles)
        cells = engine.Grid(place, entry, listing, fitting, chosen, out, convention)
        with tqdm(total=len(listing.items) * len(fitting), desc=place, disable=None) as bar:
            found += engine.run(cells, lambda _name, _picture, count: bar.update(count))
        sheets.append(report.contact_sheet(cells))
    table = report.comparison(found, chosen, {n: e.default_split for n, e, _ in places})
    for suffix in tables.FORMATS:
        table.write(out / f"table{suffix}")
    click.echo(table.markdown())
    click.echo(f"tables {out / 'table.*'}, sheets {', '.join(str(s) for s in sheets if s)}")
    judge(places, readable, out, data=data, device=device, precision=precision, **reading)
    failures = [f"{r.label} on {r.dataset}, {f.image}: {f.error}" for r in found for f in r.failed]
    for line in failures:
        click.secho(f"failed {line}", fg="yellow", err=True)
    cli_work.fail_if(len(failures) + sum(len(listing.problems) for _, _, listing in places))

"""Commands on finished results: merge, diff, table."""

from __future__ import annotations

from pathlib import Path

import click

from fusionzoo.cli_profile import size_of
from fusionzoo.core import FusionZooError

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def results() -> None:
    """Put results folders together, tell them apart, print their table."""


@results.command()
@click.argument("folders", nargs=-1, required=True, type=FOLDER)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Results folder.")
def merge(folders: tuple[Path, ...], out: Path) -> None:
    """Join the cells of FOLDERS in one results folder; values that disagree are refused."""
    from fusionzoo import compare

    count, problems = compare.merge(folders, out)
    click.echo(f"{count} cells in {out}")
    fail_on(problems)


@results.command()
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
def diff(first: Path, second: Path) -> None:
    """Cells and scores in which two results folders differ; the exit code is 1 if any does."""
    from fusionzoo import compare

    lines = compare.differences(first, second)
    for line in lines:
        click.echo(line)
    if lines:
        raise FusionZooError(f"{len(lines)} differences")
    click.echo("no difference")


@results.command()
@click.argument("folder", type=FOLDER)
@click.option("--metrics", "wanted", default="all", show_default=True, help="all, core, or names.")
@click.option("--datasets", "where", help="Only these, separated by commas.")
@click.option("--methods", help="Only these, with or without weights tag.")
@click.option("--convention", help="Only results of this metric convention.")
@click.option("--intervals", is_flag=True, help="95 % intervals of the means beside the values.")
@click.option("--cost", is_flag=True, help="Parameters, MACs, time and memory beside the values.")
@click.option("--size", default="1024x768", show_default=True, help="Of the pictures of --cost.")
@click.option("--out", type=click.Path(path_type=Path), help="Table: .csv, .json, .md or .tex.")
def table(
    folder: Path,
    wanted: str,
    where: str | None,
    methods: str | None,
    convention: str | None,
    intervals: bool,
    cost: bool,
    size: str,
    out: Path | None,
) -> None:
    """The table of a results folder, also of one that was merged or made elsewhere."""
    from fusionzoo import compare, costs, metrics, report, store, tables

    if out:
        tables.check_suffix(out)
    found, problems = store.find(folder)
    found = [
        result
        for result in found
        if _among(where, result.dataset, f"{result.dataset}:{result.split}")
        and _among(methods, result.method, result.label)
        and _among(convention, result.convention)
    ]
    if not found:
        raise FusionZooError(f"{folder} holds no result of that kind")
    present = {symbol for result in found for symbol in result.scores}
    rule = convention or found[0].convention
    chosen = [m for m in metrics.select(wanted, rule) if m.symbol in present]
    defaults = {r.dataset: compare.default_split(r.dataset, r.split) for r in found}
    made = report.comparison(found, chosen, defaults, intervals)
    if cost:
        width, height = size_of(size)
        profiles, faults = costs.read_all(folder)
        if not any(one.at(width, height) for one in profiles.values()):
            sizes = {f"{m.width}x{m.height}" for one in profiles.values() for m in one.measurements}
            there = f" (there are {', '.join(sorted(sizes))}: give --size)" if sizes else ""
            raise FusionZooError(
                f"no method was profiled at {size} below {folder}{there}: "
                f"fusionzoo profile all --size {size} --out {folder}"
            )
        made = costs.beside(made, profiles, width, height)
        problems += faults
    click.echo(made.markdown())
    if out:
        made.write(out)
        click.echo(f"table written to {out}")
    fail_on(problems)


@results.command()
@click.argument("folder", type=FOLDER)
@click.option("--all-pairs", is_flag=True, help="Compare all conventions, not only with standard.")
@click.option("--per-dataset", is_flag=True, help="Also name the winners on each dataset.")
@click.option("--out", type=click.Path(path_type=Path), help="Table: .csv, .json, .md or .tex.")
def stability(folder: Path, all_pairs: bool, per_dataset: bool, out: Path | None) -> None:
    """How much rankings depend on the metric convention, where cells have several."""
    from fusionzoo import rank_stability, store, tables

    if out:
        tables.check_suffix(out)
    found, problems = store.find(folder)
    rows = rank_stability.agreements(found, None if all_pairs else rank_stability.BASE)
    made = rank_stability.table(rows)
    click.echo(made.markdown())
    for row in rows if per_dataset else ():
        for place, one in row.datasets.items():
            ours, theirs = one.winners
            names = " and ".join(row.conventions)
            click.echo(f"{row.metric} by {names} on {place}: {ours}, {theirs} (tau {one.tau:.3f})")
    if out:
        made.write(out)
        click.echo(f"table written to {out}")
    fail_on(problems)


def _among(wanted: str | None, *names: str) -> bool:
    return wanted is None or any(name in wanted.split(",") for name in names)


def fail_on(problems: list[str]) -> None:
    """Say what could not be read, and fail for it."""
    for line in problems:
        click.secho(f"skipped {line}", fg="yellow", err=True)
    if problems:
        raise FusionZooError(f"{len(problems)} files could not be used; the others are done")

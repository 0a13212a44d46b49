"""The command that measures what methods cost: profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fusionzoo.cli_work import device_option, precision_option
from fusionzoo.core import FusionZooError

SIZES = ("640x480", "1024x768")


def size_of(text: str) -> tuple[int, int]:
    """Width and height of "1024x768".

    Raises:
        FusionZooError: It is not such a size.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise FusionZooError(f"'{text}' is no size: expected WIDTHxHEIGHT, such as 1024x768")
    return int(width), int(height)


@click.command()
@click.argument("methods", nargs=-1, required=True)
@click.option("--size", "sizes", multiple=True, metavar="WxH", help="May be repeated.")
@device_option
@precision_option
@click.option("--runs", type=click.IntRange(1), default=10, show_default=True, help="Timed calls.")
@click.option("--warmup", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--limit",
    type=click.FloatRange(min=0),
    default=20.0,
    show_default=True,
    help="Seconds per size after which no call is added, once three are timed.",
)
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Of torch and OpenCV.")
@click.option(
    "--untrained", is_flag=True, help="Random weights where there are none: they cost the same."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option(
    "--table", "target", type=click.Path(path_type=Path), help=".csv, .json, .md or .tex."
)
def profile(
    methods: tuple[str, ...],
    sizes: tuple[str, ...],
    device: str,
    precision: Any,
    runs: int,
    warmup: int,
    limit: float,
    batch: int,
    threads: int | None,
    untrained: bool,
    out: Path,
    target: Path | None,
) -> None:
    """Parameters, MACs, time, throughput and memory of METHODS; "all" takes all at hand.

    Every method is measured in a process of its own and written to OUT/profile/METHOD@TAG.json,
    where `fusionzoo results table OUT --cost` finds it. Run it on an idle machine.
    """
    wanted = [size_of(text) for text in sizes or SIZES]
    from fusionzoo import costs, profiling, tables

    if target:
        tables.check_suffix(target)
    settings = profiling.Settings(
        wanted, device, precision, runs, warmup, limit, batch, threads, untrained
    )
    every = profiling.names(untrained) if "all" in methods else []
    names = list(dict.fromkeys([*every, *(name for name in methods if name != "all")]))
    measured, problems = [], []
    for name in names:
        try:
            found = profiling.measure_apart(name, settings)
        except FusionZooError as error:
            problems.append(f"{name}: {error}")
            continue
        path = costs.write(out, found)
        click.echo(f"{found.label}: {path}", err=True)
        measured.append(found)
    made = costs.table(measured)
    click.echo(made.markdown())
    if target:
        made.write(target)
        click.echo(f"table written to {target}")
    for line in problems:
        click.secho(f"skipped {line}", fg="yellow", err=True)
    if problems:
        raise FusionZooError(f"{len(problems)} methods could not be measured; the others are")

"""The part of `bench` in which sources are damaged on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from fusionzoo.core import FusionZooError

if TYPE_CHECKING:
    from fusionzoo.core import Metric
    from fusionzoo.plan import Grid
    from fusionzoo.store import Result

OPTIONS = (
    click.option(
        "--robustness",
        metavar="all|NAME,...",
        help="Also damage the sources: all corruptions, or these.",
    ),
    click.option(
        "--severities", default="1,2,3,4,5", show_default=True, help="Of the damage, of 1 to 5."
    ),
)


def with_robustness_options(command: Any) -> Any:
    """Add --robustness and --severities; they arrive as keyword arguments."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def wanted(robustness: str | None, severities: str) -> Mapping[str, Sequence[int]]:
    """Corruption to severities, as asked on the command line; empty without --robustness.

    Raises:
        FusionZooError: No such corruption or severity.
    """
    if robustness is None:
        return {}
    from fusionzoo.corruption import CORRUPTIONS, Corruption

    names = list(CORRUPTIONS) if robustness == "all" else robustness.split(",")
    texts = sorted({text.strip() for text in severities.split(",")})
    if not all(text.isdecimal() for text in texts):
        raise FusionZooError(f"severities '{severities}' are not numbers of 1 to 5")
    numbers = [int(text) for text in texts]
    for name in names:
        for number in numbers:
            Corruption(name.strip(), number)
    return {name.strip(): numbers for name in names}


def damage(
    grids: Sequence[Grid],
    corruptions: Mapping[str, Sequence[int]],
    run: Callable[[Grid], Sequence[Result]],
) -> int:
    """Compute the damaged cells of grids that are finished, print the table, write the curves.

    Args:
        grids: One per dataset, all with one results folder.
        corruptions: Of `wanted`; nothing is done if there are none.
        run: Computes what is due of a grid, and gives all of its results.

    Returns:
        How many damaged pictures have no output.

    Raises:
        FusionZooError: No dataset has pairs of sources.
    """
    if not corruptions:
        return 0
    from fusionzoo import robustness, robustness_curves, tables

    steps = list(_damaged(grids, corruptions))
    if not steps:
        raise FusionZooError("no dataset here has pairs of sources: --robustness cannot damage any")
    failures = 0
    for step in steps:
        for result in run(step):
            failures += len(result.failed)
            for record in result.failed[:1]:
                text = f"failed {result.label} under {step.condition}: {record.error}"
                click.secho(f"{text} ({len(result.failed)} pictures)", fg="yellow", err=True)
    out = grids[0].out
    found, problems = robustness_curves.collect(out)
    for line in problems:
        click.secho(f"skipped {line}", fg="yellow", err=True)
    for one in found:
        robustness.write(out, one)
    table = robustness.table(found)
    click.echo(table.markdown())
    for suffix in tables.FORMATS:
        table.write(out / f"{robustness.FOLDER}{suffix}")
    click.echo(f"tables {out / robustness.FOLDER}.*, curves in {out / robustness.FOLDER}")
    return failures


def _damaged(grids: Sequence[Grid], corruptions: Mapping[str, Sequence[int]]) -> Iterator[Grid]:
    from dataclasses import replace

    from fusionzoo import robustness_curves
    from fusionzoo.corruption import pair_of

    for grid in grids:
        pair = pair_of(grid.dataset.roles)
        # Pictures that were fused elsewhere, which have no inputs, saw no damage.
        able = [p for p in grid.predictors if p.method.inputs]
        fusing = [p for p in able if pair and set(p.method.inputs) <= set(pair)]
        if not fusing:
            click.secho(f"robustness: {grid.name} is left out: no pair to damage", err=True)
            continue
        narrow = replace(grid, predictors=fusing, metrics=_compared(grid.applicable()))
        for name, severities in corruptions.items():
            yield from robustness_curves.damaged_grids(narrow, [name], severities)


def _compared(metrics: Sequence[Metric]) -> list[Metric]:
    """The usual metrics of robustness; else those that compare with sources; else all."""
    from fusionzoo.robustness import METRICS

    usual = [metric for metric in metrics if metric.symbol in METRICS]
    return usual or [m for m in metrics if m.reference == "sources"] or list(metrics)

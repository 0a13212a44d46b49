"""The command that turns a method's dials over a grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fusionzoo import cli_work
from fusionzoo.core import FusionZooError


class Numbers(click.ParamType[Any]):
    """Comma-separated numbers."""

    name = "numbers"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """A tuple of floats."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            return self.fail(f"'{value}' is not a list of numbers such as -0.3,0,0.3", param, ctx)


@click.command()
@click.argument("method")
@cli_work.dataset_option
@cli_work.split_option
@cli_work.with_roles
@click.option("--alphas", type=Numbers(), default="0,1,3", show_default=True)
@click.option("--betas", type=Numbers(), default="-0.3,0,0.3", show_default=True)
@click.option("--task", help="Variant; else as the roles say.")
@click.option("--weights", help="Tag, file, or hf://owner/repository/file.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder [default: out/METHOD_sweep].")
@cli_work.data_option
@cli_work.device_option
@cli_work.precision_option
@cli_work.limit_option
def sweep(
    method: str,
    dataset: str | None,
    split: str | None,
    alphas: tuple[float, ...],
    betas: tuple[float, ...],
    task: str | None,
    weights: str | None,
    out: Path | None,
    data: Path | None,
    device: str,
    precision: Any,
    limit: int | None,
    **roles: Path | None,
) -> None:
    """Fuse at every alpha (rows) and beta (columns): pictures, and a sheet per scene."""
    from fusionzoo import methods, predictor
    from fusionzoo import sweep as work

    _, entry, listing = cli_work.scenes_of(dataset, split, data, roles)
    chosen = task or methods.find(method.partition("@")[0]).task_for(entry.roles)
    if chosen is None:
        raise FusionZooError(f"{method} fuses no pair of {', '.join(entry.roles)}")
    loaded = predictor.load(method, weights, device, precision, task=chosen)
    loaded.turned(alpha=alphas[0], beta=betas[0])  # a method without these dials is refused once
    folder = cli_work.apart(out or Path("out") / f"{loaded.name}_sweep", roles)
    cli_work.each(
        listing,
        limit,
        lambda sample: click.echo(work.write(loaded, sample, alphas, betas, folder)),
    )

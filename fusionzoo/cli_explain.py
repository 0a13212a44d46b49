"""The command that shows why a method does what it does."""

from __future__ import annotations

from pathlib import Path

import click

from fusionzoo import catalog
from fusionzoo.cli_work import (
    apart,
    data_option,
    dataset_option,
    each,
    limit_option,
    scenes_of,
    split_option,
    with_roles,
)
from fusionzoo.core import DataError, FusionZooError, Method, Sample


@click.command()
@click.argument("method")
@dataset_option
@split_option
@with_roles
@click.option(
    "--weights",
    type=click.Path(exists=True, path_type=Path),
    help="What is shown, of a training of one's own; else what is shipped.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder [default: out/METHOD-explained]."
)
@data_option
@limit_option
def explain(
    method: str,
    dataset: str | None,
    split: str | None,
    weights: Path | None,
    out: Path | None,
    data: Path | None,
    limit: int | None,
    **roles: Path | None,
) -> None:
    """Write maps of what a method attends to, or of the loss it learned, beside the sources."""
    from fusionzoo import image, sheet

    known: Method = catalog.find("fusionzoo.methods", method)
    if known.explain is None:
        usable = catalog.usable("fusionzoo.methods")
        able = sorted(name for name, entry in usable.items() if entry.explain)
        raise FusionZooError(f"{method} has nothing to show; these have: {', '.join(able)}")
    _, entry, listing = scenes_of(dataset, split, data, roles)
    task = known.task_for(entry.roles)
    if task is None:
        raise DataError(
            f"{method} fits no pair of {entry.title}: it offers {', '.join(entry.roles)}"
        )
    form, folder = known.form(task), apart(out or Path("out") / f"{method}-explained", roles)
    show = catalog.resolve(known.explain)

    def write(sample: Sample) -> None:
        found = show(form, weights, sample)
        pictures = {role: sample.images[role] for role in form.inputs} | found
        levels = {name: image.to_levels(plane) for name, plane in pictures.items()}
        for name in found:
            image.write(folder / f"{sample.name}_{name.replace(' ', '_')}.png", levels[name])
        sheet.write(folder / f"{sample.name}.png", [sheet.Strip(sample.name, levels)])

    count = each(listing, limit, write)
    click.echo(f"{method}: maps of {count} scenes in {folder}")

"""The commands that work: run and eval; what they need is imported when they run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fusionzoo.core import (
    PAIRS,
    DataError,
    Dataset,
    FusionZooError,
    Item,
    Listing,
    OutputError,
    Sample,
    WeightsError,
)

if TYPE_CHECKING:
    from fusionzoo.tables import Table

EXISTING = click.Path(exists=True, path_type=Path)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Data root; else FUSIONZOO_DATA, else the cache.",
)
dataset_option = click.option("--dataset", metavar="NAME[:SPLIT]", help="A dataset by name.")
split_option = click.option("--split", help="Split; the same as NAME:SPLIT.")
limit_option = click.option("--limit", type=click.IntRange(1), help="Only the first N scenes.")
device_option = click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps.")
precision_option = click.option(
    "--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True
)
metrics_option = click.option(
    "--metrics", "wanted", default="core", show_default=True, help="all, core, a group, or names."
)
convention_option = click.option(
    "--convention", default="standard", show_default=True, help="Metric convention, by name."
)
ROLES = (*(role for pair in PAIRS.values() for role in pair), "panorama")


def with_roles(command: Any) -> Any:
    """Add --visible, --infrared and the roles of other pairs."""
    for role in reversed(ROLES):
        note = f"A picture or folder, role {role}."
        command = click.option(f"--{role}", type=EXISTING, help=note)(command)
    return command


def scenes_of(
    dataset: str | None, split: str | None, data: Path | None, roles: Mapping[str, Path | None]
) -> tuple[str, Dataset, Listing]:
    """The scenes a command works on: a dataset by name, or folders and files given by role."""
    from fusionzoo import datasets

    given = {role: path for role, path in roles.items() if path}
    if dataset and given:
        raise DataError("give either --dataset or pictures by role, not both")
    if given:
        entry = datasets.folder(**given)
        return "folder", entry, entry.listing(None, entry.default_split)
    if not dataset:
        raise DataError(
            "nothing to work on: give --dataset NAME, or pictures by role, for example "
            "--visible A --infrared B"
        )
    name, _, inline = dataset.partition(":")
    entry, chosen = datasets.parse(f"{name}:{split or inline}" if split or inline else name)
    return name.lower(), entry, entry.listing(data, chosen)


def _first(listing: Listing, limit: int | None) -> tuple[Item, ...]:
    return listing.items[:limit]


def apart(out: Path, roles: Mapping[str, Path | None]) -> Path:
    """The folder for what a command makes.

    Raises:
        FusionZooError: Sources lie there, which would be overwritten.
    """
    for role, path in roles.items():
        if path and out.resolve() == (path if path.is_dir() else path.parent).resolve():
            raise FusionZooError(
                f"{out} holds the {role} pictures, which would be overwritten: choose another --out"
            )
    return out


def each(listing: Listing, limit: int | None, work: Callable[[Sample], object]) -> int:
    """Do something with every scene, name those that fail, and say how many were done.

    Raises:
        FusionZooError: Some could not be used; raised after the last one.
        OutputError: The place cannot be written to.
    """
    warn(listing.problems)
    items, failed = _first(listing, limit), 0
    for item in items:
        try:
            work(item.load())
        except (OutputError, WeightsError):
            raise
        except FusionZooError as error:
            click.secho(f"failed {item.name}: {error}", fg="yellow", err=True)
            failed += 1
    fail_if(failed + len(listing.problems))
    return len(items)


def warn(lines: Iterable[str]) -> None:
    """Say what was left out, one line each."""
    for line in lines:
        click.secho(f"skipped {line}", fg="yellow", err=True)


@click.command()
@click.argument("method")
@dataset_option
@split_option
@with_roles
@click.option("--weights", help="Tag, file, or hf://owner/repository/file.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder [default: out/METHOD].")
@data_option
@device_option
@precision_option
@limit_option
@click.option("--tile", type=click.IntRange(0), help="Side of a tile in pixels; 0: never.")
@click.option("--task", type=click.Choice(list(PAIRS)), help="Variant; else as the roles say.")
@click.option(
    "--stretch/--no-stretch", default=None, help="Output spans 0 to 1; else as published."
)
@click.option(
    "--wrap",
    type=click.IntRange(0),
    default=0,
    help="Columns by which a full-circle panorama is continued on each side.",
)
@click.option("--stages", is_flag=True, help="Also write the pictures between stages of a chain.")
@click.option("--alpha", type=float, help="The same as --dial alpha=NUMBER.")
@click.option("--beta", type=float, help="The same as --dial beta=NUMBER.")
@click.option("--dial", "dials", multiple=True, metavar="NAME=NUMBER", help="Turn a dial.")
def run(
    method: str,
    dataset: str | None,
    split: str | None,
    weights: str | None,
    out: Path | None,
    data: Path | None,
    device: str,
    precision: Any,
    limit: int | None,
    tile: int | None,
    task: str | None,
    stretch: bool | None,
    wrap: int,
    stages: bool,
    alpha: float | None,
    beta: float | None,
    dials: tuple[str, ...],
    **roles: Path | None,
) -> None:
    """Run a method on every scene of a dataset, or of folders or files, and write the pictures.

    METHOD may be a chain, such as mitnet+sage: restore, then fuse. Segmenters write label maps,
    overlays and a table of areas.
    """
    from tqdm import tqdm

    from fusionzoo import fuse, pipeline, predictor, segmentation

    known = pipeline.entry(method, task)
    _, entry, listing = scenes_of(dataset, split, data, roles)
    chosen = task or known.task_for(entry.roles)
    wanted = known if chosen is None else known.form(chosen)
    if predictor.roles_for(wanted, entry.roles) is None:
        lacking = set(wanted.inputs) - set(entry.roles)
        raise DataError(f"{method} needs {', '.join(sorted(lacking))}: {entry.title} has none")
    loaded = pipeline.load(method, weights, device, precision, tile, chosen, stretch, wrap)
    if turns := fuse.turns(dials, alpha=alpha, beta=beta):
        loaded = loaded.turned(**turns)
    folder = apart(out or Path("out") / loaded.name, roles)
    if stages:
        loaded = pipeline.keeping_stages(loaded, folder)
    warn(listing.problems)
    items = _first(listing, limit)
    failed: list[str] = []
    kept = 0
    with tqdm(total=len(items), unit="picture", disable=None) as bar:

        def report(outcome: fuse.Outcome) -> None:
            nonlocal kept
            kept += outcome.state == "kept"
            if outcome.state == "failed":
                failed.append(outcome.name)
                bar.write(f"failed {outcome.name}: {outcome.error}", file=sys.stderr)
            bar.update()

        fuse.fuse(loaded, items, folder, report)
    made = len(items) - kept - len(failed)
    note = f" ({kept} were there already)" if kept else ""
    click.echo(f"{loaded.label}: {made + kept} pictures in {folder}{note}")
    for label, seconds in loaded.stage_seconds().items():
        click.echo(f"  {label}: {seconds:.2f} s a picture")
    if loaded.method.classes is not None:
        names = [item.name for item in items]
        click.echo(f"areas {segmentation.write_areas(folder, names, loaded.method.classes)}")
    fail_if(len(failed) + len(listing.problems))


def fail_if(count: int) -> None:
    """End with an error if scenes could not be used."""
    if count:
        raise FusionZooError(f"{count} of the scenes could not be used; the others are done")


@click.command("eval")
@click.option("--fused", type=click.Path(path_type=Path), help="Folder of fused pictures.")
@click.option("--predictions", type=click.Path(path_type=Path), help="Folder of label maps.")
@dataset_option
@split_option
@with_roles
@metrics_option
@convention_option
@click.option("--miou-preset", "preset", help="How IoU is averaged; else as the classes say.")
@data_option
@limit_option
@click.option("--out", type=click.Path(path_type=Path), help="Table: .csv, .json, .md or .tex.")
def evaluate(
    fused: Path | None,
    predictions: Path | None,
    dataset: str | None,
    split: str | None,
    wanted: str,
    convention: str,
    preset: str | None,
    data: Path | None,
    limit: int | None,
    out: Path | None,
    **roles: Path | None,
) -> None:
    """Score fused pictures, or label maps, that any program made."""
    from fusionzoo import metrics, report, score, tables

    if (fused is None) == (predictions is None):
        raise DataError("give either --fused FOLDER or --predictions FOLDER")
    if out:
        tables.check_suffix(out)
    chosen = metrics.select(wanted, convention)
    _, entry, listing = scenes_of(dataset, split, data, roles)
    warn(listing.problems)
    items = _first(listing, limit)
    if predictions is not None:
        preset = preset or (entry.classes.miou if entry.classes else None)
        scores = score.score_predictions(predictions, items, entry, chosen, preset)
        rule = f"mIoU preset: {preset}."
    else:
        preset = None
        scores = score.score_pictures(Path(str(fused)), items, chosen, convention)
        rule = report.rule_of([convention], chosen)
    warn(scores.problems)
    seen = {symbol for observations in scores.observations.values() for symbol in observations}
    lost = [metric for metric in chosen if metric.symbol not in seen] if scores.observations else []
    warn(score.unseen(wanted, lost))
    if scores.observations and not seen:
        raise FusionZooError(f"none of {', '.join(m.symbol for m in chosen)} can be measured here")
    caption = f"{entry.title}, split {listing.split}, n = {len(scores.observations)}. {rule}"
    _show(score.table(scores, chosen, caption, convention, preset), out)
    fail_if(len(scores.problems) + len(listing.problems))


def _show(table: Table, out: Path | None) -> None:
    click.echo(table.markdown())
    if out:
        table.write(out)
        click.echo(f"table written to {out}")

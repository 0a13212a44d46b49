"""The command that trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import click

from fusionzoo.cli_work import data_option, device_option, precision_option


@click.command()
@click.argument("name")
@click.option(
    "--dataset",
    default="demo:train",
    show_default=True,
    metavar="NAME[:SPLIT],...",
    help="What to train on.",
)
@click.option("--task", help="Short for --set task=..., of methods that have several.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a setting.")
@data_option
@device_option
@precision_option
@click.option("--stop-after", type=click.IntRange(1), help="Stop, resumable, after N steps.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder.  [default: runs/NAME]")
@click.option("--show-settings", is_flag=True, help="Print the settings and their defaults.")
def train(
    name: str,
    dataset: str,
    task: str | None,
    changes: tuple[str, ...],
    data: Path | None,
    device: str,
    precision: str,
    stop_after: int | None,
    out: Path | None,
    show_settings: bool,
) -> None:
    """Train a method; the same command again goes on where it was stopped.

    Runs on one device, or on several under torchrun.
    """
    from tqdm import tqdm

    from fusionzoo import parallel
    from fusionzoo.train import run

    if show_settings:
        for field in dataclasses.fields(run.recipe_class(name).Settings):
            click.echo(f"{field.name}={field.default}  ({field.type})")
        return
    settings = (*changes, *([f"task={task}"] if task else []))
    folder = out or Path("runs") / name
    job = run.Job(name, dataset, settings, folder, data, device, precision, stop_after)
    with tqdm(desc=name, unit="step", disable=None if not parallel.launched() else True) as bar:

        def told(step: int, losses: Mapping[str, float]) -> None:
            bar.update(step + 1 - bar.n)
            bar.set_postfix({key: f"{value:.4g}" for key, value in losses.items()}, refresh=False)

        done = run.train(job, told)
    click.echo(f"{name}: {done} steps done, in {folder}")
    if not (folder / run.WEIGHTS).exists():
        click.echo("stopped before the end: the same command goes on, and then writes the weights")

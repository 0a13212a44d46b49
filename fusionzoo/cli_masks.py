"""The command that finds SAGE's masks ahead of a training, which else finds them on its way."""

from __future__ import annotations

from pathlib import Path

import click

from fusionzoo.cli_work import data_option


@click.command()
@click.option(
    "--dataset", default="demo:train", show_default=True, metavar="NAME[:SPLIT],...",
    help="Whose pictures.",
)  # fmt: skip
@click.option(
    "--provider", type=click.Choice(["felzenszwalb", "sam"]), default="felzenszwalb",
    show_default=True, help="What finds them.",
)  # fmt: skip
@click.option("--checkpoint", type=click.Path(path_type=Path), help="SAM's weights.")
@click.option(
    "--preset", default="quick", show_default=True, help="quick, or official: 32,768 prompts."
)
@data_option
def masks(
    dataset: str, provider: str, checkpoint: Path | None, preset: str, data: Path | None
) -> None:
    """Find the masks that SAGE's teacher is trained with, and keep them.

    May be stopped at any time; the same command goes on with the next picture.
    """
    from tqdm import tqdm

    from fusionzoo.methods.sage import masks as finding
    from fusionzoo.train import run

    cache = finding.Cache(finding.provider(provider, None, checkpoint, preset))
    found = run.scenes(dataset, ("visible", "infrared"), data)
    items = [item for listed in found.values() for item in listed]
    counts = [
        len(one)
        for item in tqdm(items, desc="masks", unit="pair", disable=None)
        for one in finding.of_sample(cache, item.load())
    ]
    click.echo(
        f"{len(items)} pairs, {sum(counts) / max(len(counts), 1):.1f} masks a picture, in "
        f"{cache.root}"
    )

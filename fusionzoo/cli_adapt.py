"""The command that prepares adaptation: pseudo labels and prototypes."""

from __future__ import annotations

from pathlib import Path

import click

from fusionzoo.cli_work import data_option, device_option


@click.command("pseudo-label")
@click.argument("method")
@click.option("--dataset", required=True, metavar="NAME[:SPLIT]", help="Unlabelled pictures.")
@click.option("--source", metavar="NAME[:SPLIT]", help="Labelled scenes, for prototypes.")
@click.option("--source-limit", type=click.IntRange(1), help="Only the first N of them.")
@click.option("--weights", help="Tag, file, or hf://owner/repository/file.")
@click.option("--scales", default="0.5,0.75,1,1.25,1.5,1.75", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder.")
@data_option
@device_option
def pseudo_label(
    method: str,
    dataset: str,
    source: str | None,
    source_limit: int | None,
    weights: str | None,
    scales: str,
    out: Path,
    data: Path | None,
    device: str,
) -> None:
    """Label pictures with a segmenter's own confident predictions, for `train ... --set pseudo=`.

    With --source, class prototypes of both domains are written too (for --set stage=mpa).
    """
    from tqdm import tqdm

    from fusionzoo import datasets, predictor, pseudo
    from fusionzoo.core import FusionZooError

    try:
        factors = tuple(float(text) for text in scales.split(","))
    except ValueError:
        raise FusionZooError(f"--scales {scales}: expected numbers, comma-separated") from None
    entry, split = datasets.parse(dataset)
    items = entry.listing(data, split).items
    loaded = predictor.load(method, weights, device)
    if loaded.method.classes is None:
        raise FusionZooError(f"{method} is no segmenter: it has no classes")
    with tqdm(total=len(items), unit="picture", disable=None) as bar:
        limits = pseudo.label(loaded, items, out, factors, lambda _: bar.update())
    names = loaded.method.classes.names
    click.echo(", ".join(f"{names[one]} {limit:.3f}" for one, limit in sorted(limits.items())))
    if source:
        known, part = datasets.parse(source)
        labelled = known.listing(data, part).items[:source_limit]
        click.echo(f"prototypes {pseudo.prototypes(loaded, labelled, items, out)}")
    click.echo(f"{len(items)} label maps in {out}")

"""The part of `bench` in which a segmenter judges the fused pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fusionzoo.core import Dataset, FusionZooError, Listing

if TYPE_CHECKING:
    from fusionzoo.predictor import Predictor
    from fusionzoo.tables import Table

OPTIONS = (
    click.option("--reader", metavar="NAME[@TAG]", help="Segmenter that judges fused pictures."),
    click.option(
        "--retrain-reader",
        metavar="SPLIT",
        help="Train the reader anew on each method's fused pictures of this split.",
    ),
    click.option(
        "--reader-set", "reader_set", multiple=True, metavar="NAME=VALUE", help="Its settings."
    ),
    click.option(
        "--reader-precision",
        type=click.Choice(["float32", "bfloat16"]),
        default="float32",
        help="Of its training; --precision is that of fusion.",
    ),
)


def with_reader_options(command: Any) -> Any:
    """Add --reader, --retrain-reader and --reader-set; they arrive as keyword arguments."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def check_reader(
    places: Sequence[tuple[str, Dataset, Listing]],
    reader: str | None,
    retrain_reader: str | None,
    reader_set: Sequence[str],
    **_: Any,
) -> None:
    """Refuse what `judge` could not do, before hours are spent on the rest.

    Raises:
        FusionZooError: Options without a reader, no segmenter of that name, or no labels.
    """
    if not reader:
        if retrain_reader or reader_set:
            raise FusionZooError("--retrain-reader and --reader-set need --reader NAME")
        return
    from fusionzoo import pipeline

    if pipeline.entry(reader).task != "segment":
        raise FusionZooError(f"{reader} is no segmenter: a reader needs task 'segment'")
    if not any(entry.target == "labels" for _, entry, _ in places):
        raise FusionZooError("no dataset here has labels: --reader needs fmb, mfnet, msrs or demo")


def judge(
    places: Sequence[tuple[str, Dataset, Listing]],
    predictors: Mapping[str, Sequence[Predictor]],
    out: Path,
    reader: str | None,
    retrain_reader: str | None,
    reader_set: Sequence[str],
    reader_precision: str,
    data: Path | None,
    device: str,
) -> list[Path]:
    """Tables of mIoU and IoU per class, printed and written; nothing without --reader.

    Args:
        places: Datasets with their scenes; those without labels are left out.
        predictors: Dataset name to the methods that fit it.
        out: Folder of results.
        reader: As given on the command line, likewise the others.
        retrain_reader: Split to retrain on.
        reader_set: Settings of the retraining.
        reader_precision: Of the retraining.
        data: Data root.
        device: Where networks run.

    Raises:
        FusionZooError: The reader cannot judge these labels.
    """
    if not reader:
        return []
    written = []
    for name, entry, listing in (place for place in places if place[1].target == "labels"):
        from fusionzoo.readers.judge import Bench

        bench = Bench(name, entry, listing, out)
        chosen = predictors[name]
        if retrain_reader:
            setup = (retrain_reader, tuple(reader_set), data, device, reader_precision)
            table = _retrained(bench, chosen, reader, *setup)
            stem = f"retrained-{reader}"
        else:
            table, stem = _fixed(bench, chosen, reader, device)
        click.echo(table.markdown())
        for suffix in (".md", ".csv", ".json"):
            written.append(bench.folder(stem) / f"table{suffix}")
            table.write(written[-1])
    click.echo(f"reader's tables {', '.join(str(path) for path in written[::3])}")
    return written


def _fixed(bench: Any, chosen: Sequence[Predictor], reader: str, device: str) -> tuple[Table, str]:
    from tqdm import tqdm

    from fusionzoo import predictor
    from fusionzoo.readers import judge as engine

    ready = predictor.load(reader, device=device)
    engine.check(ready, bench.classes)
    with tqdm(total=len(chosen) * len(bench.listing.items), desc="reading", disable=None) as bar:
        found = [engine.run(bench, one, ready, lambda _: bar.update()) for one in chosen]
    trained = ", ".join(ready.weights.trained_on) if ready.weights else "nothing"
    caption = f"Fused pictures of {bench.name}:{bench.listing.split} read by {ready.label}, "
    table = engine.table(found, bench.classes, f"{caption}which was trained on {trained}.")
    return table, ready.label


def _retrained(
    bench: Any,
    chosen: Sequence[Predictor],
    reader: str,
    split: str,
    changes: Sequence[str],
    data: Path | None,
    device: str,
    precision: str,
) -> Table:
    from tqdm import tqdm

    from fusionzoo import datasets
    from fusionzoo.readers import judge as engine
    from fusionzoo.readers import retrain

    if split == bench.listing.split:
        raise FusionZooError(f"a reader cannot be trained on the split it judges: {split}")
    entry, part = datasets.parse(f"{bench.name}:{split}")
    items = entry.listing(data, part).items
    folder = bench.folder(f"retrained-{reader}")
    protocol = retrain.Protocol(
        reader.partition("@")[0], changes, items, bench.classes, folder, device, precision
    )
    told = [_named(change) for change in changes]
    training = {"split": split, "scenes": len(items), "settings": told, "precision": precision}
    found = []
    with tqdm(desc="retraining", disable=None) as bar:
        for one in chosen:
            bar.set_postfix_str(one.label)
            ready = retrain.train(protocol, one, lambda _: bar.update())
            found.append(engine.run(bench, one, ready, lambda _: bar.update(), training))
    caption = (
        f"Fused pictures of {bench.name}:{bench.listing.split}, each method's read by {reader} "
        f"trained anew on its fused {split} pictures (n = {len(items)}, same seed and steps"
    )
    extra = "".join(f"; {text}" for text in (precision, ", ".join(told)) if text)
    return engine.table(found, bench.classes, f"{caption}{extra}).")


def _named(change: str) -> str:
    """A setting for results: a file by its sha256, since its path means nothing elsewhere."""
    from fusionzoo import image

    name, _, value = change.partition("=")
    path = Path(value)
    return f"{name}=sha256:{image.digest(path)[:16]}" if path.is_file() else change

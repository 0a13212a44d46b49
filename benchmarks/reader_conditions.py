"""A reader's results by day, at night and in fog, from the files that `bench --reader` wrote.

    fusionzoo bench --datasets demo --metrics EN --reader trans4pass --out results
    python benchmarks/reader_conditions.py results/demo/readers/trans4pass@zoo

Names of `demo` end in D, N or F. The first table is mIoU by condition, and at night and in fog the
IoU of some classes (`--classes Person,Car`) and their mean; the others have all classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from fusionzoo import datasets, image, store
from fusionzoo.core import ClassTable
from fusionzoo.metrics.miou import miou
from fusionzoo.readers.judge import confusion, table
from fusionzoo.store import Result
from fusionzoo.tables import Column, Row, Table

CONDITIONS = {"all": "DNF", "day": "D", "night": "N", "fog": "F", "night and fog": "NF"}
DARK = ("night", "fog", "night and fog")


def scores(result: Result, suffixes: str, classes: ClassTable) -> tuple[float, list[float]]:
    """MIoU and IoU per class of the pictures whose names end so."""
    counts = confusion([record for record in result.records if record.image[-1] in suffixes])
    if counts is None:
        raise click.ClickException(f"{result.method} has no picture whose name ends in {suffixes}")
    found = miou(counts, classes.miou)
    return found.value, list(found.per_class)


def summary(found: Sequence[Result], classes: ClassTable, chosen: Sequence[str]) -> Table:
    """Methods by mIoU under every condition, and by some classes where light fails."""
    rows = []
    for result in found:
        values = [scores(result, suffixes, classes)[0] for suffixes in CONDITIONS.values()]
        each = {
            name: [scores(result, CONDITIONS[name], classes)[1][classes.names.index(one)]
                   for one in chosen]
            for name in DARK
        }  # fmt: skip
        means = [float(np.mean(each[name])) for name in DARK]
        rows.append(Row((result.method, result.weights), (*values, *each[DARK[-1]], *means)))
    both = " and ".join(chosen)
    dark = [f"{name}, {DARK[-1]}" for name in chosen] + [f"{both}, {name}" for name in DARK]
    columns = tuple(Column(name, True) for name in (*CONDITIONS, *dark))
    caption = f"mIoU by condition, preset {classes.miou}; IoU of {both}, and their mean."
    return Table(("method", "weights"), columns, tuple(rows), caption, classes.miou)


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--dataset", default="demo")
@click.option("--classes", "chosen", default="Person,Car")
def main(folder: Path, dataset: str, chosen: str) -> None:
    paths = sorted(path for path in folder.glob("*.json") if path.stem != "table")
    found = [store.read(path) for path in paths]
    reader = found[0].provenance["reader"]
    classes = datasets.find(dataset).classes
    parts = [summary(found, classes, chosen.split(",")).markdown()]
    for name, suffixes in CONDITIONS.items():
        caption = f"{dataset}, {name}, reader {reader}."
        one = table(found, classes, caption, lambda image_name, s=suffixes: image_name[-1] in s)
        parts.append(f"## {name}\n\n{one.markdown()}\n")
    text = "\n".join(parts)
    click.echo(text)
    image.write_bytes(folder / "conditions.md", text.encode())


if __name__ == "__main__":
    main()

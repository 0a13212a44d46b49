"""A reader's results by day, at night and in fog, from the files that `bench --reader` wrote.

    fusionzoo bench --datasets demo --metrics EN --reader trans4pass --out results
    python benchmarks/reader_conditions.py results/demo/readers/trans4pass@zoo

Names of `demo` end in D, N or F. The first table is mIoU by condition, and at night and in fog the
IoU of some classes (`--classes Person,Car`) and their mean; the second compares that mean with each
source's (`--against`), with 95 % intervals over the pictures; the others have all classes.
`--first 12` counts only that many scenes (results on `test_large` begin with those of `test`), and
then no file is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from tabulate import tabulate

from fusionzoo import datasets, image, store
from fusionzoo.core import ClassTable
from fusionzoo.metrics.miou import miou
from fusionzoo.readers.judge import confusion, table
from fusionzoo.store import Result
from fusionzoo.tables import Column, Row, Table

CONDITIONS = {"all": "DNF", "day": "D", "night": "N", "fog": "F", "night and fog": "NF"}
DARK = ("night", "fog", "night and fog")
RESAMPLES = 2000


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


def chosen_iou(counts: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """Mean IoU of some classes, from confusion matrices (..., K, K) without the void class."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    union = counts.sum(-1) + counts.sum(-2) - right
    return (right[..., ids] / union[..., ids]).mean(-1)


def differences(
    found: Sequence[Result], classes: ClassTable, chosen: Sequence[str], against: Sequence[str]
) -> str:
    """Mean IoU of some classes minus another row's; percentile intervals of paired resamples."""
    ids = [classes.names.index(name) for name in chosen]
    rows = []
    for result in found:
        cells = [f"{result.method}"]
        for other in (one for name in against for one in found if one.method == name):
            for condition in DARK:
                pair = [tables(one, CONDITIONS[condition], classes) for one in (result, other)]
                cells.append(interval(*pair, ids) if result is not other else "")
        rows.append(cells)
    heads = [f"minus {name}, {condition}" for name in against for condition in DARK]
    return tabulate(rows, ["method", *heads], tablefmt="github", disable_numparse=True)


def tables(result: Result, suffixes: str, classes: ClassTable) -> np.ndarray:
    """Confusion matrices (n, K, K) of the pictures whose names end so, in order of name."""
    kept = sorted((r for r in result.records if r.image[-1] in suffixes), key=lambda r: r.image)
    matrices = np.array([confusion([record]) for record in kept], float)
    matrices[:, list(classes.ignored)] = 0  # what was not labelled counts for nothing
    return matrices


def interval(one: np.ndarray, two: np.ndarray, ids: Sequence[int]) -> str:
    """Difference of two rows on the same pictures, with its interval."""
    chance = np.random.default_rng(0)
    weights = chance.multinomial(len(one), [1 / len(one)] * len(one), RESAMPLES)
    parts = [chosen_iou(np.einsum("bn,nij->bij", weights, each), ids) for each in (one, two)]
    low, high = np.quantile(parts[0] - parts[1], [0.025, 0.975])
    centre = chosen_iou(one.sum(0), ids) - chosen_iou(two.sum(0), ids)
    return f"{centre:+.3f} [{low:+.3f}, {high:+.3f}]"


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--dataset", default="demo")
@click.option("--classes", "chosen", default="Person,Car")
@click.option("--against", default="infrared,visible", help="Rows that others are compared with.")
@click.option("--first", type=click.IntRange(1), help="Scenes that count, in order of name.")
def main(folder: Path, dataset: str, chosen: str, against: str, first: int | None) -> None:
    paths = sorted(path for path in folder.glob("*.json") if path.stem != "table")
    found = [store.read(path) for path in paths]
    found = [replace(one, records=tuple(one.records[:first])) for one in found]
    reader = found[0].provenance["reader"]
    classes = datasets.find(dataset).classes
    named = chosen.split(",")
    parts = [summary(found, classes, named).markdown()]
    compared = differences(found, classes, named, against.split(","))
    caption = f"Mean IoU of {' and '.join(named)} minus that of"
    parts.append(f"{caption} {against}; 95 % intervals, {RESAMPLES} resamples.\n\n{compared}\n")
    for name, suffixes in CONDITIONS.items():
        caption = f"{dataset}, {name}, reader {reader}."
        one = table(found, classes, caption, lambda image_name, s=suffixes: image_name[-1] in s)
        parts.append(f"## {name}\n\n{one.markdown()}\n")
    text = "\n".join(parts)
    click.echo(text)
    if first is None:
        image.write_bytes(folder / "conditions.md", text.encode())


if __name__ == "__main__":
    main()

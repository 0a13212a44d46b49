"""A reader's results by day, at night and in fog, from the files that `bench --reader` wrote.

    fusionzoo bench --datasets demo --metrics EN --reader trans4pass --out results
    python benchmarks/reader_conditions.py results/demo/readers/trans4pass@zoo

Names of `demo` end in D, N or F.
"""

from __future__ import annotations

from pathlib import Path

import click

from fusionzoo import datasets, image, store
from fusionzoo.readers.judge import table

CONDITIONS = {"all": "DNF", "day": "D", "night": "N", "fog": "F", "night and fog": "NF"}


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--dataset", default="demo")
def main(folder: Path, dataset: str) -> None:
    paths = sorted(path for path in folder.glob("*.json") if path.stem != "table")
    found = [store.read(path) for path in paths]
    reader = found[0].provenance["reader"]
    parts = []
    for name, suffixes in CONDITIONS.items():
        caption = f"{dataset}, {name}, reader {reader}."
        classes = datasets.find(dataset).classes
        chosen = table(found, classes, caption, lambda image_name, s=suffixes: image_name[-1] in s)
        parts.append(f"## {name}\n\n{chosen.markdown()}\n")
    text = "\n".join(parts)
    click.echo(text)
    image.write_bytes(folder / "conditions.md", text.encode())


if __name__ == "__main__":
    main()

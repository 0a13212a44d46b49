"""What haze costs a fusion method, and what restoring first gives back.

Every hazy scene is fused as it is and after each restorer; the reference is the fusion of the clean
visible picture by the same method. PSNR-T and SSIM-T compare with that reference, the other
metrics see the clean sources.

    python benchmarks/fusion_under_haze.py DATA [--fuser sage] [--out FOLDER] [--limit N]
"""

import argparse
from pathlib import Path
from statistics import fmean

import numpy as np

import fusionzoo
from fusionzoo import datasets, image, metrics, sheet
from fusionzoo.core import Sample
from fusionzoo.tables import Column, Row, Table

WANTED = "PSNR-T,SSIM-T,EN,SD,SF,AG,SCD,SSIM"
ON_SHEET = 4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dataset", default="msrs_haze")
    parser.add_argument("--fuser", default="sage")
    parser.add_argument("--restorers", default="dark_channel,mitnet")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--limit", type=int)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    entry, split = datasets.parse(given.dataset)
    items = entry.listing(given.data, split).items[: given.limit]
    names = [given.fuser, *(f"{one}+{given.fuser}" for one in given.restorers.split(","))]
    methods = [fusionzoo.load(name, device="cpu") for name in names]
    chosen = metrics.select(WANTED)
    values: dict[str, list[list[float]]] = {}
    strips = []
    for number, item in enumerate(items):
        hazy = item.load()
        assert hazy.target is not None
        clean = Sample(hazy.name, {**hazy.images, "visible": hazy.target})
        reference = image.to_levels(methods[0].fuse(clean)[0])
        planes = {role: metrics.Plane(image.to_levels(p)) for role, p in clean.images.items()}
        planes["target"] = metrics.Plane(reference)
        shown: dict[str, image.Levels] = {
            "hazy": image.to_levels(hazy.images["visible"]),
            "infrared": image.to_levels(hazy.images["infrared"]),
        }
        for method in methods:
            output = image.to_levels(method.fuse(hazy)[0])
            seen = metrics.observe(chosen, metrics.Plane(output), "standard", **planes)
            row = [seen[m.symbol].value if m.symbol in seen else None for m in chosen]
            values.setdefault(method.label, []).append([np.nan if v is None else v for v in row])
            shown[method.label] = output
        of_reference = metrics.observe(chosen, planes["target"], "standard", **planes)
        row = [np.nan if m.reference == "target" else of_reference[m.symbol].value for m in chosen]
        values.setdefault("fusion of the clean picture", []).append(row)
        shown["clean fused"] = reference
        if number % max(1, len(items) // ON_SHEET) == 0:
            strips.append(sheet.Strip(item.name, shown))
        print(number + 1, item.name, flush=True)
    columns = tuple(Column(metric.symbol, metric.higher_is_better) for metric in chosen)
    rows = tuple(
        Row((label,), tuple(None if np.isnan(v) else v for v in map(fmean, zip(*of, strict=True))))
        for label, of in values.items()
    )
    caption = f"{entry.title}, n = {len(items)}; reference: {given.fuser} on the clean picture."
    table = Table(("method",), columns, rows, caption, "standard")
    print(table.markdown())
    for suffix in (".md", ".json", ".csv"):
        table.write(given.out / f"fusion_under_haze{suffix}")
    sheet.write(given.out / "fusion_under_haze.png", strips)


if __name__ == "__main__":
    main()

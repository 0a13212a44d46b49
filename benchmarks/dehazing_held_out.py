"""Restorers on training scenes that a training with `held_out` left out: where choices are made.

Real pairs of RESIDE-IN, and MSRS, RoadScene and drawn scenes under haze from
`fusionzoo/methods/mitnet/haze.py`, one haze per picture, seeded by its name; even haze as dense as
"dense" there counts apart. No test picture is read.

    python benchmarks/dehazing_held_out.py DATA [--weights FILE]... [--strengths 0.4,1] [--limit N]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import torch
from skimage.metrics import structural_similarity
from torch import Tensor

import fusionzoo
from fusionzoo import datasets, image
from fusionzoo.core import hash_of
from fusionzoo.methods.mitnet import haze
from fusionzoo.methods.mitnet.data import held_out
from fusionzoo.methods.mitnet.recipe import DEPTH_METRES
from fusionzoo.predictor import Predictor
from fusionzoo.tables import Column, Row, Table

DATASETS = ("reside_in:train", "msrs:train_allowed", "roadscene:train_allowed", "demo_haze:train")


def pairs(
    name: str, data: Path, one_in: int, limit: int | None
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Column, hazy and clean picture of every held-out scene."""
    entry, split = datasets.parse(name)
    items = entry.listing(data, split).items
    kept = held_out(name, [item.name for item in items], one_in)
    for item in [item for item in items if item.name in kept][:limit]:
        sample, short = item.load(), name.partition(":")[0]
        visible = sample.images["visible"].expand(3, -1, -1)
        generator = torch.Generator().manual_seed(int(hash_of(short, item.name), 16) % 2**63)
        if sample.target is None or sample.target.ndim != 3:
            yield f"{short}, haze", haze.add_haze(visible, generator), visible
            through = haze.uniform(*haze.DENSE, generator)
            air = torch.full((3, 1, 1), haze.uniform(*haze.GREY, generator))
            even = haze.scatter(visible, torch.full_like(visible[:1], through), air)
            yield f"{short}, even haze", (even * 255).round() / 255, visible
        elif "depth" in sample.images:
            metres = sample.images["depth"] * DEPTH_METRES
            yield short, haze.add_haze(sample.target, generator, metres), sample.target
        else:
            yield short, visible, sample.target


def quality(restorer: Predictor, hazy: Tensor, clean: Tensor) -> tuple[float, float]:
    """PSNR in dB and SSIM of the 8-bit result."""
    restored = torch.from_numpy(image.to_levels(restorer(visible=hazy))).float() / 255
    restored = restored.permute(2, 0, 1)
    error = (restored - clean).square().mean()
    similar = structural_similarity(restored.numpy(), clean.numpy(), channel_axis=0, data_range=1)
    return float(-10 * torch.log10(error)), float(similar)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, action="append", default=[])
    parser.add_argument("--strengths", default="1")
    parser.add_argument("--one-in", type=int, default=5)
    parser.add_argument("--limit", type=int, help="pictures of each dataset")
    parser.add_argument("--baselines", default="visible,contrast_stretch,dark_channel")
    given = parser.parse_args()
    restorers = {name: fusionzoo.load(name, device="cpu") for name in given.baselines.split(",")}
    for path in given.weights:
        ready = fusionzoo.load("mitnet", weights=path, device="cpu")
        for strength in map(float, given.strengths.split(",")):
            restorers[f"{path.stem}, strength {strength}"] = ready.turned(strength=strength)
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name in DATASETS:
        for column, hazy, clean in pairs(name, given.data, given.one_in, given.limit):
            of_column = found.setdefault(column, {})
            for label, restorer in restorers.items():
                of_column.setdefault(label, []).append(quality(restorer, hazy, clean))
    columns, rows = [], {label: [] for label in restorers}
    for column, of_column in found.items():
        count = len(next(iter(of_column.values())))
        columns += [Column(f"{column} ({count}), {what}", True) for what in ("PSNR", "SSIM")]
        for label, values in of_column.items():
            rows[label] += [fmean(part) for part in zip(*values, strict=True)]
    lines = tuple(Row((label,), tuple(values)) for label, values in rows.items())
    caption = f"Held-out training scenes, one in {given.one_in}."
    print(Table(("method",), tuple(columns), lines, caption, "standard").markdown())


if __name__ == "__main__":
    main()

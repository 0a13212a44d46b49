"""AWMM: visible and infrared pairs under synthetic haze, rain and snow, with clean pictures.

The public sample of AWMM-100k; infrared pictures are degraded too. The haze pictures only test,
rain and snow may train restorers.
"""

from __future__ import annotations

from pathlib import Path

from fusionzoo.core import Dataset, Listing
from fusionzoo.datasets._clean import Pair, below, listing, pictures
from fusionzoo.datasets._roots import dataset_folder, not_found

FOLDERS = ("AWMM", "AWMM-100k")
SOURCE = "github.com/ixilai/AWFusion, folder Test_Image"
WEATHER = {"haze": ("haze",), "rain": ("rain",), "snow": ("snow",), "train": ("rain", "snow")}


def _listing(root: Path | None, split: str) -> Listing:
    folder = dataset_folder(root, FOLDERS)
    if folder is None:
        raise not_found("awmm", root, FOLDERS, SOURCE)
    pairs = [pair for weather in WEATHER[split] for pair in _pairs(folder, weather)]
    return listing(pairs, folder, split)


def _pairs(folder: Path, weather: str) -> list[Pair]:
    base = below(folder, "Test_Image", f"Test_{weather}") or below(folder, f"Test_{weather}")
    parts = ("vi", "ir", "gt_vi")
    visible, infrared, clean = (below(base, part) if base else None for part in parts)
    if visible is None or infrared is None or clean is None:
        return []
    # gt_vi and gt_ir of the sample hold more pictures than vi and ir: names decide.
    return [
        Pair(
            f"{weather}_{path.stem}",
            {"visible": path, "infrared": infrared / path.name},
            clean / path.name,
        )
        for path in pictures(visible)
    ]


ENTRY = Dataset(
    title="AWMM (weather)",
    roles=("visible", "infrared"),
    splits={
        "haze": "hazy pairs; only tests",
        "rain": "rainy pairs",
        "snow": "snowy pairs",
        "train": "rain and snow; our restorers train on them",
    },
    listing=_listing,
    source=SOURCE,
    terms="none stated",
    paper="Li et al., AWFusion, arXiv 2402.02090",
    target="clean",
)

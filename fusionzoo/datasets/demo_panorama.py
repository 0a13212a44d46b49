"""demo_panorama: drawn streets seen all around (360 by 70 degrees), with exact labels.

The pictures have the form of DensePASS's, so that adaptation from pinhole pictures (`demo`) to
panoramas runs without a download. Labels of the train split are there, but adaptation hides them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from fusionzoo import image
from fusionzoo.classes import FMB
from fusionzoo.core import Dataset, Item, Listing, Sample, hash_of
from fusionzoo.datasets._demo.kept import kept

COUNTS = {"test": 12, "train": 36, "test_large": 48, "train_large": 180, "held_out": 18}
"""Large splits begin with the panoramas of the small ones; `held_out` is for choosing settings."""
VERSION = 1
"""Raised when the drawings change, so that results on older ones are void."""


def _load(name: str, split: str, index: int) -> Sample:
    return kept(partial(_drawn, name, split, index), name, _mark(split, index), ENTRY.roles)


def _drawn(name: str, split: str, index: int) -> Sample:
    import torch

    from fusionzoo.datasets._demo.panorama import Panorama

    drawn = Panorama(split, index)
    levels = (drawn.visible() * 255 + 0.5).astype("uint8")
    return Sample(name, {"panorama": image.to_plane(levels)}, torch.from_numpy(drawn.labels))


def _mark(split: str, index: int) -> str:
    return hash_of("demo_panorama", VERSION, split, index)


def _item(split: str, index: int) -> Item:
    name = f"{index:03d}{'DNF'[index % 3]}"
    split = split.removesuffix("_large")
    return Item(name, partial(_load, name, split, index), partial(_mark, split, index))


def _listing(_root: Path | None, split: str) -> Listing:
    return Listing(tuple(_item(split, index) for index in range(COUNTS[split])), split=split)


ENTRY = Dataset(
    title="demo_panorama (drawn streets, all around)",
    roles=("panorama",),
    splits={
        "test": "12 panoramas of 400x2048: D day, N night, F fog",
        "train": "36 panoramas, apart from test's",
        "test_large": "48 panoramas, those of test first",
        "train_large": "180 panoramas, those of train first",
        "held_out": "18 panoramas, apart from all others, for choosing settings",
    },
    listing=_listing,
    source="drawn in code, nothing to download",
    terms="Apache-2.0, as the code",
    target="labels",
    classes=FMB,
    drawn=True,
)

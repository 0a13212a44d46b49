"""demo: street scenes drawn in code, by day, at night and in fog, with exact labels and depth.

Numbers on it prove that an installation works, not that a method is good: the pictures are drawn.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from fusionzoo import image
from fusionzoo.classes import FMB
from fusionzoo.core import Dataset, Item, Listing, Sample, hash_of
from fusionzoo.datasets._demo.kept import kept

COUNTS = {"test": 12, "train": 120}
MORE = {"train_large": 600, "train_huge": 1200, "test_large": 96, "held_out": 24}
"""Larger splits begin with the scenes of the small ones; `held_out` is for choosing settings."""
VERSION = 2
"""Raised when the drawings change, so that results on older ones are void."""


def _load(name: str, split: str, index: int) -> Sample:
    return kept(partial(_drawn, name, split, index), name, _mark(split, index), ENTRY.roles)


def _drawn(name: str, split: str, index: int) -> Sample:
    import torch

    from fusionzoo.datasets._demo.scene import Scene

    scene = Scene(split, index)
    pictures = {"visible": scene.visible(), "infrared": scene.infrared()}
    levels = {role: (picture * 255 + 0.5).astype("uint8") for role, picture in pictures.items()}
    planes = {role: image.to_plane(array) for role, array in levels.items()}
    return Sample(name, planes, torch.from_numpy(scene.labels))


def _mark(split: str, index: int) -> str:
    return hash_of("demo", VERSION, split, index)


def _item(split: str, index: int) -> Item:
    name = f"{index:03d}{'DNF'[index % 3]}"
    split = split.removesuffix("_large").removesuffix("_huge")
    return Item(name, partial(_load, name, split, index), partial(_mark, split, index))


def _listing(_root: Path | None, split: str) -> Listing:
    count = {**COUNTS, **MORE}[split]
    return Listing(tuple(_item(split, index) for index in range(count)), split=split)


ENTRY = Dataset(
    title="demo (drawn street scenes)",
    roles=("visible", "infrared"),
    splits={
        "test": "12 scenes: D day, N night, F fog",
        "train": "120 scenes, apart from test's",
        "train_large": "600 scenes, those of train first",
        "train_huge": "1200 scenes, those of train_large first",
        "test_large": "96 scenes, those of test first",
        "held_out": "24 scenes, apart from all others, for choosing settings",
    },
    listing=_listing,
    source="drawn in code, nothing to download",
    terms="Apache-2.0, as the code",
    target="labels",
    classes=FMB,
    drawn=True,
)

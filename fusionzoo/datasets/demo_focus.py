"""demo_focus: drawn street scenes, focused near and far, with the all-in-focus picture.

The drawings know their depth, so blur grows with the distance from the plane of focus and spreads
over what lies behind (`fusionzoo.layers.focus`). Scenes are those of `demo`, fog included.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from fusionzoo.core import Dataset, Item, Listing, Sample, hash_of
from fusionzoo.datasets import demo

VERSION = 1
"""Raised when the drawings change, so that results on older ones are void."""
NEAREST = 6.0
"""Metres; everything nearer counts as being there."""
RADIUS = (6.0, 6.01)
"""Pixels: the largest disc of confusion."""


def _load(name: str, split: str, index: int) -> Sample:
    import torch

    from fusionzoo import image
    from fusionzoo.datasets._demo.scene import Scene
    from fusionzoo.layers.focus import focus_pair

    scene = Scene(split, index)
    levels = (scene.visible() * 255 + 0.5).astype("uint8")
    clean = image.to_plane(levels)
    disparity = torch.from_numpy(NEAREST / np.maximum(scene.depth, NEAREST))[None]
    generator = torch.Generator().manual_seed(0)
    pair = focus_pair(clean, generator, disparity, RADIUS)
    near, far = ((picture * 255).round() / 255 for picture in pair[:2])
    return Sample(name, {"near": near, "far": far}, clean)


def _item(split: str, index: int) -> Item:
    name = f"{index:03d}{'DNF'[index % 3]}"
    mark = hash_of("demo_focus", VERSION, demo.VERSION, split, index)
    return Item(name, partial(_load, name, split, index), lambda: mark)


def _listing(_root: Path | None, split: str) -> Listing:
    return Listing(tuple(_item(split, index) for index in range(demo.COUNTS[split])), split=split)


ENTRY = Dataset(
    title="demo (drawn focus pairs)",
    roles=("near", "far"),
    splits={"test": "12 scenes: D day, N night, F fog", "train": "120 scenes, apart"},
    listing=_listing,
    source="drawn in code, nothing to download",
    terms="Apache-2.0, as the code",
    target="clean",
    drawn=True,
)

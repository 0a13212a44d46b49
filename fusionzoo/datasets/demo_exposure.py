"""demo_exposure: drawn street scenes, each photographed too dark and too bright.

The drawings hold linear light, so both exposures saturate and drown in noise as a camera's do
(`fusionzoo.layers.exposure`). Scenes are those of `demo`, in clear air.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from fusionzoo.core import Dataset, Item, Listing, Sample, hash_of
from fusionzoo.datasets import demo

VERSION = 1
"""Raised when the drawings change, so that results on older ones are void."""
MIDDLE_GREY = 0.18
"""Light that the median of a scene is brought to before it is exposed."""
STOPS = (-2.5, 1.5)


def _load(name: str, split: str, index: int) -> Sample:
    import torch

    from fusionzoo.datasets._demo.scene import Scene
    from fusionzoo.layers.exposure import expose

    radiance = Scene(split, index).radiance()
    light = torch.from_numpy(radiance.transpose(2, 0, 1) * (MIDDLE_GREY / np.median(radiance)))
    generator = torch.Generator().manual_seed(2 * index + (split == "test"))
    under, over = (expose(light, stops, generator) for stops in STOPS)
    return Sample(name, {"under": under, "over": over})


def _item(split: str, index: int) -> Item:
    name = f"{index:03d}{'DNF'[index % 3]}"
    mark = hash_of("demo_exposure", VERSION, demo.VERSION, split, index)
    return Item(name, partial(_load, name, split, index), lambda: mark)


def _listing(_root: Path | None, split: str) -> Listing:
    return Listing(tuple(_item(split, index) for index in range(demo.COUNTS[split])), split=split)


ENTRY = Dataset(
    title="demo (drawn exposure pairs)",
    roles=("under", "over"),
    splits={"test": "12 scenes: D day, N night, F overcast", "train": "120 scenes, apart"},
    listing=_listing,
    source="drawn in code, nothing to download",
    terms="Apache-2.0, as the code",
    drawn=True,
)

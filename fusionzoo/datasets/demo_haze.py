"""demo_haze: the scenes of `demo` seen through haze, with the clear picture and the exact depth.

Haze is added in linear light along the drawn depth, before the camera; grain is the same in both
pictures. Role "depth" is metres / 260, 1 for the sky and everything further away.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fusionzoo import image
from fusionzoo.core import Dataset, Item, Listing, Sample, hash_of
from fusionzoo.datasets.demo import COUNTS

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from fusionzoo.datasets._demo.scene import Scene

VERSION = 2
FAR = 260.0
"""Metres that depth 1 stands for."""
DENSITY = {"day": (0.02, 0.07), "night": (0.02, 0.06), "fog": (0.03, 0.08)}
AIRLIGHT = {"day": (0.55, 0.8), "night": (0.02, 0.05), "fog": (0.5, 0.75)}
"""Extinction per metre and linear airlight by condition, each drawn evenly from its range."""


def _load(name: str, split: str, index: int) -> Sample:
    from fusionzoo.datasets._demo.scene import Scene

    scene = Scene(split, index)
    clear, hazy = scene.through_haze(DENSITY[scene.condition], AIRLIGHT[scene.condition])
    images = {"visible": _plane(hazy), "infrared": _plane(scene.infrared())}
    return Sample(name, images | {"depth": _depth(scene)}, _plane(clear))


def _plane(picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Tensor:
    return image.to_plane((picture * 255 + 0.5).astype("uint8"))


def _depth(scene: Scene) -> Tensor:
    import torch

    return torch.from_numpy((scene.depth / FAR).clip(0, 1))[None]


def _item(split: str, index: int) -> Item:
    name = f"{index:03d}{'DNF'[index % 3]}"
    mark = hash_of("demo_haze", VERSION, split, index)
    return Item(name, partial(_load, name, split, index), lambda: mark)


def _listing(_root: Path | None, split: str) -> Listing:
    return Listing(tuple(_item(split, index) for index in range(COUNTS[split])), split=split)


ENTRY = Dataset(
    title="demo_haze (drawn hazy street scenes)",
    roles=("visible", "infrared", "depth"),
    splits={"test": "12 scenes: D day, N night, F fog", "train": "120 scenes, apart from test's"},
    listing=_listing,
    source="drawn in code, nothing to download",
    terms="Apache-2.0, as the code",
    target="clean",
    drawn=True,
)

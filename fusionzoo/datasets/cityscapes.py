"""Cityscapes: 2,975 training and 500 validation pictures of 50 cities, 1024x2048, 19 classes.

Label maps may be `labelTrainIds` (made by the dataset's own scripts) or `labelIds` as downloaded.
"""

from __future__ import annotations

from pathlib import Path

from fusionzoo.classes import CITYSCAPES19
from fusionzoo.datasets._nested import Nested, Part, dataset

_STORED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
IDS = tuple(_STORED.index(i) if i in _STORED else 255 for i in range(34))
"""Train id of each labelId."""


def _label(folder: Path, picture: Path) -> Path:
    split, city = picture.parts[-3:-1]
    stem = picture.stem.removesuffix("_leftImg8bit")
    place = folder / "gtFine" / split / city
    trained = place / f"{stem}_gtFine_labelTrainIds.png"
    return trained if trained.exists() else place / f"{stem}_gtFine_labelIds.png"


ENTRY = dataset(
    Nested(
        name="cityscapes",
        title="Cityscapes",
        folders=("Cityscapes",),
        role="visible",
        parts={
            "val": Part("500 pictures of 3 cities", "leftImg8bit/val/*/*", _label),
            "train": Part("2,975 pictures of 18 cities", "leftImg8bit/train/*/*", _label),
        },
        source="cityscapes-dataset.com (registration)",
        terms="non-commercial research only, no redistribution",
        paper="Cordts et al., The Cityscapes Dataset, CVPR 2016",
        classes=CITYSCAPES19,
        ids=IDS,
    )
)

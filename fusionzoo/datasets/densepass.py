"""DensePASS: 100 labelled and 2,000 unlabelled street panoramas, 400x2048, Cityscapes' classes.

They show 360 by 70 degrees. The authors choose their best checkpoint on the 100 they report.
"""

from __future__ import annotations

from pathlib import Path

from fusionzoo.classes import CITYSCAPES19
from fusionzoo.datasets._nested import Nested, Part, dataset


def _label(folder: Path, picture: Path) -> Path:
    return folder / "gtFine" / "val" / picture.parent.name / f"{picture.stem}_labelTrainIds.png"


ENTRY = dataset(
    Nested(
        name="densepass",
        title="DensePASS",
        folders=("DensePASS",),
        role="panorama",
        parts={
            "val": Part("the 100 labelled panoramas", "leftImg8bit/val/*/*", _label),
            "train": Part("2,000 panoramas without labels", "leftImg8bit/train/*/*"),
        },
        source="the link in the README of github.com/chma1024/DensePASS",
        terms="none stated",
        paper="Ma et al., DensePASS, ITSC 2021",
        classes=CITYSCAPES19,
    )
)

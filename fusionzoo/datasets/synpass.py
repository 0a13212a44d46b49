"""SynPASS: 9,080 synthetic panoramas in four kinds of weather, 1024x2048, 22 classes.

Published counts of the splits differ (README 5,700/1,690/1,690, list files 5,700/2,180/1,200); what
counts here are the folders of the archive.
"""

from __future__ import annotations

from pathlib import Path

from fusionzoo.classes import SYNPASS22
from fusionzoo.datasets._nested import Nested, Part, dataset


def _label(folder: Path, picture: Path) -> Path:
    below = picture.relative_to(folder / "img")
    return (folder / "semantic" / below).with_name(f"{picture.stem}_trainID.png")


def _part(split: str) -> Part:
    return Part(f"the archive's {split} folders", f"img/*/{split}/*/*", _label)


ENTRY = dataset(
    Nested(
        name="synpass",
        title="SynPASS",
        folders=("SynPASS",),
        role="panorama",
        parts={split: _part(split) for split in ("test", "val", "train")},
        source="the link in the README of github.com/InSAI-Lab/Trans4PASS",
        terms="none stated",
        paper="Zhang et al., Behind Every Domain There is a Shift, TPAMI 2024",
        classes=SYNPASS22,
    )
)

"""Scenes, the datasets they come from, and the classes of their labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Role = Literal[
    "visible", "infrared", "under", "over", "near", "far", "scan", "mri", "panorama", "depth"
]

PAIRS: Mapping[str, tuple[str, str]] = {
    "vif": ("visible", "infrared"),
    "mef": ("under", "over"),
    "mff": ("near", "far"),
    "medical": ("scan", "mri"),
}
"""Fusion tasks by the roles they join; a scan is a CT, PET or SPECT picture."""


@dataclass(frozen=True)
class Sample:
    """One scene: pictures by role, and what they should become if that is known.

    Attributes:
        name: Stem of the picture files; unique within a dataset.
        images: Role to tensor, each (C, H, W) float32 in [0, 1], RGB or grey, all of one size.
        target: Clean picture (3, H, W) float32 in [0, 1], or label map (H, W) int64 with
            255 = ignore, or None.
        references: What metrics compare with instead of `images`, where those were damaged on
            purpose.
    """

    name: str
    images: Mapping[str, Tensor]
    target: Tensor | None = None
    references: Mapping[str, Tensor] | None = None


@dataclass(frozen=True)
class Item:
    """A scene that a dataset has found but not opened yet.

    Attributes:
        name: Unique within the dataset; also the stem of every output file.
        load: Decodes (or draws) the scene.
        fingerprint: Hash of everything that `load` reads; a finished result is void if it changes.
        paths: Role to file, empty for scenes that are drawn in code.
    """

    name: str
    load: Callable[[], Sample]
    fingerprint: Callable[[], str]
    paths: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """What a dataset found under a root.

    Attributes:
        items: Usable scenes, sorted by name.
        problems: One line per scene that cannot be used, naming it and saying why.
        root: Folder that was recognised; None for scenes drawn in code.
        split: Name of the split listed.
    """

    items: tuple[Item, ...]
    problems: tuple[str, ...] = ()
    root: Path | None = None
    split: str = ""


@dataclass(frozen=True)
class ClassTable:
    """Names and colours of a label map's ids 0..n-1, and the document they come from.

    `miou` is the preset that is standard for these labels; `ignored` ids mean "not labelled", are
    never trained on and never predicted; `weights` are published loss weights per id, by name.
    """

    names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    source: str
    miou: str = "mrfs"
    ignored: tuple[int, ...] = ()
    weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Where scenes lie, how they are split, and under which terms.

    Attributes:
        title: Full name for tables.
        roles: Roles each sample offers.
        splits: Split name to a one-line description; the first is the default.
        listing: Lists one split under a data root (None: the default places) without decoding.
            Raises DataError, with where it looked and how to get the data, if nothing is there.
        source: Where users obtain the pictures.
        terms: What is known of their licence.
        paper: Citation.
        target: What `Sample.target` holds in this dataset.
        classes: Class table of its label maps.
        drawn: True if scenes are drawn in code, so that no file is needed.
        shares: Other datasets that show some of the same scenes.
    """

    title: str
    roles: tuple[str, ...]
    splits: Mapping[str, str]
    listing: Callable[[Path | None, str], Listing]
    source: str
    terms: str
    paper: str = ""
    target: Literal["clean", "labels"] | None = None
    classes: ClassTable | None = None
    drawn: bool = False
    shares: tuple[str, ...] = ()

    @property
    def default_split(self) -> str:
        """The split used when none is named."""
        return next(iter(self.splits))

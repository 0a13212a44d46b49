"""Datasets that are one folder per role, under a folder per split or not: most of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from fusionzoo.core import ClassTable, DataError, Dataset, Listing
from fusionzoo.datasets._folder import id_list, paired, role_folders
from fusionzoo.datasets._roots import child, dataset_folder, not_found

ROLES = ("visible", "infrared")
HELD_OUT_EVERY = 13
"""Every 13th scene of a list, the first one on, is held out where a split asks for it."""


@dataclass(frozen=True)
class Split:
    """How one split is found.

    Attributes:
        text: One line for people.
        folders: Subfolders it lies in ("" for none).
        ids: Name of the id list it is limited to.
    """

    text: str
    folders: tuple[str, ...] = ("",)
    ids: str | None = None
    part: Literal["all", "fit", "held_out"] = "all"
    """"held_out" keeps every 13th scene, for choosing settings; "fit" keeps the others."""

    def keeps(self, position: int) -> bool:
        """True for a scene at this position of the sorted list."""
        held = position % HELD_OUT_EVERY == 0
        return self.part == "all" or held == (self.part == "held_out")


@dataclass(frozen=True)
class Layout:
    """Facts from which `dataset` builds an entry."""

    name: str
    title: str
    folders: tuple[str, ...]
    splits: Mapping[str, Split]
    source: str
    terms: str
    paper: str
    classes: ClassTable | None = None
    shares: tuple[str, ...] = ()
    split_inside: bool = False
    """True if splits lie below the role folders (visible/test) instead of above (test/visible)."""


def dataset(layout: Layout) -> Dataset:
    """The catalogue entry of a layout."""
    return Dataset(
        title=layout.title,
        roles=ROLES,
        splits={name: split.text for name, split in layout.splits.items()},
        listing=partial(_listing, layout),
        source=layout.source,
        terms=layout.terms,
        paper=layout.paper,
        target="labels" if layout.classes else None,
        classes=layout.classes,
        shares=layout.shares,
    )


def _listing(layout: Layout, root: Path | None, name: str) -> Listing:
    folder = dataset_folder(root, layout.folders)
    if folder is None:
        raise not_found(layout.name, root, layout.folders, layout.source)
    split = layout.splits[name]
    places = [found for part in split.folders if (found := _places(layout, folder, part))]
    if not places:
        raise DataError(
            f"{folder} has no folders of visible and infrared pictures for {layout.name}:{name}"
        )
    items, problems = [], []
    for place in places:
        labels = place.pop("labels", None)
        more, faults = paired(place, chosen_ids(split), labels, layout.classes)
        items += more
        problems += faults
    if not items and not problems:
        raise DataError(f"{folder} holds no scene of {layout.name}:{name}")
    ordered = sorted(items, key=lambda item: item.name)
    kept = tuple(item for position, item in enumerate(ordered) if split.keeps(position))
    return Listing(kept, tuple(problems), folder, name)


def chosen_ids(split: Split) -> Sequence[str] | None:
    """The ids a split is limited to, or None for all."""
    return id_list(split.ids) if split.ids else None


def _places(layout: Layout, folder: Path, part: str) -> dict[str, Path]:
    """Role to folder for one subfolder of a split; nothing unless both sources are there."""
    roles = (*ROLES, *(("labels",) if layout.classes else ()))
    if not part:
        found = role_folders(folder, roles)
    elif layout.split_inside:
        outer = role_folders(folder, roles)
        inner = {role: child(path, (part,)) for role, path in outer.items()}
        found = {role: path for role, path in inner.items() if path}
    else:
        below = child(folder, (part,))
        found = role_folders(below, roles) if below else {}
    return found if set(ROLES) <= set(found) else {}

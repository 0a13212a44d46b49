"""Datasets of pictures in folders of folders, with label maps in a tree of the same shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fusionzoo import image
from fusionzoo.core import (
    ClassTable,
    DataError,
    Dataset,
    FusionZooError,
    Item,
    Listing,
    Sample,
    hash_of,
)
from fusionzoo.datasets._folder import IGNORED_LABEL, read_labels, to_role
from fusionzoo.datasets._roots import dataset_folder, not_found

if TYPE_CHECKING:
    from torch import Tensor

LabelOf = Callable[[Path, Path], Path | None]
"""Dataset folder and picture -> its label map, or None if the split has none."""


@dataclass(frozen=True)
class Part:
    """One split of a nested layout.

    Attributes:
        text: One line for people.
        pictures: Pattern below the dataset's folder.
        label_of: Where a picture's label map lies; None for splits without labels.
    """

    text: str
    pictures: str
    label_of: LabelOf | None = None


@dataclass(frozen=True)
class Nested:
    """Facts from which `dataset` builds an entry; `ids` turns stored ids into the table's."""

    name: str
    title: str
    folders: tuple[str, ...]
    role: str
    parts: Mapping[str, Part]
    source: str
    terms: str
    paper: str
    classes: ClassTable
    ids: tuple[int, ...] | None = None


def dataset(layout: Nested) -> Dataset:
    """The catalogue entry of a layout."""
    return Dataset(
        title=layout.title,
        roles=(layout.role,),
        splits={name: part.text for name, part in layout.parts.items()},
        listing=partial(_listing, layout),
        source=layout.source,
        terms=layout.terms,
        paper=layout.paper,
        target="labels",
        classes=layout.classes,
    )


def _listing(layout: Nested, root: Path | None, split: str) -> Listing:
    folder = dataset_folder(root, layout.folders)
    if folder is None:
        raise not_found(layout.name, root, layout.folders, layout.source)
    part = layout.parts[split]
    found = [path for path in sorted(folder.glob(part.pictures)) if image.is_picture(path)]
    if not found:
        raise DataError(f"{folder} holds no picture {part.pictures} of {layout.name}:{split}")
    start = Path(part.pictures.split("*", 1)[0])
    items, problems = [], []
    for path in found:
        name = "_".join(path.relative_to(folder / start).with_suffix("").parts)
        label = part.label_of(folder, path) if part.label_of else None
        fault = _fault(name, path, label)
        if fault:
            problems.append(fault)
        else:
            items.append(_item(layout, name, path, label))
    ordered = tuple(sorted(items, key=lambda item: item.name))
    return Listing(ordered, tuple(problems), folder, split)


def _fault(name: str, path: Path, label: Path | None) -> str:
    """Why a scene cannot be used, or nothing."""
    try:
        size = image.size(path)
        if label is None:
            return ""
        if not label.exists():
            return f"{name}: no label map {label}"
        other = image.size(label)
    except FusionZooError as error:
        return f"{name}: {error}"
    if size != other:
        return f"{name}: picture {size[1]}x{size[0]} and labels {other[1]}x{other[0]} differ"
    return ""


def _item(layout: Nested, name: str, path: Path, label: Path | None) -> Item:
    every = [path, *([label] if label else [])]
    return Item(
        name=name,
        load=partial(_load, layout, name, path, label),
        fingerprint=lambda: hash_of(*(image.digest(one) for one in every)),
        paths={layout.role: path},
    )


def _load(layout: Nested, name: str, path: Path, label: Path | None) -> Sample:
    picture = to_role(layout.role, image.read(path))
    target = None
    if label is not None:
        # Only Cityscapes' labelIds are stored in another numbering than they are used in.
        stored = layout.ids if label.stem.endswith("labelIds") else None
        target = _renumbered(label, stored) if stored else read_labels(label, layout.classes)
    return Sample(name, {layout.role: picture}, target)


def _renumbered(label: Path, ids: Iterable[int]) -> Tensor:
    labels = read_labels(label, None)
    table = np.full(256, IGNORED_LABEL, np.int64)
    chosen = list(ids)
    table[: len(chosen)] = chosen
    import torch

    return torch.from_numpy(table)[labels]

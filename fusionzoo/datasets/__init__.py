"""The catalogue of datasets: find one, name its split, go through its samples."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fusionzoo import catalog
from fusionzoo.core import ClassTable, Dataset, Sample, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor

names = partial(catalog.names, __name__)
find = partial(catalog.find, __name__)
summary = partial(catalog.summary, __name__)


def parse(text: str) -> tuple[Dataset, str]:
    """Entry and split of "name" or "name:split".

    Raises:
        UnknownNameError: No such dataset, or it has no such split; near names are shown.
    """
    name, _, split = text.partition(":")
    entry: Dataset = find(name)
    if split and split not in entry.splits:
        near = difflib.get_close_matches(split, entry.splits, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(entry.splits)}"
        raise UnknownNameError(f"{name} has no split '{split}': {hint}")
    return entry, split or entry.default_split


def showing_scenes_of(name: str) -> set[str]:
    """The dataset and those with some of its scenes; only the name if it is none of the zoo's."""
    try:
        return {name, *find(name).shares}
    except UnknownNameError:
        return {name}


def samples(text: str, root: Path | None = None) -> Iterator[Sample]:
    """Decoded samples of "name" or "name:split", in name order.

    Args:
        text: Dataset, optionally with its split.
        root: Data root; None looks in FUSIONZOO_DATA and the cache.

    Raises:
        DataError: The data is not there.

    Example:
        >>> from fusionzoo import datasets
        >>> next(datasets.samples("demo")).images["visible"].shape
        torch.Size([3, 480, 640])
    """
    entry, split = parse(text)
    for item in entry.listing(root, split).items:
        yield item.load()


def read_labels(path: Path, classes: ClassTable | None = None) -> Tensor:
    """Label map (H, W) int64 of an index picture, 255 = ignore.

    Raises:
        DataError: Colours instead of indices, or ids that the class table does not have.
    """
    from fusionzoo.datasets import _folder

    return _folder.read_labels(path, classes)


def folder(**pictures: Path) -> Dataset:
    """A dataset of one's own: a folder (or one file) of pictures per role, paired by stem.

    Args:
        **pictures: Role to folder or file, for example `visible=..., infrared=...`.

    Raises:
        DataError: A folder without pictures, or a mixture of files and folders.
    """
    from fusionzoo.datasets import _own

    return _own.folder(pictures)

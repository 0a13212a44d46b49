"""The user's own pictures as a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from fusionzoo import image
from fusionzoo.core import DataError, Dataset, Listing
from fusionzoo.datasets._folder import file_item, paired


def folder(pictures: Mapping[str, Path]) -> Dataset:
    """See `fusionzoo.datasets.folder`."""
    return Dataset(
        title="pictures of one's own",
        roles=tuple(pictures),
        splits={"all": "every pair"},
        listing=partial(_listing, dict(pictures)),
        source="the user",
        terms="the user's",
    )


def _listing(pictures: Mapping[str, Path], _root: Path | None, split: str) -> Listing:
    paths = {role: Path(path) for role, path in pictures.items()}
    if all(path.is_file() for path in paths.values()):
        return _files(paths, split)
    for role, path in paths.items():
        if not path.is_dir():
            raise DataError(f"{role}: {path} is not a folder; give folders, or one file per role")
        if not any(image.is_picture(one) for one in path.iterdir()):
            raise DataError(f"{role}: {path} holds no picture (PNG, JPEG, BMP or TIFF)")
    items, problems = paired(paths)
    return Listing(tuple(items), tuple(problems), None, split)


def _files(paths: Mapping[str, Path], split: str) -> Listing:
    """One pair, whose files need not share a stem; the first role's names it."""
    name = next(iter(paths.values())).stem
    sizes = {role: image.size(path) for role, path in paths.items()}
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{role} {w}x{h}" for role, (h, w) in sizes.items())
        return Listing((), (f"{name}: pictures differ in size ({shown})",), None, split)
    return Listing((file_item(name, paths, None, None),), (), None, split)

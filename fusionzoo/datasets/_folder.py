"""Folders of pictures to scenes: names of folders, pairing by stem, checks of every pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusionzoo import image
from fusionzoo.core import ClassTable, DataError, FusionZooError, Item, Sample, hash_of
from fusionzoo.datasets._roots import child

if TYPE_CHECKING:
    from torch import Tensor

DIALECTS: dict[str, tuple[str, ...]] = {
    "visible": (
        "crop_LR_visible", "visible", "vis", "vi", "rgb", "img", "visual", "source_2",
    ),
    "infrared": (
        "cropinfrared", "infrared", "ir", "inf", "thermal", "the", "ther", "lwir", "source_1",
    ),
    "under": ("under", "underexposed", "source_1"),
    "over": ("over", "overexposed", "source_2"),
    "near": ("near", "source_1"),
    "far": ("far", "source_2"),
    "labels": ("Segmentation_labels", "labels", "label", "Label"),
}  # fmt: skip
"""Names that published copies give to the folder of a role, most specific first."""
IGNORED_LABEL = 255


def id_list(name: str) -> tuple[str, ...]:
    """A split's ids, from the lists that are part of the package."""
    text = (files("fusionzoo.datasets") / "lists" / f"{name}.txt").read_text("utf-8")
    return tuple(text.split())


def role_folders(folder: Path, roles: Iterable[str]) -> dict[str, Path]:
    """Role to subfolder, by any of its known names; roles without a folder are left out."""
    found = {role: child(folder, DIALECTS[role]) for role in roles}
    return {role: path for role, path in found.items() if path is not None}


def _index(folder: Path) -> dict[str, Path]:
    """Stem to picture; a folder may also be one file, which then stands for any stem."""
    return {path.stem: path for path in sorted(folder.iterdir()) if image.is_picture(path)}


def paired(
    folders: Mapping[str, Path],
    ids: Sequence[str] | None = None,
    labels: Path | None = None,
    classes: ClassTable | None = None,
) -> tuple[list[Item], list[str]]:
    """Scenes whose files share a stem in every role's folder, sorted, and what is wrong.

    Args:
        folders: Role to folder.
        ids: Only these stems; ids without any file are left out silently, because copies of a
            dataset are often partial.
        labels: Folder of label maps.
        classes: Class table that label ids are checked against.
    """
    indexes = {role: _index(folder) for role, folder in folders.items()}
    stems = sorted(set().union(*indexes.values()))
    wanted = stems if ids is None else sorted(set(ids) & set(stems))
    label_files = _index(labels) if labels else {}
    items, problems = [], []
    for stem in wanted:
        paths = {role: index[stem] for role, index in indexes.items() if stem in index}
        problem = fault(stem, paths, indexes, label_files.get(stem))
        if problem:
            problems.append(problem)
        else:
            items.append(file_item(stem, paths, label_files.get(stem), classes))
    return items, problems


def fault(
    stem: str, paths: Mapping[str, Path], wanted: Iterable[str], label: Path | None = None
) -> str:
    """Why a scene cannot be used, or nothing."""
    missing = [role for role in wanted if role not in paths]
    if missing:
        return f"{stem}: no {' and no '.join(missing)} picture"
    try:
        known = {**paths, **({"labels": label} if label else {})}
        sizes = {role: image.size(path) for role, path in known.items()}
    except FusionZooError as error:
        return f"{stem}: {error}"
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{role} {w}x{h}" for role, (h, w) in sizes.items())
        return f"{stem}: pictures differ in size ({shown})"
    return ""


def file_item(
    name: str, paths: Mapping[str, Path], label: Path | None, classes: ClassTable | None
) -> Item:
    """A scene made of files."""
    every = [*paths.values(), *([label] if label else [])]
    return Item(
        name=name,
        load=partial(_load, name, dict(paths), label, classes),
        fingerprint=lambda: hash_of(*(image.digest(path) for path in every)),
        paths=dict(paths),
    )


def _load(
    name: str, paths: Mapping[str, Path], label: Path | None, classes: ClassTable | None
) -> Sample:
    images = {role: to_role(role, image.read(path)) for role, path in paths.items()}
    target = read_labels(label, classes) if label else None
    return Sample(name, images, target)


def to_role(role: str, array: Any) -> Tensor:
    """Decoded picture to (C, H, W); a thermal picture stored as equal RGB becomes one channel."""
    same = array.ndim == 3 and role == "infrared"
    if same and (array[..., 0] == array[..., 1]).all() and (array[..., 0] == array[..., 2]).all():
        array = array[..., 0]
    return image.to_plane(array)


def read_labels(path: Path, classes: ClassTable | None) -> Tensor:
    """Label map (H, W) int64, 255 = ignore.

    Raises:
        DataError: Colours instead of indices, or ids that the class table does not have.
    """
    import torch

    array = image.read(path, "indices")
    if array.ndim == 3 and (array[..., :1] == array).all():
        array = array[..., 0]
    if array.ndim == 3:
        raise DataError(
            f"{path} is a colour picture: expected label indices, one channel; look its colours up "
            "in the palette that made it"
        )
    labels = array.astype(np.int64)
    known = len(classes.names) if classes else 256
    unknown = sorted(set(np.unique(labels).tolist()) - set(range(known)) - {IGNORED_LABEL})
    if unknown:
        raise DataError(f"{path} holds the ids {unknown}: expected 0 to {known - 1}, or 255")
    return torch.from_numpy(labels)

"""MFNet: 1,569 day and night pairs, 640x480, RGB and thermal in one RGBA picture, 9 classes.

The alpha channel is the thermal picture; viewers show it as transparency and `convert("RGB")` loses
it. 277 of the 393 test ids are in MSRS train.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fusionzoo import image
from fusionzoo.classes import MFNET
from fusionzoo.core import DataError, Dataset, FusionZooError, Item, Listing, Sample, hash_of
from fusionzoo.datasets._folder import DIALECTS, id_list, read_labels
from fusionzoo.datasets._roots import child, dataset_folder, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE = "the MFNet page of the University of Tokyo (link in github.com/haqishen/MFNet-pytorch)"
FOLDERS = ("MFNet", "MF", "ir_seg_dataset")
SPLITS = {
    "all": "every picture found (1,569 in the full set)",
    "test": "the 393 official test ids",
    "test_day": "205 test ids by day",
    "test_night": "188 test ids by night",
}


def _listing(root: Path | None, split: str) -> Listing:
    folder = dataset_folder(root, FOLDERS)
    pictures = child(folder, ("images",)) if folder else None
    if folder is None or pictures is None:
        raise not_found("mfnet", root, FOLDERS, SOURCE)
    # `<id>_flip` files are mirrored copies that some distributions add for training.
    found = {
        path.stem: path
        for path in sorted(pictures.iterdir())
        if image.is_picture(path) and not path.stem.endswith("_flip")
    }
    ids: Iterable[str] = found if split == "all" else set(id_list(f"mfnet_{split}")) & set(found)
    labels = child(folder, DIALECTS["labels"])
    items, problems = [], []
    for name in sorted(ids):
        try:
            image.size(found[name])
        except FusionZooError as error:
            problems.append(f"{name}: {error}")
            continue
        label = labels / f"{name}.png" if labels else None
        items.append(_item(name, found[name], label if label and label.exists() else None))
    if not items and not problems:
        raise DataError(f"{folder} holds no scene of mfnet:{split}")
    return Listing(tuple(items), tuple(problems), folder, split)


def _item(name: str, path: Path, label: Path | None) -> Item:
    every = [path, *([label] if label else [])]
    return Item(
        name=name,
        load=partial(_load, name, path, label),
        fingerprint=lambda: hash_of(*(image.digest(one) for one in every)),
        paths={"visible": path, "infrared": path},
    )


def _load(name: str, path: Path, label: Path | None) -> Sample:
    visible = image.to_plane(image.read(path))
    infrared = image.to_plane(image.read(path, "alpha"))
    target = read_labels(label, MFNET) if label else None
    return Sample(name, {"visible": visible, "infrared": infrared}, target)


ENTRY = Dataset(
    title="MFNet",
    roles=("visible", "infrared"),
    splits=SPLITS,
    listing=_listing,
    source=SOURCE,
    terms="none stated",
    paper="Ha et al., MFNet, IROS 2017",
    target="labels",
    classes=MFNET,
    shares=("msrs", "msrs_haze"),
)

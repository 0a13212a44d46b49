"""M3FD: 4,200 pairs for detection and 300 for fusion, mostly 1024x768.

The 300 fusion pairs carry ids of the detection set; where both are present and an id is in both,
the fusion one is called `fusion_<id>`. Measured misalignments (pixels): 04053 (7, 1); 01912, 01913,
01919, 01929 (about -1, -3).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fusionzoo.core import DataError, Dataset, Item, Listing
from fusionzoo.datasets._folder import id_list, paired, role_folders
from fusionzoo.datasets._layout import ROLES
from fusionzoo.datasets._roots import dataset_folder, not_found

SOURCE = "github.com/dlut-dimt/TarDAL (links in its README)"
DETECTION = ("M3FD_Detection", "M3FD_4200", "M3FD")
FUSION = ("M3FD_Fusion", "M3FD_300")
SPLITS = {
    "all": "every pair found, detection set then fusion set",
    "detection": "the detection set (4,200 pairs)",
    "fusion300": "the 300 ids of the fusion set",
}


def _listing(root: Path | None, split: str) -> Listing:
    detection = dataset_folder(root, DETECTION) if split != "fusion300" else None
    fusion = dataset_folder(root, FUSION) if split != "detection" else None
    if detection is None and fusion is None:
        raise not_found("m3fd", root, DETECTION if split == "detection" else FUSION, SOURCE)
    items, problems = _pairs(detection, None) if detection else ([], [])
    if fusion:
        more, faults = _pairs(fusion, id_list("m3fd_fusion300"))
        taken = {item.name for item in items}
        items += [_renamed(item) if item.name in taken else item for item in more]
        problems += faults
    return Listing(tuple(items), tuple(problems), detection or fusion, split)


def _renamed(item: Item) -> Item:
    return replace(item, name=f"fusion_{item.name}")


def _pairs(folder: Path, ids: tuple[str, ...] | None) -> tuple[list[Item], list[str]]:
    places = role_folders(folder, ROLES)
    if set(places) != set(ROLES):
        raise DataError(f"{folder} has no folders Ir and Vis with M3FD's pictures")
    return paired(places, ids)


ENTRY = Dataset(
    title="M3FD",
    roles=ROLES,
    splits=SPLITS,
    listing=_listing,
    source=SOURCE,
    terms="none stated, citation asked",
    paper="Liu et al., TarDAL, CVPR 2022",
)

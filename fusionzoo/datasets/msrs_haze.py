"""MSRS test pictures under synthetic dense haze, with the clean picture and the infrared one.

Made for IASSF (arXiv 2411.12586); the haze is nearly uniform and leaves 0.1 to 0.5 of the contrast,
7.2 dB on average. Clean and infrared pictures are those of MSRS test, which must be beside it. No
weights of ours have seen the scenes: `msrs:train_allowed` leaves all of them out.
"""

from __future__ import annotations

from pathlib import Path

from fusionzoo.core import Dataset, Listing
from fusionzoo.datasets._clean import Pair, below, listing, pictures
from fusionzoo.datasets._roots import child, dataset_folder, not_found

FOLDERS = ("MSRS_haze_IASSF", "MSRS_haze")
CLEAN = ("MSRS", "MSRS-main")
SOURCE = "github.com/fangjiaqi0909/IASSF, folder data/MSRS/test"


def _listing(root: Path | None, split: str) -> Listing:
    folder = dataset_folder(root, FOLDERS)
    hazy = below(folder, "test", "hazy") if folder else None
    if folder is None or hazy is None:
        raise not_found("msrs_haze", root, FOLDERS, SOURCE)
    # IASSF's own layout has clean and infrared pictures beside the hazy ones.
    visible, infrared = below(folder, "test", "GT"), below(folder, "test", "IR")
    if visible is None or infrared is None:
        base = child(folder.parent, CLEAN)
        visible, infrared = (below(base, "test", n) if base else None for n in ("vi", "ir"))
    if visible is None or infrared is None:
        raise not_found("msrs", root, CLEAN, "github.com/Linfeng-Tang/MSRS")
    pairs = [
        Pair(path.stem, {"visible": path, "infrared": infrared / path.name}, visible / path.name)
        for path in pictures(hazy)
    ]
    return listing(pairs, folder, split)


ENTRY = Dataset(
    title="MSRS haze (IASSF)",
    roles=("visible", "infrared"),
    splits={"test": "every hazy picture found (361 in the full set)"},
    listing=_listing,
    source=SOURCE,
    terms="none stated; pictures of MSRS",
    paper="IASSF, arXiv 2411.12586; Tang et al., PIAFusion, Information Fusion 2022",
    target="clean",
    shares=("msrs", "mfnet"),
)

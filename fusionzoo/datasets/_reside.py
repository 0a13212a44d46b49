"""RESIDE's indoor test pictures, which two published copies lay out differently.

Both show the same 50 scenes (NYU Depth 1400 to 1449) under up to ten hazes, so they are split by
scene, with one list for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from fusionzoo.core import Dataset, Listing
from fusionzoo.datasets._clean import Pair, below, listing, pictures
from fusionzoo.datasets._folder import id_list
from fusionzoo.datasets._roots import dataset_folder, not_found

SPLITS = {
    "test": "every scene that our weights were not trained on",
    "train": "16 scenes; our weights train on them",
    "all": "every scene",
}
PAPER = "Li et al., Benchmarking Single-Image Dehazing and Beyond, IEEE TIP 2019"


def dataset(
    name: str,
    title: str,
    folders: tuple[str, ...],
    places: tuple[tuple[str, str, str], ...],
    source: str,
    clean_name: Callable[[str], str],
) -> Dataset:
    """An entry.

    Args:
        name: Catalogue name.
        title: For tables.
        folders: Names of its folder.
        places: Alternatives of (subfolder, hazy folder, clean folder); "" for no subfolder.
        source: Where to get it.
        clean_name: Stem of the hazy picture to stem of the clean one.
    """
    return Dataset(
        title=title,
        roles=("visible",),
        splits=SPLITS,
        listing=partial(_listing, name, folders, places, source, clean_name),
        source=source,
        terms="none stated; pictures of NYU Depth V2",
        paper=PAPER,
        target="clean",
        shares=tuple(other for other in ("reside_in", "sots") if other != name),
    )


def scene(stem: str) -> str:
    """The scene of a hazy picture: "1400_2" shows scene 1400."""
    return stem.partition("_")[0]


def _listing(
    name: str,
    folders: tuple[str, ...],
    places: tuple[tuple[str, str, str], ...],
    source: str,
    clean_name: Callable[[str], str],
    root: Path | None,
    split: str,
) -> Listing:
    folder = dataset_folder(root, folders)
    found = next((p for place in places if folder and (p := _place(folder, *place))), None)
    if folder is None or found is None:
        raise not_found(name, root, folders, source)
    training = set(id_list("reside_indoor_train_scenes"))

    def wanted(pair: Pair) -> bool:
        return split == "all" or (scene(pair.name) in training) == (split == "train")

    return listing(filter(wanted, _pairs(*found, clean_name)), folder, split)


def _place(folder: Path, inner: str, hazy: str, clean: str) -> tuple[Path, Path] | None:
    base = below(folder, inner) if inner else folder
    first, second = (below(base, name) if base else None for name in (hazy, clean))
    return (first, second) if first and second else None


def _pairs(hazy: Path, clean: Path, clean_name: Callable[[str], str]) -> Iterator[Pair]:
    originals = {path.stem: path for path in pictures(clean)}
    for path in pictures(hazy):
        stem = clean_name(path.stem)
        yield Pair(path.stem, {"visible": path}, originals.get(stem, clean / f"{stem}.png"))

"""Datasets of one folder per scene with two files, `<scene>_A` and `<scene>_B`: MEFB and MFIFB.

Copies keep raw duplicates beside the pair, and capitals of the names vary (`Sky/sKY_a.png`), so
files are paired within a scene's folder and never by their place in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fusionzoo import image
from fusionzoo.core import DataError, Dataset, FusionZooError, Item, Listing, Sample
from fusionzoo.datasets._folder import file_item
from fusionzoo.datasets._roots import child, dataset_folder, not_found


@dataclass(frozen=True)
class SceneFolders:
    """Facts from which `dataset` builds an entry.

    Attributes:
        name: Catalogue name.
        title: For tables.
        folder: Name of the dataset's folder.
        roles: Roles of the files A and B.
        source: Where users get it.
        terms: What is known of its licence.
        paper: Citation.
        check: Raises DataError if a decoded sample breaks the set's rule.
    """

    name: str
    title: str
    folder: str
    roles: tuple[str, str]
    source: str
    terms: str
    paper: str
    check: Callable[[Sample], None] | None = None


def dataset(facts: SceneFolders) -> Dataset:
    """The catalogue entry."""
    return Dataset(
        title=facts.title,
        roles=facts.roles,
        splits={"all": "every pair found"},
        listing=partial(_listing, facts),
        source=facts.source,
        terms=facts.terms,
        paper=facts.paper,
    )


def _listing(facts: SceneFolders, root: Path | None, split: str) -> Listing:
    folder = dataset_folder(root, (facts.folder,))
    if folder is None:
        raise not_found(facts.name, root, (facts.folder,), facts.source)
    base = child(folder, ("input",)) or folder
    items, problems = [], []
    for scene in sorted(path for path in base.iterdir() if path.is_dir()):
        found = _item(facts, scene)
        if isinstance(found, Item):
            items.append(found)
        elif found:
            problems.append(found)
    if not items and not problems:
        raise DataError(f"{base} holds no folder with files <scene>_A and <scene>_B")
    return Listing(tuple(items), tuple(problems), folder, split)


def _item(facts: SceneFolders, scene: Path) -> Item | str | None:
    """The scene, or why it cannot be used; None for a folder without pictures."""
    pictures = sorted(path for path in scene.iterdir() if image.is_picture(path))
    if not pictures:
        return None
    paths: dict[str, Path] = {}
    for role, letter in zip(facts.roles, "ab", strict=True):
        matches = [path for path in pictures if path.stem.lower().endswith(f"_{letter}")]
        exact = [p for p in matches if p.stem.lower() == f"{scene.name}_{letter}".lower()]
        chosen = exact or matches
        if len(chosen) != 1:
            found = "none" if not chosen else " and ".join(path.name for path in chosen)
            return f"{scene.name}: expected one file {scene.name}_{letter.upper()}, found {found}"
        paths[role] = chosen[0]
    try:
        sizes = {role: image.size(path) for role, path in paths.items()}
    except FusionZooError as error:
        return f"{scene.name}: {error}"
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{role} {w}x{h}" for role, (h, w) in sizes.items())
        return f"{scene.name}: pictures differ in size ({shown})"
    item = file_item(scene.name, paths, None, None)
    return replace(item, load=partial(_checked, item.load, facts.check)) if facts.check else item


def _checked(load: Callable[[], Sample], check: Callable[[Sample], None]) -> Sample:
    sample = load()
    check(sample)
    return sample

"""Degraded pictures with their clean originals: what restoration is measured on.

The degraded picture has the role "visible", as a camera would deliver it; the clean one is the
target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fusionzoo import image
from fusionzoo.core import DataError, Item, Listing, Sample, hash_of
from fusionzoo.datasets._folder import fault, to_role
from fusionzoo.datasets._roots import child


@dataclass(frozen=True)
class Pair:
    """Files of one scene: pictures by role, and the clean visible picture."""

    name: str
    paths: Mapping[str, Path]
    clean: Path

    def item(self) -> Item:
        """As a scene."""
        every = [*self.paths.values(), self.clean]
        return Item(
            name=self.name,
            load=partial(_load, self),
            fingerprint=lambda: hash_of(*(image.digest(path) for path in every)),
            paths=dict(self.paths),
        )

    def fault(self) -> str:
        """Why it cannot be used, or nothing."""
        present = {role: path for role, path in self.paths.items() if path.exists()}
        if self.clean.exists():
            present["clean"] = self.clean
        return fault(self.name, present, [*self.paths, "clean"])


def _load(pair: Pair) -> Sample:
    images = {role: to_role(role, image.read(path)) for role, path in pair.paths.items()}
    return Sample(pair.name, images, image.to_plane(image.read(pair.clean)))


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted."""
    return [path for path in sorted(folder.iterdir()) if image.is_picture(path)]


def below(folder: Path, *names: str) -> Path | None:
    """A folder inside a folder inside ..., capitals not mattering."""
    found: Path | None = folder
    for name in names:
        found = child(found, (name,)) if found else None
    return found


def listing(pairs: Iterable[Pair], folder: Path, split: str) -> Listing:
    """Usable scenes sorted by name, and a line for each of the others.

    Raises:
        DataError: There is none of either.
    """
    items, problems = [], []
    for pair in sorted(pairs, key=lambda pair: pair.name):
        problem = pair.fault()
        if problem:
            problems.append(problem)
        else:
            items.append(pair.item())
    if not items and not problems:
        raise DataError(f"{folder} holds no scene of the split {split}")
    return Listing(tuple(items), tuple(problems), folder, split)

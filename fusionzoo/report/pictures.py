"""Which pictures a results folder holds, and how a page refers to them: by path, or embedded.

Names in result files are not trusted: whatever a path resolves to must lie in the results folder.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from fusionzoo import compare
from fusionzoo.core import FusionZooError
from fusionzoo.store import Result

SOURCES = "sources"
"""Folder beside a dataset's cells: sources/<role>/<picture>.png."""
ORDER = ("visible", "infrared", "under", "over", "near", "far", "scan", "mri", "target")
MEBIBYTE = 1 << 20

Pictures = Mapping[str, Path]
"""Picture name to file."""


def outputs(folder: Path, result: Result) -> Pictures:
    """The fused pictures of a cell that the run kept."""
    home = _home(folder, result)
    if home is None:
        return {}
    return _existing(folder, home / "pictures" / result.label, _names(result))


def sources(folder: Path, cells: Sequence[Result]) -> dict[str, Pictures]:
    """Role to pictures, of the cells of one dataset; a copy of a source serves as that source."""
    found: dict[str, Pictures] = {}
    names = {name for cell in cells for name in _names(cell)}
    homes = dict.fromkeys(home for cell in cells if (home := _home(folder, cell)))
    for home in homes:
        for role in _subfolders(home / SOURCES):
            found[role] = {**_existing(folder, home / SOURCES / role, names), **found.get(role, {})}
    for cell in cells:
        if cell.method in ORDER and cell.method != "target":
            found[cell.method] = {**outputs(folder, cell), **found.get(cell.method, {})}
    known = sorted(found, key=lambda role: (ORDER.index(role) if role in ORDER else 99, role))
    return {role: found[role] for role in known if found[role]}


def _names(result: Result) -> list[str]:
    return [record.image for record in result.records]


def _home(folder: Path, result: Result) -> Path | None:
    """Folder of a cell; None if its names would lead elsewhere."""
    try:
        return compare.place(folder, result).parent
    except FusionZooError:
        return None


def _subfolders(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _existing(folder: Path, home: Path, names: Iterable[str]) -> dict[str, Path]:
    if not home.is_dir() or not home.resolve().is_relative_to(folder.resolve()):
        return {}
    inside = home.resolve()
    found = {}
    for name in sorted(names):
        path = home / f"{name}.png"
        try:
            if path.is_file() and path.resolve().is_relative_to(inside):
                found[name] = path
        except (OSError, ValueError):  # a name no file can have
            continue
    return found


@dataclass
class Album:
    """Turns pictures into references of one page.

    Attributes:
        page: The HTML file.
        limit: Bytes of pictures that may be embedded; None: none, they are referred to by path.
        embedded: Picture files as base64, by the id that the page looks for.
        left_out: Pictures that did not fit.
        size: Bytes embedded so far.
    """

    page: Path
    limit: int | None = None
    embedded: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    size: int = 0

    def refer(self, path: Path) -> str | None:
        """A relative address, or "#id" of an embedded picture; None if the limit is reached."""
        if self.limit is None:
            relative = os.path.relpath(path.resolve(), self.page.parent.resolve())
            return quote(Path(relative).as_posix())
        data = path.read_bytes()
        if self.size + len(data) > self.limit:
            self.left_out += 1
            return None
        self.size += len(data)
        name = f"picture-{len(self.embedded)}"
        self.embedded[name] = base64.b64encode(data).decode()
        return f"#{name}"

    def note(self) -> str:
        """What a reader must know of embedding; empty if nothing."""
        if self.limit is None:
            return ""
        text = f"{len(self.embedded)} pictures ({self.size / MEBIBYTE:.1f} MiB) are in this file."
        if self.left_out:
            text += (
                f" {self.left_out} more did not fit into the limit of "
                f"{self.limit / MEBIBYTE:.0f} MiB and are left out."
            )
        return text

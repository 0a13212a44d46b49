"""Where data lies: --data, else FUSIONZOO_DATA, else the user's cache folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fusionzoo import weights
from fusionzoo.core import DataError


def roots(given: Path | None) -> list[Path]:
    """Data roots to look in; an explicit one is the only one."""
    if given is not None:
        return [Path(given).expanduser()]
    configured = os.environ.get("FUSIONZOO_DATA")
    cache = weights.home() / "data"
    return [Path(configured).expanduser(), cache] if configured else [cache]


def child(folder: Path, names: Sequence[str]) -> Path | None:
    """The subfolder with one of these names, the first name winning; capitals do not matter."""
    if not folder.is_dir():
        return None
    present = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    return next((present[name.lower()] for name in names if name.lower() in present), None)


def dataset_folder(given: Path | None, names: Sequence[str]) -> Path | None:
    """The dataset's folder under a root, or the root itself if it has one of the names."""
    for root in roots(given):
        if found := child(root, names):
            return found
        if root.is_dir() and root.resolve().name.lower() in {name.lower() for name in names}:
            return root
    return None


def not_found(name: str, given: Path | None, names: Sequence[str], source: str) -> DataError:
    """One message: where it was looked for, how to get it, what works now."""
    places = ", ".join(str(root / names[0]) for root in roots(given))
    return DataError(
        f"dataset {name} is not on this machine (looked for {places}): get it from {source} and "
        "give its parent folder with --data or FUSIONZOO_DATA; without any download, "
        "`fusionzoo bench --datasets demo` works now"
    )

"""Contact sheets of a run, and the sources of its kept pictures beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fusionzoo import image, sheet
from fusionzoo.report.pictures import SOURCES

if TYPE_CHECKING:
    from fusionzoo.bench import Grid
    from fusionzoo.core import Sample
    from fusionzoo.image import Levels

STRIPS = 3
"""Scenes on one sheet."""


def contact_sheet(grid: Grid) -> Path | None:
    """Draw the sheet of one dataset from the pictures its cells kept; None if there are none.

    The sources of every kept picture, and its clean target if it has one, are written beside the
    cells, so that a report can show them without the dataset.
    """
    strips: list[sheet.Strip] = []
    kept = grid.kept()
    folder = grid.cell(grid.predictors[0]).parent if grid.predictors else None
    for item in grid.listing.items:
        pictures = _pictures(grid, item.name) if item.name in kept else {}
        if not pictures or folder is None:
            continue
        sample = grid.item(item.name).load()
        _keep_sources(folder / SOURCES, sample)
        if len(strips) < STRIPS:
            sources = {role: image.to_levels(plane) for role, plane in sample.images.items()}
            strips.append(sheet.Strip(f"{grid.name} {item.name}", {**sources, **pictures}))
    if not strips or folder is None:
        return None
    path = grid.out / "sheets" / f"{folder.name}.png"
    sheet.write(path, strips)
    return path


def _keep_sources(folder: Path, sample: Sample) -> None:
    planes = dict(sample.images)
    if sample.target is not None and sample.target.ndim == 3:
        planes["target"] = sample.target
    for role, plane in planes.items():
        path = folder / role / f"{sample.name}.png"
        if not path.exists():
            image.write(path, image.to_levels(plane))


def _pictures(grid: Grid, name: str) -> dict[str, Levels]:
    """Outputs by label; copies of a source are left out, the source itself is on the sheet."""
    found = {}
    for predictor in grid.predictors:
        path = grid.picture(predictor, name)
        if predictor.name not in grid.dataset.roles and path.exists():
            found[predictor.label] = image.read(path)
    return found

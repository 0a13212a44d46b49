"""Drawn scenes kept as files, for those who ask for it: reading one is much faster than drawing it.

The environment variable FUSIONZOO_DRAWN names the folder; without it nothing is written. A file's
name holds the version of the drawings, so that older ones are never read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from fusionzoo import image
from fusionzoo.core import ImageError, Sample

VARIABLE = "FUSIONZOO_DRAWN"
LABELS = "labels"


def kept(draw: Callable[[], Sample], name: str, mark: str, roles: Sequence[str]) -> Sample:
    """The scene from its files, or drawn, and then written where files are asked for.

    Args:
        draw: Draws the scene: 8-bit pictures of all roles, and labels of at most 255.
        name: Of the scene.
        mark: What its files' names begin with; differs between scenes and versions.
        roles: Of its pictures.

    Raises:
        OutputError: The folder cannot be written to.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return draw()
    paths = {part: Path(folder) / f"{mark}.{part}.png" for part in (*roles, LABELS)}
    try:
        levels = {part: image.read(path) for part, path in paths.items()}
    except ImageError:  # not there yet, or damaged
        return _written(draw(), paths)
    import torch

    labels = torch.from_numpy(levels.pop(LABELS).astype("int64"))
    return Sample(name, {role: image.to_plane(array) for role, array in levels.items()}, labels)


def _written(sample: Sample, paths: dict[str, Path]) -> Sample:
    assert sample.target is not None
    levels = {role: image.to_levels(plane) for role, plane in sample.images.items()}
    levels[LABELS] = sample.target.numpy().astype("uint8")
    for part, array in levels.items():
        image.write(paths[part], array)
    return sample

"""Label maps from class probabilities, and the pictures and tables that people look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusionzoo import image
from fusionzoo.core import ClassTable, Sample
from fusionzoo.image import Levels

OVERLAYS = "overlay"
AREAS = "areas.csv"


def probabilities(logits: Tensor, ignored: Sequence[int] = ()) -> Tensor:
    """Softmax over the classes of logits (B, K, H, W); ids that mean "not labelled" get 0."""
    if ignored:
        logits = logits.clone()
        logits[:, list(ignored)] = -torch.inf
    return logits.softmax(1)


def label_map(chances: Tensor) -> Levels:
    """Ids (H, W) uint8 of class probabilities (K, H, W); the first of equals wins."""
    return np.asarray(chances.argmax(0).to(torch.uint8).cpu().numpy())


def colours(ids: NDArray[np.integer], table: ClassTable) -> Levels:
    """A label map (H, W) in the table's colours (H, W, 3); 255 and unknown ids are white."""
    palette = np.full((256, 3), 255, np.uint8)
    palette[: len(table.palette)] = table.palette
    return np.asarray(palette[ids], np.uint8)


def overlay(picture: Levels, ids: NDArray[np.integer], table: ClassTable) -> Levels:
    """The picture's luminance under the table's colours, with dark lines between classes.

    Args:
        picture: (H, W) or (H, W, 3) 8-bit.
        ids: (H, W).
        table: Names and colours.
    """
    grey = image.grey(picture).astype(np.float32)[..., None]
    mixed = 0.5 * grey + 0.5 * colours(ids, table)
    edge = np.zeros(ids.shape, bool)
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    mixed[edge] *= 0.4
    return (mixed + 0.5).astype(np.uint8)


def write(path: Path, sample: Sample, role: str, chances: Tensor, table: ClassTable) -> None:
    """Write the index map to `path` and the overlay to `overlay/` beside it.

    Raises:
        OutputError: The folder cannot be written to.
    """
    ids = label_map(chances)
    picture = image.to_levels(sample.images[role])
    image.write(path.parent / OVERLAYS / path.name, overlay(picture, ids, table))
    # The index map is written last: it is what tells that a scene is finished.
    image.write(path, ids)


def write_areas(folder: Path, names: Sequence[str], table: ClassTable) -> Path:
    """Table of the share of each class in every finished picture of a folder.

    Returns:
        The file; one line a picture, one column a class, shares of 1.
    """
    lines = [",".join(("image", *(name.replace(",", " ") for name in table.names)))]
    for name in names:
        path = folder / f"{name}.png"
        if not path.exists():
            continue
        ids = image.read(path)
        counts = np.bincount(ids.ravel(), minlength=256)[: len(table.names)]
        lines.append(",".join((name, *(f"{count / ids.size:.6f}" for count in counts))))
    target = folder / AREAS
    image.write_bytes(target, ("\n".join(lines) + "\n").encode())
    return target

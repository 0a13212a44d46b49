"""Planes for training: how they are kept, at which scale they are seen, what is held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from fusionzoo.core import hash_of


def levels(plane: Tensor) -> Tensor:
    """Float in [0, 1] to uint8, which takes a quarter of the memory."""
    return (plane * 255).round().to(torch.uint8)


def rescale(
    planes: Mapping[str, Tensor], shrink: int, whole: float, generator: torch.Generator
) -> dict[str, Any]:
    """Average all planes (C, H, W) down by `shrink`, or cut a part of that size."""
    height, width = (side // shrink for side in next(iter(planes.values())).shape[-2:])
    if torch.rand((), generator=generator) < whole:
        return {k: functional.avg_pool2d(p[None], shrink)[0] for k, p in planes.items()}
    top = int(torch.randint(height * (shrink - 1) + 1, (), generator=generator))
    left = int(torch.randint(width * (shrink - 1) + 1, (), generator=generator))
    return {k: p[..., top : top + height, left : left + width] for k, p in planes.items()}


def held_out(dataset: str, names: Sequence[str], one_in: int) -> set[str]:
    """Training pictures that are kept for choosing, whole scenes; the scenes' hashes decide.

    Args:
        dataset: "name:split".
        names: Of its pictures. RESIDE's tell the scene before the underscore.
        one_in: One scene in so many is kept; 0: none.
    """
    reside = dataset.partition(":")[0] in ("sots", "reside_in")
    scene_of = {name: name.partition("_")[0] if reside else name for name in names}
    scenes = sorted(set(scene_of.values()), key=lambda scene: hash_of("held out", scene))
    kept = set(scenes[: len(scenes) // one_in]) if one_in else set()
    return {name for name, scene in scene_of.items() if scene in kept}

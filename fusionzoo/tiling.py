"""Padding to a network's size rules and tiles, with a halo or blended: pictures of any size fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


def pad(picture: Tensor, multiple_of: int, minimum_side: int) -> Tensor:
    """Extend right and bottom by repeating the edge until both sides obey the rules.

    Args:
        picture: (B, C, H, W).
        multiple_of: Sides become multiples of this.
        minimum_side: And at least this.
    """
    height, width = picture.shape[-2:]
    bottom, right = (
        -(-max(side, minimum_side) // multiple_of) * multiple_of - side for side in (height, width)
    )
    if not bottom and not right:
        return picture
    return functional.pad(picture, (0, right, 0, bottom), mode="replicate")


def wrapped(picture: Tensor, columns: int) -> Tensor:
    """Continue a full-circle panorama (B, C, H, W) on both sides by its other end.

    Args:
        picture: Its left and right borders are neighbours.
        columns: Added on each side; at most the width.
    """
    columns = min(columns, picture.shape[-1])
    if not columns:
        return picture
    return torch.cat([picture[..., -columns:], picture, picture[..., :columns]], -1)


def run_wrapped(network: Callable[..., Tensor], planes: Sequence[Tensor], columns: int) -> Tensor:
    """Apply `network` to wrapped planes (B, C, H, W) and cut the additions off again.

    What a network with a field of view below `columns` gives is then free of a seam.
    """
    width = planes[0].shape[-1]
    columns = min(columns, width)
    output = network(*(wrapped(plane, columns) for plane in planes))
    return output[..., columns : columns + width]


@dataclass(frozen=True)
class Tile:
    """A rectangle of the output and the larger one of the input that decides it (pixels)."""

    top: int
    left: int
    bottom: int
    right: int
    outer: tuple[int, int, int, int]


def _spans(length: int, side: int, halo: int, origin: int) -> Iterator[tuple[int, int, int, int]]:
    step = max(origin, side // origin * origin)
    margin = -(-halo // origin) * origin
    for start in range(0, length, step):
        stop = min(start + step, length)
        yield start, stop, max(0, start - margin), min(length, stop + margin)
        if stop == length:
            return


def tiles(height: int, width: int, side: int, halo: int, origin: int) -> list[Tile]:
    """Tiles that cover height x width without overlap, each with a halo of input around it.

    Outer rectangles start at multiples of `origin`, so that a strided network samples the same
    grid as on the whole picture.
    """
    return [
        Tile(top, left, bottom, right, (outer_top, outer_left, outer_bottom, outer_right))
        for top, bottom, outer_top, outer_bottom in _spans(height, side, halo, origin)
        for left, right, outer_left, outer_right in _spans(width, side, halo, origin)
    ]


def run_tiled(
    network: Callable[..., Tensor], planes: Sequence[Tensor], side: int, halo: int, origin: int
) -> Tensor:
    """Apply `network` to tiles of (B, C, H, W) planes and put the results together.

    Exact, to rounding, if no pixel further away than `halo` influences an output pixel.
    """
    height, width = planes[0].shape[-2:]
    output: Tensor | None = None
    for tile in tiles(height, width, side, halo, origin):
        top, left, bottom, right = tile.outer
        part = network(*(plane[..., top:bottom, left:right] for plane in planes))
        if output is None:
            output = torch.empty(*part.shape[:-2], height, width, dtype=torch.float32)
            output = output.to(part.device)
        output[..., tile.top : tile.bottom, tile.left : tile.right] = part[
            ..., tile.top - top : tile.bottom - top, tile.left - left : tile.right - left
        ]
    if output is None:
        raise ValueError("a picture without pixels cannot be tiled")
    return output


def blended_starts(length: int, side: int, overlap: int) -> list[int]:
    """Where tiles of `side` begin so that neighbours share `overlap` or more; the last is flush."""
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def _ramp(start: int, stop: int, length: int, overlap: int) -> Tensor:
    """Weights of a tile's lines: rising from an inner border over the overlap, 1 inside."""
    position = torch.arange(start, stop, dtype=torch.float32)
    rising = (position - start + 0.5) / overlap if start else torch.ones_like(position)
    falling = (stop - position - 0.5) / overlap if stop < length else torch.ones_like(position)
    return torch.minimum(rising, falling).clamp(0, 1)


def run_blended(
    network: Callable[..., Tensor], planes: Sequence[Tensor], side: int, overlap: int
) -> Tensor:
    """Apply `network` to overlapping tiles of (B, C, H, W) planes and blend the results.

    Weights fall linearly towards a tile's inner borders, so no seam is sharper than the change
    between neighbouring tiles spread over the overlap.

    Args:
        network: Maps tiles to tiles of the same height and width.
        planes: The pictures.
        side: Of a tile in pixels.
        overlap: Pixels that neighbouring tiles share at least; at most half of `side` is used.
    """
    height, width = planes[0].shape[-2:]
    overlap = min(overlap, side // 2)
    total: Tensor | None = None
    weight = torch.zeros(height, width)
    for top in blended_starts(height, side, overlap):
        bottom = min(top + side, height)
        rows = _ramp(top, bottom, height, overlap)
        for left in blended_starts(width, side, overlap):
            right = min(left + side, width)
            part = network(*(plane[..., top:bottom, left:right] for plane in planes)).float()
            if total is None:
                total = torch.zeros(*part.shape[:-2], height, width, device=part.device)
                weight = weight.to(part.device)
            share = rows[:, None] * _ramp(left, right, width, overlap)[None]
            share = share.clamp(min=1e-6).to(part.device)
            total[..., top:bottom, left:right] += share * part
            weight[top:bottom, left:right] += share
    if total is None:
        raise ValueError("a picture without pixels cannot be tiled")
    return total / weight

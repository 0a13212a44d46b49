"""Contact sheets: sources and every method side by side, with an enlarged detail of each.

The detail is the same square everywhere: the one where the infrared picture varies most, because
that is where methods differ.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fusionzoo import image
from fusionzoo.image import Levels

CELL_WIDTH = 360
GAP = 6
LABEL_HEIGHT = 24
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
INK, PAPER, FRAME = (30, 30, 30), (250, 250, 250), (255, 196, 0)


@dataclass(frozen=True)
class Strip:
    """One scene: its name, and pictures by label; the first ones are the sources."""

    name: str
    pictures: Mapping[str, Levels]


def detail_box(infrared: Levels, share: float = 0.2) -> tuple[int, int, int]:
    """(top, left, side) of the square of the infrared picture with the largest variance."""
    grey = image.grey(infrared).astype(np.float32)
    height, width = grey.shape
    side = max(8, min(round(share * width), height, width))
    if side >= min(height, width):
        return 0, 0, min(height, width)
    mean = cv2.blur(grey, (side, side))
    variance = cv2.blur(grey * grey, (side, side)) - mean * mean
    # Frames of registration are black along the border and would always win.
    edge, half = min(height, width) // 20, side // 2
    rows = slice(half + edge, height - side + half + 1 - edge)
    columns = slice(half + edge, width - side + half + 1 - edge)
    inside = variance[rows, columns]
    if inside.size == 0:
        return 0, 0, side
    top, left = np.unravel_index(int(np.argmax(inside)), inside.shape)
    return int(top) + edge, int(left) + edge, side


def _colour(levels: Levels) -> Levels:
    return np.dstack([levels] * 3) if levels.ndim == 2 else levels


def _cell(levels: Levels, box: tuple[int, int, int], height: int) -> Image.Image:
    """The picture at cell width with its detail, enlarged and framed, in the corner far from it."""
    top, left, side = box
    colour = _colour(levels)
    picture = Image.fromarray(colour).resize((CELL_WIDTH, height), Image.Resampling.LANCZOS)
    inset_side = round(min(CELL_WIDTH, height) * 0.42)
    detail = Image.fromarray(np.ascontiguousarray(colour[top : top + side, left : left + side]))
    inset = detail.resize((inset_side, inset_side), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    scale = CELL_WIDTH / colour.shape[1]
    corners = [round(v * scale) for v in (left, top, left + side, top + side)]
    draw.rectangle(corners, outline=FRAME, width=2)
    at_left = left + side / 2 > colour.shape[1] / 2
    at_top = top + side / 2 > colour.shape[0] / 2
    x = 3 if at_left else CELL_WIDTH - inset_side - 3
    y = 3 if at_top else height - inset_side - 3
    picture.paste(inset, (x, y))
    draw.rectangle((x - 2, y - 2, x + inset_side + 1, y + inset_side + 1), outline=FRAME, width=2)
    return picture


def draw(strips: Sequence[Strip], columns: int = 4) -> Image.Image:
    """All strips on one sheet; each starts on a new line and wraps after `columns` cells."""
    font = ImageFont.load_default(15)
    blocks = [_block(strip, columns, font) for strip in strips]
    width = max(block.width for block in blocks)
    height = sum(block.height for block in blocks) + GAP * (len(blocks) - 1)
    sheet = Image.new("RGB", (width, height), PAPER)
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height + GAP
    return sheet


def _block(strip: Strip, columns: int, font: Font) -> Image.Image:
    first = next(iter(strip.pictures.values()))
    height = round(CELL_WIDTH * first.shape[0] / first.shape[1])
    box = detail_box(strip.pictures.get("infrared", first))
    rows = -(-len(strip.pictures) // columns)
    size = (
        columns * (CELL_WIDTH + GAP) + GAP,
        LABEL_HEIGHT + rows * (height + LABEL_HEIGHT + GAP),
    )
    block = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(block)
    pen.text((GAP, 3), strip.name, fill=INK, font=font)
    for index, (label, levels) in enumerate(strip.pictures.items()):
        left = GAP + index % columns * (CELL_WIDTH + GAP)
        top = LABEL_HEIGHT + index // columns * (height + LABEL_HEIGHT + GAP)
        block.paste(_cell(levels, box, height), (left, top))
        pen.text((left, top + height + 3), label, fill=INK, font=font)
    return block


def write(path: Path, strips: Sequence[Strip], columns: int = 4) -> None:
    """Draw a sheet and write it as PNG, whole or not at all.

    Raises:
        OutputError: The place cannot be written to.
    """
    stream = io.BytesIO()
    draw(strips, columns).save(stream, "PNG")
    image.write_bytes(path, stream.getvalue())

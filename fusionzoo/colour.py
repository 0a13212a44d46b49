"""Luminance and chroma of float planes, in three conventions.

"float" is ITU-R BT.601 without rounding and its exact inverse. "levels" works on 8-bit luminance
and gives a picture whose 8-bit grey is exactly the rounded fused luminance: a metric sees what the
method made and not the colours around it. Chroma shrinks where it would leave the gamut, and ties
round to even. "opencv_uint8" reproduces what most released fusion code does, SAGE among it:
OpenCV's 8-bit YCrCb, then an inverse with the rounded constants 1.403, 0.714, 0.344, 1.773 around
the chroma centre 0.5. OpenCV's own centre is 128/255, so that path tints neutral pixels by (+0.70,
-0.53, +0.89) levels; published pictures contain it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

Luma = Literal["float", "levels", "opencv_uint8"]

_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114


def _luma601(rgb: Tensor) -> Tensor:
    red, green, blue = rgb.unbind(-3)
    # Written around green so that a neutral pixel keeps its value exactly.
    return (green + _RED * (red - green) + _BLUE * (blue - green)).unsqueeze(-3)


def _luma_levels(levels: Tensor) -> Tensor:
    """Pillow's integer luma of (B, 3, H, W) levels; float32 holds every sum exactly."""
    red, green, blue = levels.unbind(-3)
    weighted = 19595 * red + 38470 * green + 7471 * blue + 32768
    return (weighted / 65536).floor().unsqueeze(-3)


def _round_levels(plane: Tensor) -> Tensor:
    """[0, 1] to whole levels, ties to even; float noise below 1/4096 level does not break a tie."""
    return plane.mul(255 * 4096).round().div(4096).round().clamp(0, 255)


def _opencv(picture: Tensor, code: int) -> Tensor:
    """Run an 8-bit OpenCV conversion on (B, 3, H, W) planes in [0, 1]."""
    levels = picture.mul(255).add(0.5).clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    converted = np.stack([cv2.cvtColor(np.ascontiguousarray(one), code) for one in levels])
    if converted.ndim == 3:
        converted = converted[..., None]
    planes = torch.from_numpy(converted).permute(0, 3, 1, 2)
    return planes.to(picture.device, torch.float32) / 255


def grey_plane(picture: Tensor, luma: Luma = "float") -> Tensor:
    """(B, C, H, W) -> (B, 1, H, W): luminance of a colour picture, a grey one as it is."""
    if picture.shape[-3] == 1:
        return picture
    if luma == "opencv_uint8":
        return _opencv(picture, cv2.COLOR_RGB2GRAY)
    if luma == "levels":
        return _luma_levels(_round_levels(picture)) / 255
    return _luma601(picture)


def split_luma(picture: Tensor, luma: Luma) -> tuple[Tensor, Tensor | None]:
    """Luminance (B, 1, H, W) and chroma of (B, C, H, W) planes in [0, 1].

    Chroma is (B, 2, H, W) in the order Cr, Cb around 0.5 ("opencv_uint8"), the differences
    (B, 3, H, W) between colour and luminance ("float", "levels"), or None for a grey picture.
    """
    if picture.shape[-3] == 1:
        return picture, None
    if luma == "opencv_uint8":
        planes = _opencv(picture, cv2.COLOR_RGB2YCrCb)
        return planes[:, :1], planes[:, 1:]
    luminance = grey_plane(picture, luma)
    return luminance, picture - luminance


def _has_colour(chroma: Tensor, luma: Luma) -> bool:
    if luma == "opencv_uint8":
        return bool((chroma != 128 / 255).any())
    return bool((chroma.amax(-3) != chroma.amin(-3)).any())  # equal channels differ equally


def blend_chroma(chromas: Sequence[Tensor | None], luma: Luma) -> Tensor | None:
    """One chroma from those of several pictures, as `split_luma` gave them.

    None if all are grey; that of the only coloured picture, unchanged; else, per pixel and for each
    of Cr and Cb, sum(C |C|) / (sum(|C|) + 1e-4 level) with C the distance from neutral, the rule of
    most exposure and focus fusion programs (DeepFuse, Prabhakar et al., ICCV 2017). A picture of
    three equal channels is grey too.
    """
    neutral = 128 / 255 if luma == "opencv_uint8" else 0.0
    present = [chroma for chroma in chromas if chroma is not None]
    coloured = [chroma for chroma in present if _has_colour(chroma, luma)]
    if len(coloured) < 2:
        return next(iter(coloured or present), None)
    distances = torch.stack(coloured) - neutral
    if luma != "opencv_uint8":
        distances = distances[:, :, ::2]  # red and blue; the green difference follows from them
    size = distances.abs()
    blended = (distances * size).sum(0) / (size.sum(0) + 1e-4 / 255)
    if luma == "opencv_uint8":
        return blended + neutral
    red, blue = blended.unbind(-3)
    return torch.stack([red, -(_RED * red + _BLUE * blue) / _GREEN, blue], -3)


def join_luma(luminance: Tensor, chroma: Tensor | None, luma: Luma) -> Tensor:
    """Put chroma from `split_luma` back onto a new luminance; only "levels" stays within [0, 1]."""
    if luma == "levels":
        return _join_levels(luminance, chroma)
    if chroma is None:
        return luminance
    if luma == "float":
        return luminance + chroma
    red_difference, blue_difference = (chroma - 0.5).chunk(2, dim=-3)
    red = luminance + 1.403 * red_difference
    green = luminance - 0.714 * red_difference - 0.344 * blue_difference
    blue = luminance + 1.773 * blue_difference
    return torch.cat([red, green, blue], dim=-3)


def _join_levels(luminance: Tensor, chroma: Tensor | None) -> Tensor:
    """A picture on whole levels whose integer luma is the rounded luminance."""
    wanted = _round_levels(luminance)
    if chroma is None:
        return wanted / 255
    difference = (chroma * 255).round()
    highest = difference.amax(-3, keepdim=True).clamp(min=1)
    lowest = difference.amin(-3, keepdim=True).clamp(max=-1)
    # One level is left free for the shift below.
    room = torch.minimum((254 - wanted) / highest, (1 - wanted) / lowest).clamp(0, 1)
    picture = (wanted + difference * room).round()
    # The luma weights sum to one: adding a level to all channels adds exactly one to the luma.
    shifted = picture + (wanted - _luma_levels(picture))
    return shifted.clamp(0, 255) / 255


def stretched(planes: Tensor) -> Tensor:
    """Each (1, H, W) of a batch scaled so that it spans 0 to 1; a flat one stays as it is."""
    low, high = planes.amin((-2, -1), keepdim=True), planes.amax((-2, -1), keepdim=True)
    return torch.where(high > low, (planes - low) / (high - low).clamp(min=1e-12), planes)

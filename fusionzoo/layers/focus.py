"""Near- and far-focused pairs of an all-in-focus picture: disc blur by depth, soft occlusion.

A thin lens spreads a point at disparity d (inverse depth, 1 nearest and 0 farthest here) over a
disc whose radius grows with its distance from the plane of focus: r = r_max |d - d_focus|.

The picture is cut into layers of equal disparity, a mask m_k and colours m_k x. Each layer is
blurred by its own disc D_k; nearer layers hide farther ones by their blurred masks:

    y = sum_k V_k D_k(m_k x) / sum_k V_k D_k(m_k),   V_k = prod_{j nearer than k} (1 - D_j(m_j)).

So a blurred foreground spreads softly over a sharp background, and a sharp foreground keeps its
edge before a blurred one, as in photographs. What a layer would show behind a nearer one is
unknown; within reach of the nearer one's disc it is filled with the mean of the layer's colours
close by. Discs are applied as products of spectra, whose cost does not grow with r.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional

from fusionzoo.layers.exposure import uniform

LAYERS = 8
SHARP = 0.5
"""Discs of a smaller radius (pixels) stay within one pixel: the layer is kept as it is."""


class FocusPair(NamedTuple):
    """Two pictures of one scene, and the disparity (1, H, W) in [0, 1] that they were made with."""

    near: Tensor
    far: Tensor
    disparity: Tensor


def disc(radius: float) -> Tensor:
    """(2 n + 1, 2 n + 1) disc of sum 1, its rim covered in part; n = ceil(radius)."""
    reach = math.ceil(radius)
    axis = torch.arange(-reach, reach + 1, dtype=torch.float32)
    distance = (axis[:, None] ** 2 + axis[None] ** 2).sqrt()
    covered = (radius + 0.5 - distance).clamp(0, 1)
    return covered / covered.sum()


def disc_blur(planes: Tensor, radius: float) -> Tensor:
    """Convolve (C, H, W) planes with a disc, the border repeated; a radius below 0.5 does nothing.

    Args:
        planes: float.
        radius: Pixels.
    """
    if radius < SHARP:
        return planes
    height, width = planes.shape[-2:]
    kernel = disc(radius).to(planes)
    reach = kernel.shape[-1] // 2
    padded = functional.pad(planes[None], (reach, reach, reach, reach), mode="replicate")[0]
    size = (height + 4 * reach, width + 4 * reach)
    spectrum = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(kernel, s=size)
    whole: Tensor = torch.fft.irfft2(spectrum, s=size)
    return whole[:, 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]


def focused(picture: Tensor, disparity: Tensor, focus: float, largest: float) -> Tensor:
    """Photograph an all-in-focus picture with a lens focused at one disparity.

    Args:
        picture: (C, H, W) float in [0, 1].
        disparity: (1, H, W) float in [0, 1], 1 nearest.
        focus: Disparity of the plane of focus.
        largest: Radius in pixels of the disc one unit of disparity away from it.

    Returns:
        (C, H, W) in [0, 1].
    """
    level = (disparity.clamp(0, 1) * LAYERS).floor().clamp(max=LAYERS - 1)
    # Every pixel of the layer in focus is kept sharp, not only those exactly at `focus`.
    sharp = min(math.floor(focus * LAYERS), LAYERS - 1)
    colour, weight = torch.zeros_like(picture), torch.zeros_like(disparity)
    clear, reach = torch.ones_like(disparity), 0.0
    for layer in reversed(range(LAYERS)):
        mask = (level == layer).to(picture)
        if not mask.any():
            continue
        radius = largest * abs(layer - sharp) / LAYERS
        shown = torch.cat([picture * mask, mask])
        blurred = disc_blur(_extended(shown, level > layer, reach), radius)
        colour = colour + clear * blurred[:-1]
        weight = weight + clear * blurred[-1:]
        clear = clear * (1 - blurred[-1:].clamp(0, 1))
        reach = max(reach, radius)
    return (colour / weight.clamp(min=1e-6)).clamp(0, 1)


def _extended(shown: Tensor, hidden: Tensor, reach: float) -> Tensor:
    """Fill a layer where nearer ones hide it, within `reach` pixels of what is seen of it.

    Args:
        shown: (C + 1, H, W), colours times mask, and the mask.
        hidden: (1, H, W) bool, where a nearer layer stands.
        reach: Radius in pixels of the largest disc of a nearer layer.
    """
    if reach < SHARP:
        return shown
    around = disc_blur(shown, reach)
    known = around[-1:] > 1e-3
    mean = around / around[-1:].clamp(min=1e-3)
    return torch.where(hidden & known, mean, shown)


def _smooth_noise(size: tuple[int, int], cells: int, generator: Generator) -> Tensor:
    """(1, H, W) smooth random field of zero mean and unit deviation."""
    grid = torch.randn(1, 1, cells + 3, cells + 3, generator=generator)
    field = functional.interpolate(grid, size=size, mode="bicubic", align_corners=True)[0]
    return (field - field.mean()) / field.std().clamp(min=1e-6)


def random_disparity(picture: Tensor, generator: Generator) -> Tensor:
    """A plausible disparity for a picture whose depth is unknown.

    A background that comes nearer in one direction, as ground does, and up to three foreground
    objects at constant disparity. Their outlines follow a smooth random field to which the
    picture's own coarse brightness is added, so that many of them run along edges.

    Args:
        picture: (C, H, W) float in [0, 1].
        generator: CPU generator.

    Returns:
        (1, H, W) in [0, 1], reaching both ends.
    """
    height, width = picture.shape[-2:]
    rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
    columns = torch.linspace(-1, 1, width)[None].expand(height, width)
    tilt = uniform(generator, -0.6, 0.6)
    ground = ((rows * math.cos(tilt) + columns * math.sin(tilt)) * 0.5 + 0.5)[None]
    disparity = uniform(generator, 0.0, 0.45) * ground
    coarse = picture.float().cpu().mean(0, keepdim=True)[None]
    coarse = functional.avg_pool2d(coarse, 5, stride=1, padding=2, count_include_pad=False)[0]
    coarse = (coarse - coarse.mean()) / coarse.std().clamp(min=1e-3)
    for _ in range(int(torch.randint(1, 4, (), generator=generator))):
        field = _smooth_noise((height, width), int(uniform(generator, 2, 5)), generator)
        field = field + uniform(generator, -0.8, 0.8) * coarse
        share = uniform(generator, 0.15, 0.5)
        threshold = field.flatten().kthvalue(max(1, int((1 - share) * field.numel()))).values
        disparity = torch.where(field > threshold, uniform(generator, 0.6, 1.0), disparity)
    low, high = disparity.min(), disparity.max()
    return ((disparity - low) / (high - low).clamp(min=1e-6)).to(picture)


def focus_pair(
    clean: Tensor,
    generator: Generator,
    disparity: Tensor | None = None,
    largest: tuple[float, float] = (3.0, 9.0),
) -> FocusPair:
    """Photograph one picture's scene twice: focused on what is near, and on what is far.

    Args:
        clean: All-in-focus picture (C, H, W) float in [0, 1], C 1 or 3.
        generator: CPU generator; the same state gives the same pair.
        disparity: (1, H, W) in [0, 1], 1 nearest; None invents one.
        largest: Range of the radius in pixels of the largest disc.
    """
    if disparity is None:
        disparity = random_disparity(clean, generator)
    radius = uniform(generator, *largest)
    return FocusPair(
        near=focused(clean, disparity, 1.0, radius),
        far=focused(clean, disparity, 0.0, radius),
        disparity=disparity,
    )

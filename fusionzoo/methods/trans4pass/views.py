"""What a segmenter may be shown of one scene: colours, heat, or any mixture of both.

A reader of fused pictures must not favour the look of one fusion method, so it learns on random
mixtures of luminance and heat, with and without colour, beside the pure sources.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)


def _draw(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def mixture(visible: Tensor, infrared: Tensor, generator: torch.Generator) -> Tensor:
    """A random fused picture (3, H, W) of (3, H, W) and (1, H, W), all in [0, 1].

    Luminance and heat are averaged with a random weight or (one time in three) the larger one is
    taken; the colour differences are kept by a random share.
    """
    luma = (visible * visible.new_tensor(_LUMA).view(3, 1, 1)).sum(0, keepdim=True)
    if _draw(0, 3, generator) < 1:
        mixed = torch.maximum(luma, infrared)
    else:
        share = _draw(0.2, 0.8, generator)
        mixed = share * luma + (1 - share) * infrared
    colour = max(0.0, _draw(-0.3, 1.0, generator))
    return (mixed + colour * (visible - luma)).clamp(0, 1)


def random_view(
    visible: Tensor, infrared: Tensor | None, fused_share: float, generator: torch.Generator
) -> Tensor:
    """The visible picture, the infrared one, or a mixture.

    Args:
        visible: (3, H, W) in [0, 1].
        infrared: (1, H, W) in [0, 1]; None leaves the visible picture.
        fused_share: Probability of not seeing the visible picture; a quarter of it goes to the
            infrared one, the rest to mixtures.
        generator: Source of chance.
    """
    chance = _draw(0, 1, generator)
    if infrared is None or chance >= fused_share:
        return visible
    if chance < 0.25 * fused_share:
        return infrared.expand(3, -1, -1)
    return mixture(visible, infrared, generator)


def disturbed(picture: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Random gain, gamma, colour cast and noise, so that exposure and tone carry no meaning.

    Args:
        picture: (3, H, W) in [0, 1].
        strength: 0 changes nothing; at 1 gain and gamma vary by a half.
        generator: Source of chance.
    """
    if strength == 0:
        return picture
    gamma = 2 ** _draw(-0.6 * strength, 0.6 * strength, generator)
    gain = 2 ** _draw(-0.4 * strength, 0.4 * strength, generator)
    cast = 1 + 0.1 * strength * (2 * torch.rand(3, 1, 1, generator=generator) - 1)
    noise = _draw(0, 0.03 * strength, generator)
    grain = torch.randn(picture.shape, generator=generator)
    return (gain * cast * picture.clamp_min(1e-4) ** gamma + noise * grain).clamp(0, 1)


def window_place(
    labels: Tensor,
    size: tuple[int, int],
    scale: float,
    rare_share: float,
    generator: torch.Generator,
) -> tuple[float, float]:
    """Where to cut a window, for `rescaled_crop`: anywhere, or around a rare class.

    Args:
        labels: (1, H, W) integer ids, 255 = ignore.
        size: Height and width of the window.
        scale: Factor on the sides of the scene, before cutting.
        rare_share: Probability of a window around a pixel of a class, which is drawn with a
            probability inverse to the root of its area in this scene.
        generator: Source of chance.
    """
    down, across, chance = torch.rand(3, generator=generator).tolist()
    counts = torch.bincount(labels.flatten().long(), minlength=256)[:255]
    if chance >= rare_share or not counts.any():
        return down, across
    odds = torch.where(counts > 0, counts.clamp_min(1).float().rsqrt(), 0)
    chosen = int(torch.multinomial(odds, 1, generator=generator))
    found = (labels[0] == chosen).nonzero()
    centre = found[int(torch.randint(len(found), (), generator=generator))]
    place = []
    for at, side, window, shift in zip(
        centre.tolist(), labels.shape[-2:], size, (down, across), strict=True
    ):
        # The pixel lies in the middle half of the window.
        first = at * scale - window * (0.25 + 0.5 * shift)
        free = round(side * scale) - window
        place.append(min(max(first / free, 0.0), 1.0) if free > 0 else 0.0)
    return place[0], place[1]


def rescaled_crop(
    picture: Tensor, labels: Tensor, size: tuple[int, int], scale: float, place: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Scale, then cut a window; what lies outside is 0 in the picture and 255 in the labels.

    Args:
        picture: (3, H, W) float.
        labels: (1, H, W) integer ids.
        size: Height and width of the window.
        scale: Factor on the sides.
        place: Where the window lies between the first (0) and the last (1) possible place.
    """
    rows, columns = (max(1, round(side * scale)) for side in picture.shape[-2:])
    if (rows, columns) != tuple(picture.shape[-2:]):
        picture = functional.interpolate(
            picture[None], (rows, columns), mode="bilinear", antialias=scale < 1
        )[0]
        labels = functional.interpolate(labels[None].float(), (rows, columns), mode="nearest-exact")
        labels = labels[0].to(torch.uint8)
    below, right = max(0, size[0] - rows), max(0, size[1] - columns)
    picture = functional.pad(picture, (0, right, 0, below))
    labels = functional.pad(labels, (0, right, 0, below), value=255)
    top = round(place[0] * (picture.shape[-2] - size[0]))
    left = round(place[1] * (picture.shape[-1] - size[1]))
    window = (..., slice(top, top + size[0]), slice(left, left + size[1]))
    return picture[window], labels[window]

"""Under- and over-exposed pairs of a clean picture, as a camera would have taken them.

A picture is the tone map of a scene that holds more light than a display shows. With c = x^2.2 the
picture's light and w the scene's brightest light, the scene is L = c / (1 - c (1 - 1/w)), the
inverse of Reinhard's curve T(L) = L / (1 + L (1 - 1/w)) with T(w) = 1 (SIGGRAPH 2002): darks keep
their light, 1 becomes w, so that a short exposure finds structure where the picture is nearly
white.

A camera multiplies by 2^stops, adds shot noise (variance proportional to light) and read noise,
saturates at 1, applies its response curve and rounds to 8 bit. What falls below the last grey
level, and what rises above 1, is lost in that exposure: the other one must give it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

DISPLAY_GAMMA = 2.2
SHOT_VARIANCE, READ_DEVIATION = 4e-4, 2e-3
"""Noise at full light, and in the dark, in units of the saturation level."""


MIDDLE_GREY, LARGEST_GAIN = 0.18, 4.0
"""Darker scenes are lit until their median is middle grey, but by two stops at most."""


class ExposurePair(NamedTuple):
    """Two exposures of one scene, each of the clean picture's shape, in [0, 1]."""

    under: Tensor
    over: Tensor


def uniform(generator: Generator, low: float, high: float) -> float:
    """One number from [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def scene_light(picture: Tensor, white: float) -> Tensor:
    """Linear light of the scene that `picture` shows.

    Args:
        picture: (..., C, H, W) float in [0, 1].
        white: Light of the brightest point, 1 or more.

    Returns:
        The same shape, in [0, white].
    """
    shown = picture.clamp(0, 1) ** DISPLAY_GAMMA
    return shown / (1 - shown * (1 - 1 / white))


def expose(
    light: Tensor,
    stops: float,
    generator: Generator,
    gamma: float = DISPLAY_GAMMA,
    noise: float = 1.0,
) -> Tensor:
    """What a camera records of linear light.

    Args:
        light: (..., C, H, W) float, 0 or more.
        stops: Exposure; each doubles the light.
        generator: CPU generator of the noise.
        gamma: The response is x^(1/gamma).
        noise: Factor on the deviation of the noise; 0 for none.

    Returns:
        The same shape in [0, 1], on the 256 levels of an 8-bit file.
    """
    exposed = light * 2.0**stops
    grain = torch.randn(light.shape, generator=generator).to(light)
    deviation = (SHOT_VARIANCE * exposed.clamp(0, 1) + READ_DEVIATION**2).sqrt()
    recorded = (exposed + noise * deviation * grain).clamp(0, 1)
    levels: Tensor = (recorded ** (1 / gamma) * 255).round()
    return levels / 255


def exposure_pair(
    clean: Tensor,
    generator: Generator,
    under: tuple[float, float] = (1.0, 4.0),
    over: tuple[float, float] = (0.7, 3.0),
    white: tuple[float, float] = (2.0, 10.0),
) -> ExposurePair:
    """Take a dark and a bright exposure of one picture's scene.

    Args:
        clean: (C, H, W) float in [0, 1], C 1 or 3.
        generator: CPU generator; the same state gives the same pair.
        under: Range of stops taken away.
        over: Range of stops added.
        white: Range of the scene's brightest light.
    """
    light = scene_light(clean, uniform(generator, *white))
    # A picture taken at night would stay dark in both exposures.
    light = light * float((MIDDLE_GREY / light.median().clamp(min=1e-3)).clamp(1, LARGEST_GAIN))
    gamma = uniform(generator, 1.9, 2.4)
    noise = uniform(generator, 0.0, 1.0)
    dark, bright = -uniform(generator, *under), uniform(generator, *over)
    return ExposurePair(
        under=expose(light, dark, generator, gamma, noise),
        over=expose(light, bright, generator, gamma, noise),
    )

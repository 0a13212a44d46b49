"""Haze for training: atmospheric scattering over a measured or a plausible depth.

I = J t + A (1 - t) with t = exp(-k d), on gamma-encoded values as RESIDE makes its pictures
(Koschmieder 1924; Li et al., IEEE TIP 2019, eq. 1 and 2). Every number below is drawn evenly from
its range unless said.

| what | range |
|---|---|
| airlight A, grey | 0.6 to 1 |
| its tint, a channel | normal, standard deviation 0.015 |
| k of measured depth (metres) | 0.004 to 0.08, evenly in its logarithm |
| transmission at the mean of a plausible depth | dense (60 %): 0.1 to 0.5; else 0.4 to 0.95 |
| relief of a plausible depth: how far it departs from its mean | 0 to 1 |
| grain added afterwards | standard deviation 0 to 0.004, then rounding to 8 bit |
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

GREY = (0.6, 1.0)
TINT = 0.015
EXTINCTION = (0.004, 0.08)
DENSE, DENSE_SHARE, THIN = (0.1, 0.5), 0.6, (0.4, 0.95)
GRAIN = 0.004
COARSE = (4, 5)


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """One number from [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def scatter(clean: Tensor, transmission: Tensor, airlight: Tensor) -> Tensor:
    """Clean (C, H, W), transmission (1, H, W), airlight (C, 1, 1), all in [0, 1], to a picture."""
    return clean * transmission + airlight * (1 - transmission)


def measured_transmission(metres: Tensor, generator: torch.Generator) -> Tensor:
    """Transmission (1, H, W) along a depth (1, H, W) in metres."""
    low, high = (math.log(k) for k in EXTINCTION)
    return torch.exp(-math.exp(uniform(low, high, generator)) * metres)


def plausible_depth(height: int, width: int, generator: torch.Generator) -> Tensor:
    """A depth (1, H, W) of mean 1: a ground plane up to a horizon, or a slope, plus soft relief."""
    rows = torch.linspace(0, 1, height)[:, None].expand(height, width)
    columns = torch.linspace(-1, 1, width)[None].expand(height, width)
    if torch.rand((), generator=generator) < 0.6:
        horizon = uniform(-0.1, 0.6, generator)
        plane = 1 / (rows - horizon).clamp_min(0.06)
    else:
        plane = 1 + uniform(-0.8, 0.8, generator) * columns + uniform(-1, 1, generator) * rows
    coarse = torch.rand((1, 1, *COARSE), generator=generator)
    relief = functional.interpolate(coarse, (height, width), mode="bicubic")[0, 0]
    plane = (plane / plane.mean()).clamp(0.05, 4) * (0.5 + relief.clamp(0, 1))
    departs = uniform(0, 1, generator)
    return (1 + departs * (plane / plane.mean() - 1)).clamp_min(0.02)[None]


def plausible_transmission(height: int, width: int, generator: torch.Generator) -> Tensor:
    """Transmission (1, H, W) over a plausible depth."""
    dense = bool(torch.rand((), generator=generator) < DENSE_SHARE)
    middle = uniform(*(DENSE if dense else THIN), generator)
    return torch.exp(math.log(middle) * plausible_depth(height, width, generator))


def add_haze(clean: Tensor, metres: Tensor | None, generator: torch.Generator) -> Tensor:
    """A hazy version of a clean picture, rounded to 8 bit.

    Args:
        clean: (C, H, W) float in [0, 1].
        metres: Depth (1, H, W), or None for a plausible one.
        generator: Decides everything.
    """
    if metres is None:
        through = plausible_transmission(clean.shape[-2], clean.shape[-1], generator)
    else:
        through = measured_transmission(metres, generator)
    tint = TINT * torch.randn(clean.shape[0], 1, 1, generator=generator)
    hazy = scatter(clean, through, uniform(*GREY, generator) + tint)
    grain = uniform(0, GRAIN, generator) * torch.randn(clean.shape, generator=generator)
    return ((hazy + grain).clamp(0, 1) * 255).round() / 255

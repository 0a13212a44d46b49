"""Haze for training: atmospheric scattering over a measured or a plausible depth.

I = J t + A (1 - t) with t = exp(-k d), on gamma-encoded values as RESIDE makes its pictures
(Koschmieder 1924; Li et al., IEEE TIP 2019, eq. 1 and 2). Every number below is drawn evenly from
its range unless said.

| what | range |
|---|---|
| airlight A, grey | 0.6 to 1 |
| its tint, a channel | normal, standard deviation 0.015 |
| k of measured depth (metres) | 0.004 to 0.08, evenly in its logarithm |
| transmission at the mean of a plausible depth | dense (60 %): 0.1 to 0.5; else 0.4 to 1 |
| how far a plausible depth departs from its mean | even (30 %): 0 to 0.1; else 0 to 1 |
| optical depth of a real pair, times | 0.4 to 2, evenly in its logarithm |
| airlight over the depth of a real pair | 0.75 to 1, in 50 % of cases 1 |
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
DENSE, DENSE_SHARE, THIN = (0.1, 0.5), 0.6, (0.4, 1.0)
EVEN, EVEN_SHARE = 0.1, 0.3
DENSER = (0.4, 2.0)
PALE, WHITE_SHARE = (0.75, 1.0), 0.5
GRAIN = 0.004
COARSE = (4, 5)
AIRLIGHTS = tuple(share / 100 for share in range(80, 101, 4))
"""Grey airlights that are tried for a real pair."""
LEAST_SEEN = 1e-3
"""Squared contrast below which the depth of a window is that of the picture."""


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """One number from [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def scatter(clean: Tensor, transmission: Tensor, airlight: Tensor) -> Tensor:
    """Clean (C, H, W), transmission (1, H, W), airlight (C, 1, 1), all in [0, 1], to a picture."""
    return clean * transmission + airlight * (1 - transmission)


def evenly_in_logarithm(low: float, high: float, generator: torch.Generator) -> float:
    """One number from [low, high) whose logarithm is drawn evenly."""
    return math.exp(uniform(math.log(low), math.log(high), generator))


def measured_transmission(metres: Tensor, generator: torch.Generator) -> Tensor:
    """Transmission (1, H, W) along a depth (1, H, W) in metres."""
    return torch.exp(-evenly_in_logarithm(*EXTINCTION, generator) * metres)


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
    even = float(torch.rand((), generator=generator)) < EVEN_SHARE
    departs = uniform(0, EVEN if even else 1, generator)
    return (1 + departs * (plane / plane.mean() - 1)).clamp_min(0.02)[None]


def plausible_transmission(height: int, width: int, generator: torch.Generator) -> Tensor:
    """Transmission (1, H, W) over a plausible depth."""
    dense = bool(torch.rand((), generator=generator) < DENSE_SHARE)
    middle = uniform(*(DENSE if dense else THIN), generator)
    return torch.exp(math.log(middle) * plausible_depth(height, width, generator))


def optical_depth(hazy: Tensor, clean: Tensor) -> Tensor:
    """What lies between a clean picture and a hazy one: -log t, (1, H, W).

    For each of a few grey airlights the transmission is fitted by least squares in windows of 5x5
    pixels; the airlight that explains the pair best decides. RESIDE's pairs give 1 throughout.

    Args:
        hazy: (3, H, W) in [0, 1].
        clean: The same without haze.
    """
    fits = []
    for air in AIRLIGHTS:
        seen = clean - air
        share = _windows((hazy - air) * seen) + LEAST_SEEN
        through = (share / (_windows(seen * seen) + LEAST_SEEN)).clamp(0.02, 1)
        error = float((hazy - scatter(clean, through, torch.tensor(air))).square().mean())
        fits.append((error, through))
    return -min(fits, key=lambda fit: fit[0])[1].log()


def _windows(planes: Tensor) -> Tensor:
    """Mean over channels and 5x5 pixels, (C, H, W) to (1, H, W)."""
    mean = planes.mean(0, keepdim=True)
    return functional.avg_pool2d(mean, 5, 1, 2, count_include_pad=False)


def add_haze(
    clean: Tensor,
    generator: torch.Generator,
    metres: Tensor | None = None,
    optical: Tensor | None = None,
) -> Tensor:
    """A hazy version of a clean picture, rounded to 8 bit.

    Args:
        clean: (C, H, W) float in [0, 1].
        generator: Decides everything.
        metres: Depth (1, H, W), if it is known; else a plausible one is drawn.
        optical: Optical depth of a real haze of the scene, which is made thinner or denser.
    """
    grey = uniform(*GREY, generator)
    if metres is not None:
        through = measured_transmission(metres, generator)
    elif optical is not None:
        through = torch.exp(-evenly_in_logarithm(*DENSER, generator) * optical)
        white = float(torch.rand((), generator=generator)) < WHITE_SHARE
        grey = 1.0 if white else uniform(*PALE, generator)
    else:
        through = plausible_transmission(clean.shape[-2], clean.shape[-1], generator)
    tint = TINT * torch.randn(clean.shape[0], 1, 1, generator=generator)
    hazy = scatter(clean, through, grey + tint)
    grain = uniform(0, GRAIN, generator) * torch.randn(clean.shape, generator=generator)
    return ((hazy + grain).clamp(0, 1) * 255).round() / 255

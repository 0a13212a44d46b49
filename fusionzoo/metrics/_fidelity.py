"""The Gaussian channel model behind VIFp and VIFF: what a picture still tells of its sources.

At scale s the window has N = 17, 9, 5, 3 taps and sigma N / 5; from the second scale on, pictures
are filtered with the window of that scale and every second pixel is kept. With local means and
population variances, the gain of a source r in F is a = c / (v_r + 1e-10) and what it leaves
unexplained u = v_F - a c; received is sum log10(1 + a^2 v_r / (u + noise)), sent is
sum log10(1 + v_r / noise) (Sheikh and Bovik, IEEE TIP 2006; Han, Cai, Cao and Xu, Information
Fusion 2013).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._windows import Moments, Window, averaged, under, values

Floats = NDArray[np.float64]

WINDOWS = tuple(Window(taps, taps / 5) for taps in (17, 9, 5, 3))
MINIMUM_SIDE = 41
"""Below it nothing is left at the last scale."""
PIXEL_NOISE, FUSION_NOISE = 2.0, 0.005 * 255**2
_TINY = 1e-10


def scales(plane: Plane) -> list[Floats]:
    """The picture at four scales."""
    found = [plane.once(values)]
    for window in WINDOWS[1:]:
        found.append(np.ascontiguousarray(averaged(found[-1], window)[::2, ::2]))
    return found


def _moments(plane: Plane) -> list[list[Moments]]:
    """Local means and variances at each scale, strip by strip."""
    return [
        [clipped(part, part * part, window) for part in under(scale, window)]
        for scale, window in zip(plane.once(scales), WINDOWS, strict=True)
    ]


def clipped(picture: Floats, squares: Floats, window: Window) -> Moments:
    """Local mean and variance, the latter not below 0."""
    mean = averaged(picture, window)
    spread = averaged(squares, window)
    spread -= mean * mean
    return Moments(mean, np.maximum(spread, 0, out=spread))


class Channel(NamedTuple):
    """A source seen through the fused picture.

    Attributes:
        gain: Local gain, 0 where it would be negative.
        residual: Variance of the fused picture that the gain does not explain.
        power: Variance of the source.
    """

    gain: Floats
    residual: Floats
    power: Floats


def channel(crossed: Floats, ours: Moments, theirs: Moments) -> Channel:
    """Gain and residual from the filtered product (overwritten); corrections as in the reference.

    Args:
        crossed: Filtered product of source and fused picture.
        ours: Moments of the source.
        theirs: Moments of the fused picture.
    """
    covariance = crossed
    covariance -= ours.mean * theirs.mean
    gain = covariance / (ours.variance + _TINY)
    residual = theirs.variance - gain * covariance
    power = ours.variance
    flat = power < _TINY
    if flat.any():
        gain[flat], residual[flat] = 0, theirs.variance[flat]
        power = np.where(flat, 0, power)
    silent = theirs.variance < _TINY
    if silent.any():
        gain[silent], residual[silent] = 0, 0
    np.copyto(residual, theirs.variance, where=gain < 0)
    np.maximum(gain, 0, out=gain)
    return Channel(gain, np.maximum(residual, _TINY, out=residual), power)


class Told(NamedTuple):
    """Sums over one scale: received and sent."""

    received: float
    sent: float


class Scale(NamedTuple):
    """Sums over one scale, for each source alone and for the weaker one pixel by pixel."""

    first: Told
    second: Told
    weaker: Told
    pixels: int


def fidelities(fused: Plane, first: Plane, second: Plane) -> list[Scale]:
    """All that VIFp and VIFF need, in one pass over the four scales."""
    planes = (fused, first, second)
    rows = zip(*(plane.once(scales) for plane in planes), strict=True)
    stats = zip(*(plane.once(_moments) for plane in planes), strict=True)
    found = []
    for pictures, moments, window in zip(rows, stats, WINDOWS, strict=True):
        parts = zip(*(under(picture, window) for picture in pictures), strict=True)
        sums = np.zeros(7)
        columns = zip(*moments, strict=True)
        for (seen, left, right), (theirs, *ours) in zip(parts, columns, strict=True):
            one = channel(averaged(seen * left, window), ours[0], theirs)
            two = channel(averaged(seen * right, window), ours[1], theirs)
            alone = (*told(one, PIXEL_NOISE), *told(two, PIXEL_NOISE))
            sums += (*alone, *_weaker(one, two), one.gain.size)
        found.append(Scale(Told(*sums[:2]), Told(*sums[2:4]), Told(*sums[4:6]), int(sums[6])))
    return found


def told(one: Channel, noise: float) -> Told:
    """Received and sent, summed over a channel."""
    received = one.gain * one.gain
    received *= one.power
    received /= one.residual + noise
    return Told(_logarithm(received), _logarithm(one.power / noise))


def _weaker(one: Channel, two: Channel) -> Told:
    """Of the source with the smaller gain at each pixel; of the second where they tie."""
    first = one.gain < two.gain
    gain, residual, power = (np.where(first, *pair) for pair in zip(one, two, strict=True))
    return told(Channel(gain, residual, power), FUSION_NOISE)


def _logarithm(ratio: Floats) -> float:
    """Sum of log10(1 + ratio)."""
    ratio += 1
    return float(np.log(ratio, out=ratio).sum() / np.log(10))

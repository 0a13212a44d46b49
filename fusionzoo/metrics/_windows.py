"""Local moments under a sliding window in float64: what the structural metrics share.

Maps are made strip by strip, so that a dozen intermediate arrays stay in the processor's cache and
no full-size buffer is asked of the system; a map is a sequence of its strips, from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fusionzoo.metrics._plane import Plane

Floats = NDArray[np.float64]
STRIP_PIXELS = 32 * 1024


class Window(NamedTuple):
    """A separable window of odd size; results only where it fits whole.

    Attributes:
        taps: Pixels on a side.
        sigma: Standard deviation of the Gaussian; 0 for equal weights.
    """

    taps: int
    sigma: float = 0.0

    @property
    def kernel(self) -> Floats:
        """Weights of one axis (taps, 1), of sum 1."""
        if self.sigma == 0:
            return np.full((self.taps, 1), 1 / self.taps)
        return np.asarray(cv2.getGaussianKernel(self.taps, self.sigma, cv2.CV_64F), np.float64)


GAUSSIAN = Window(11, 1.5)
"""The window of SSIM."""


def strips(height: int, width: int) -> Iterator[slice]:
    """Rows of each strip of a map."""
    step = max(8, STRIP_PIXELS // max(width, 1))
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def under(picture: Floats, window: Window) -> Iterator[Floats]:
    """The rows of a picture that decide each strip of its map."""
    reach = window.taps - 1
    for rows in strips(picture.shape[0] - reach, picture.shape[1]):
        yield picture[rows.start : rows.stop + reach]


def averaged(picture: NDArray[np.generic], window: Window) -> Floats:
    """Weighted means of (H, W) under the window, (H - taps + 1, W - taps + 1)."""
    kernel, margin = window.kernel, window.taps // 2
    source = np.asarray(picture, np.float64)
    full = cv2.sepFilter2D(source, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(full[margin : full.shape[0] - margin, margin : full.shape[1] - margin])


def zero_bordered(picture: Floats, across: Floats, down: Floats) -> Floats:
    """Correlation of (H, W) with a separable kernel, in full size; zeros stand outside."""
    outside = cv2.BORDER_CONSTANT
    return np.asarray(cv2.sepFilter2D(picture, cv2.CV_64F, across, down, borderType=outside))


class Moments(NamedTuple):
    """Local mean and population variance of a strip."""

    mean: Floats
    variance: Floats


def values(plane: Plane) -> Floats:
    """Levels as float64."""
    return plane.levels.astype(np.float64)


def moments(plane: Plane, window: Window) -> tuple[Moments, ...]:
    """Local moments of a picture."""
    return tuple(moments_of(part, window) for part in under(plane.once(values), window))


def moments_of(picture: Floats, window: Window) -> Moments:
    """Local moments of an array."""
    mean = averaged(picture, window)
    power = averaged(picture * picture, window)
    power -= mean * mean
    return Moments(mean, power)


def covariances(plane: Plane, other: Plane, window: Window) -> Iterator[Floats]:
    """Local population covariance of two pictures."""
    parts = zip(under(plane.once(values), window), under(other.once(values), window), strict=True)
    stats = zip(plane.once(moments, window), other.once(moments, window), strict=True)
    for (left, right), (one, two) in zip(parts, stats, strict=True):
        yield covariance(left, right, one, two, window)


def covariance(left: Floats, right: Floats, one: Moments, two: Moments, window: Window) -> Floats:
    """Local population covariance of two arrays with known moments."""
    crossed = averaged(left * right, window)
    crossed -= one.mean * two.mean
    return crossed


class Factors(NamedTuple):
    """The two factors of an SSIM map; their product is the map."""

    light: Floats
    structure: Floats


def factors(one: Moments, two: Moments, crossed: Floats, c1: float, c2: float) -> Factors:
    """Luminance and contrast-structure (Wang et al., IEEE TIP 2004, eq. 13)."""
    light = (2 * one.mean * two.mean + c1) / (one.mean**2 + two.mean**2 + c1)
    structure = (2 * crossed + c2) / (one.variance + two.variance + c2)
    return Factors(light, structure)


def similarity_maps(
    plane: Plane, other: Plane, window: Window, constants: tuple[float, float]
) -> Iterator[Floats]:
    """SSIM map of two pictures with constants C1 and C2."""
    stats = zip(plane.once(moments, window), other.once(moments, window), strict=True)
    for (one, two), crossed in zip(stats, covariances(plane, other, window), strict=True):
        light, structure = factors(one, two, crossed, *constants)
        light *= structure
        yield light


def mean_of(maps: Sequence[Floats] | Iterator[Floats]) -> float:
    """Mean over all strips."""
    total, count = 0.0, 0
    for strip in maps:
        total += float(strip.sum())
        count += strip.size
    return total / count

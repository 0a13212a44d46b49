"""SSIM at five scales in float32, fast: what the standard SSIM and MS-SSIM share."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fusionzoo.metrics._counts import total
from fusionzoo.metrics._plane import Plane

Array = NDArray[np.float32]

WINDOW, SIGMA = 11, 1.5
_MARGIN = WINDOW // 2


def centre(plane: Plane) -> np.float32:
    """The mean level, rounded: taken off before squaring, it keeps float32 variances exact."""
    return np.float32(round(plane.once(total) / plane.levels.size))


def pyramid(plane: Plane) -> list[Array]:
    """Five scales of levels minus `centre`, each the 2x2 mean of the one before.

    Where a side is odd, one zero row (column) is put before the first one and counted in the mean,
    as pytorch-msssim does (there is no common rule).
    """
    level = plane.once(centre)
    scales: list[Array] = [plane.levels.astype(np.float32) - level]
    for _ in range(4):
        finer = scales[-1]
        height, width = finer.shape
        if min(height, width) < 2:
            break
        odd = (height % 2, 0, width % 2, 0)
        padded = cv2.copyMakeBorder(finer, *odd, cv2.BORDER_CONSTANT, value=-float(level))
        half = (padded.shape[1] // 2, padded.shape[0] // 2)
        smaller = cv2.resize(padded, half, interpolation=cv2.INTER_AREA)
        scales.append(np.asarray(smaller, np.float32))
    return scales


def blur(array: Array) -> Array:
    """Gaussian window 11x11, sigma 1.5; only positions where the window fits."""
    kernel = cv2.getGaussianKernel(WINDOW, SIGMA, cv2.CV_32F)
    full = cv2.sepFilter2D(array, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(full[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN], np.float32)


class Moments(NamedTuple):
    """Local mean and population variance of one scale."""

    mean: Array
    variance: Array


def moments(plane: Plane) -> list[Moments]:
    """Local Gaussian moments at every scale the window fits into."""
    found = []
    for scale in plane.once(pyramid):
        if min(scale.shape) < WINDOW:
            break
        mean = blur(scale)
        spread = blur(scale * scale)
        spread -= mean * mean
        found.append(Moments(mean, spread))
    return found


class Similarity(NamedTuple):
    """Means of the SSIM map and of its contrast-structure factor, at one scale."""

    ssim: float
    structure: float


RANGE = 255.0
C1, C2 = np.float32((0.01 * RANGE) ** 2), np.float32((0.03 * RANGE) ** 2)


def similarities(plane: Plane, other: Plane) -> list[Similarity]:
    """SSIM of two pictures at every scale (Wang et al., IEEE TIP 2004, eq. 13)."""
    scales = zip(plane.once(pyramid), other.once(pyramid), strict=True)
    pairs = zip(plane.once(moments), other.once(moments), strict=True)
    centres = plane.once(centre), other.once(centre)
    return [
        _similarity(blur(first * second), one, two, centres)
        for (first, second), (one, two) in zip(scales, pairs, strict=False)
    ]


ROWS = 64
"""Rows of a block: its dozen intermediate arrays stay in the processor's cache."""


def _similarity(
    crossed: Array, one: Moments, two: Moments, centres: tuple[np.float32, np.float32]
) -> Similarity:
    """Means of both maps, summed block by block; `crossed` is the blurred product."""
    sums = np.zeros(2)
    for top in range(0, len(crossed), ROWS):
        rows = slice(top, top + ROWS)
        first, second = one.mean[rows], two.mean[rows]
        covariance = crossed[rows] - first * second
        structure = (2 * covariance + C2) / (one.variance[rows] + two.variance[rows] + C2)
        first, second = first + centres[0], second + centres[1]
        light = (2 * first * second + C1) / (first * first + second * second + C1)
        # NumPy's sums do not depend on where an array lies in memory, OpenCV's do.
        sums += (light * structure).sum(dtype=np.float64), structure.sum(dtype=np.float64)
    ssim, contrast = sums / crossed.size
    return Similarity(float(ssim), float(contrast))

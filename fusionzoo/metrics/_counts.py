"""Histograms of a picture or a pair, what information theory makes of them, and exact sums."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fusionzoo.metrics._plane import Plane

Floats = NDArray[np.float64]

LEVELS = 256
_EXACT_COUNT = 2**24
"""OpenCV counts in float32, several times faster than NumPy and exact below this."""


def probabilities(plane: Plane) -> Floats:
    """Share of pixels at each of the 256 levels."""
    if plane.levels.size < _EXACT_COUNT:
        counts = cv2.calcHist([plane.levels], [0], None, [LEVELS], [0, LEVELS]).ravel()
        return counts.astype(np.float64) / plane.levels.size
    return np.bincount(plane.levels.ravel(), minlength=LEVELS) / plane.levels.size


def joint(plane: Plane, other: Plane) -> Floats:
    """Share of pixels at each pair of levels, (256, 256): rows are the levels of `plane`."""
    first, second = plane.levels, other.levels
    if first.size < _EXACT_COUNT:
        ends = [0, LEVELS, 0, LEVELS]
        counts = cv2.calcHist([first, second], [0, 1], None, [LEVELS, LEVELS], ends)
        return counts.astype(np.float64) / first.size
    pairs = (first.astype(np.int32).ravel() << 8) | second.ravel()
    return np.bincount(pairs, minlength=LEVELS**2).reshape(LEVELS, LEVELS) / first.size


def bits(shares: Floats) -> float:
    """-sum p log2 p, with 0 log 0 = 0."""
    shares = shares[shares > 0]
    return float(np.abs(-(shares * np.log2(shares)).sum()))


def entropy(plane: Plane) -> float:
    """H in bits."""
    return bits(plane.once(probabilities))


def information(plane: Plane, other: Plane) -> float:
    """Mutual information H(x) + H(y) - H(x, y) in bits; never below 0."""
    together = bits(plane.once(joint, other))
    return max(0.0, plane.once(entropy) + other.once(entropy) - together)


def square(plane: Plane) -> int:
    """Sum of squares, exact."""
    return round(cv2.norm(plane.levels, cv2.NORM_L2SQR))


def apart(plane: Plane, other: Plane) -> int:
    """Sum of squared differences, exact."""
    return round(cv2.norm(plane.levels, other.levels, cv2.NORM_L2SQR))


def total(plane: Plane) -> int:
    """Sum of all pixels, exact."""
    return int(plane.levels.sum(dtype=np.int64))


def covariance(plane: Plane, other: Plane) -> float:
    """n^2 times the population covariance: an integer, so zero means constant."""
    # |a - b|^2 = a^2 + b^2 - 2ab on integers.
    twice = plane.once(square) + other.once(square) - plane.once(apart, other)
    crossed = twice // 2 if plane is not other else plane.once(square)
    return float(plane.levels.size * crossed - plane.once(total) * other.once(total))


def variance(plane: Plane) -> float:
    """n^2 times the population variance, exact."""
    return float(plane.levels.size * plane.once(square) - plane.once(total) ** 2)


def correlation(plane: Plane, other: Plane) -> float | None:
    """Pearson correlation over all pixels; None if either is constant."""
    power = plane.once(variance) * other.once(variance)
    return plane.once(covariance, other) / float(np.sqrt(power)) if power > 0 else None

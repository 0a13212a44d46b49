"""SSIM, structural similarity of the fused picture with each source; their sum is reported.

Gaussian window 11x11 with sigma 1.5, only positions where it fits, population moments, data range
255, C1 = (0.01 L)^2, C2 = (0.03 L)^2 (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 2004, eq. 13).
Two identical pictures give 1, so the sum over two sources reaches 2.
"""

from __future__ import annotations

from typing import Literal

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._scales import RANGE, WINDOW, similarities
from fusionzoo.metrics._summary import Combination, mean, two_sources
from fusionzoo.metrics._windows import (
    GAUSSIAN,
    Moments,
    Window,
    covariances,
    factors,
    mean_of,
    moments,
)

UNIFORM = Window(7)
"""The default window of scikit-image, which also takes sample covariances."""


def observe(
    fused: Plane,
    first: Plane,
    second: Plane,
    data_range: float = RANGE,
    window: Literal["gaussian", "uniform7"] = "gaussian",
    combine: Combination = "sum",
    exact: bool = False,
) -> Observation:
    """Up to 2; the terms are the two single similarities.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        data_range: L of the two constants. Programs that leave it at 1 or 2 on 0..255 rank methods
            differently.
        window: The Gaussian, or uniform 7 x 7 with sample covariances.
        combine: Sum, or mean, of the two.
        exact: float64 throughout. The usual path is float32, twice as fast, and off by 2e-7
            (median) to 3e-5 (large flat areas far from the mean level).
    """
    exact = exact or data_range != RANGE
    terms = (similarity(fused, source, data_range, window, exact) for source in (first, second))
    return two_sources(terms, combine)


def similarity(
    picture: Plane,
    other: Plane,
    data_range: float = RANGE,
    window: Literal["gaussian", "uniform7"] = "gaussian",
    exact: bool = False,
) -> float:
    """SSIM of two pictures."""
    if window == "gaussian" and not exact:
        return picture.once(similarities, other)[0].ssim
    return _variant(picture, other, data_range, GAUSSIAN if window == "gaussian" else UNIFORM)


def _variant(fused: Plane, source: Plane, data_range: float, window: Window) -> float:
    """Mean of the map in float64, which the constants of a small data range need."""
    pixels = window.taps**2
    sample = pixels / (pixels - 1) if window.sigma == 0 else 1.0
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    maps = []
    stats = zip(fused.once(moments, window), source.once(moments, window), strict=True)
    for (one, two), crossed in zip(stats, covariances(fused, source, window), strict=True):
        left, right = (Moments(each.mean, sample * each.variance) for each in (one, two))
        light, structure = factors(left, right, sample * crossed, c1, c2)
        maps.append(light * structure)
    return mean_of(maps)


ENTRY = Metric(
    symbol="SSIM",
    title="Structural similarity, summed over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(-2, 2),
    minimum_side=WINDOW,
    paper="Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Processing 2004",
    tensor="fusionzoo.metrics._tensor:ssim",
    version=2,
)

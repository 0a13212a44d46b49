"""MSE, mean squared difference between the fused picture and the sources, averaged over both.

MSE = (mean (A - F)^2 + mean (B - F)^2) / 2. The plain average of the sources minimises it.
"""

from __future__ import annotations

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import apart
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources


def observe(fused: Plane, first: Plane, second: Plane, unit: float = 1.0) -> Observation:
    """Squared grey levels, 0 to 65025; the terms are the two single errors.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        unit: Levels that count as 1; 255 for pictures in [0, 1].
    """
    pixels = fused.levels.size * unit**2
    left, right = (fused.once(apart, source) / pixels for source in (first, second))
    return two_sources((left, right), "mean")


ENTRY = Metric(
    symbol="MSE",
    title="Mean squared error, mean over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=False,
    range=(0, 255**2),
    unit="level²",
    paper="Wang and Bovik, IEEE Signal Processing Magazine 2009",
    tensor="fusionzoo.metrics._tensor:mse",
)

"""FMI_pixel, feature mutual information of the fused picture's pixels with each source's.

The score of `_feature_information` with the pictures themselves as feature images.
"""

from __future__ import annotations

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._feature_information import of_feature
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean
from fusionzoo.metrics._windows import values

feature = values
"""Feature image: the grey levels."""


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1; the terms are the two single values."""
    return of_feature(feature, fused, first, second)


ENTRY = Metric(
    symbol="FMI_pixel",
    title="Feature mutual information of pixels",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    minimum_side=3,
    paper="Haghighat and Razian, AICT 2014",
)

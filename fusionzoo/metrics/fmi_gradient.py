"""FMI_gradient, feature mutual information of gradients with each source's.

The score of `_feature_information` with the horizontal derivative, central and one-sided at the
ends, as feature image.
"""

from __future__ import annotations

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._feature_information import Floats, of_feature
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean
from fusionzoo.metrics._windows import values


def feature(plane: Plane) -> Floats:
    """Half the difference of the neighbours to the right and left."""
    return np.asarray(np.gradient(plane.once(values), axis=1))


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1; the terms are the two single values."""
    return of_feature(feature, fused, first, second)


ENTRY = Metric(
    symbol="FMI_gradient",
    title="Feature mutual information of gradients",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    minimum_side=3,
    paper="Haghighat and Razian, AICT 2014",
)

"""FMI_dct, feature mutual information of cosine coefficients with each source's.

The score of `_feature_information` with the orthonormal two-dimensional cosine transform of the
whole picture as feature image.
"""

from __future__ import annotations

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._feature_information import Floats, of_feature
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean
from fusionzoo.metrics._windows import values


def feature(plane: Plane) -> Floats:
    """Coefficients, in the size of the picture."""
    import scipy.fft

    return np.asarray(scipy.fft.dctn(plane.once(values), norm="ortho"), np.float64)


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1; the terms are the two single values."""
    return of_feature(feature, fused, first, second)


ENTRY = Metric(
    symbol="FMI_dct",
    title="Feature mutual information of cosine coefficients",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    minimum_side=3,
    paper="Haghighat and Razian, AICT 2014",
)

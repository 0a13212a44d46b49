"""FMI_dct, feature mutual information of cosine coefficients with each source.

Mean over both sources of `_feature_information` on feature images: the orthonormal
two-dimensional cosine transform of the whole picture.
It costs ten times as much as all other metrics together.
"""

from __future__ import annotations

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._feature_information import Floats, feature_information
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources


def feature(plane: Plane) -> Floats:
    """Coefficients, in the size of the picture."""
    import scipy.fft

    levels = plane.levels.astype(np.float64)
    return np.asarray(scipy.fft.dctn(levels, norm="ortho"), np.float64)


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1; the terms are the two single values."""
    features = (plane.once(feature) for plane in (fused, first, second))
    return two_sources(feature_information(*features), "mean")


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

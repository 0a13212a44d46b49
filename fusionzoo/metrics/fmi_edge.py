"""FMI_edge, feature mutual information of edge maps with each source's.

The score of `_feature_information` with a binary edge map as feature image: squared Sobel magnitude
above four times its mean, thinned to pixels that no neighbour across the edge exceeds, as MATLAB's
`edge` does without arguments. Flat windows are equal in both maps and score 1, so it is high for
everything. Not compared with a run of MATLAB.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._feature_information import Floats, of_feature
from fusionzoo.metrics._gradients import sobel
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean

Mask = NDArray[np.bool_]
_NOISE = 4
"""Pixels below this many times the mean squared magnitude are noise (Pratt's estimate)."""


def feature(plane: Plane) -> Floats:
    """1 on edges, 0 elsewhere; the outermost lines carry none."""
    across, down = (part.astype(np.int64) for part in plane.once(sobel, "edge"))
    power = across * across + down * down
    peaks = _peak(power, np.abs(across) >= np.abs(down), 1)
    peaks |= _peak(power, np.abs(down) >= np.abs(across), 0)
    edges = np.zeros(plane.shape)
    edges[1:-1, 1:-1] = (peaks & (power > _NOISE * power.mean()))[1:-1, 1:-1]
    return edges


def _peak(power: NDArray[np.int64], steeper: Mask, axis: int) -> Mask:
    """Where the gradient runs along `axis` and neither neighbour on it is stronger."""
    before, after = np.roll(power, 1, axis), np.roll(power, -1, axis)
    return np.asarray(steeper & (before <= power) & (power > after))


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1; the terms are the two single values."""
    return of_feature(feature, fused, first, second)


ENTRY = Metric(
    symbol="FMI_edge",
    title="Feature mutual information of edge maps",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    minimum_side=3,
    paper="Haghighat and Razian, AICT 2014",
)

"""QC, structural similarity weighted by which source the fused picture follows.

SSIM maps under the window of QY; with c the local covariances and the visible source first,
k = c_1F / (c_1F + c_2F), a pixel's value is k S_1F + (1 - k) S_2F, 0 where k < 0 and 1 where k > 1;
mean over the pixels where k is a number (Cvejic, Loza, Bull and Canagarajah, 2005). The clipping
makes it depend on the order of the sources, so it exists only under the convention that names one.
"""

from __future__ import annotations

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, undefined
from fusionzoo.metrics._windows import covariances, similarity_maps
from fusionzoo.metrics.qy import CONSTANTS, WINDOW


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """Up to 1; `second` is the visible source, which the reference program passes first."""
    total, count = 0.0, 0
    shared = (covariances(fused, source, WINDOW) for source in (second, first))
    maps = (similarity_maps(fused, x, WINDOW, CONSTANTS) for x in (second, first))
    for ours, theirs, left, right in zip(*shared, *maps, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ours / (ours + theirs)
            value = share * left + (1 - share) * right
        value = np.where(share < 0, 0, np.where(share > 1, 1, value))
        known = ~np.isnan(value)
        total += float(value[known].sum())
        count += int(known.sum())
    if not count:
        return undefined("no window in which the fused picture varies with a source")
    return Observation(total / count)


ENTRY = Metric(
    symbol="QC",
    title="Structural similarity by covariance (Cvejic)",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(-1, 1),
    minimum_side=11,
    paper="Cvejic, Loza, Bull and Canagarajah, Int. J. Signal Processing 2005",
)

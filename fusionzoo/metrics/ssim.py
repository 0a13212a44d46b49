"""SSIM, structural similarity of the fused picture with each source; their sum is reported.

Gaussian window 11x11 with sigma 1.5, only positions where it fits, population moments, data range
255, C1 = (0.01 L)^2, C2 = (0.03 L)^2 (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 2004, eq. 13).
Two identical pictures give 1, so the sum over two sources reaches 2.
"""

from __future__ import annotations

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._shared import WINDOW, similarities
from fusionzoo.metrics._summary import mean, two_sources


def observe(fused: Plane, infrared: Plane, visible: Plane) -> Observation:
    """Up to 2; the terms are the two single similarities."""
    first, second = (fused.once(similarities, source)[0].ssim for source in (infrared, visible))
    return two_sources(first, second)


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
)

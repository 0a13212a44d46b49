"""MS-SSIM, multi-scale structural similarity with each source; their sum is reported.

The contrast-structure factors of scales 1 to 4 and the full SSIM of scale 5, raised to the weights
below and multiplied (Wang, Simoncelli and Bovik, Asilomar 2003, eq. 7); negative means count as 0.
Windows and constants as for SSIM; between scales 2x2 means, see `_shared.pyramid` for odd sizes.
"""

from __future__ import annotations

import math

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._shared import similarities
from fusionzoo.metrics._summary import mean, two_sources

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MINIMUM_SIDE = 161
"""Four halvings of 161, rounded up, leave the 11 pixels of a window."""


def _similarity(fused: Plane, source: Plane) -> float:
    scales = fused.once(similarities, source)
    factors = [scale.structure for scale in scales[:4]] + [scales[4].ssim]
    powers = (max(f, 0.0) ** exponent for f, exponent in zip(factors, EXPONENTS, strict=True))
    return float(math.prod(powers))


def observe(fused: Plane, infrared: Plane, visible: Plane) -> Observation:
    """0 to 2; the terms are the two single similarities."""
    return two_sources(_similarity(fused, infrared), _similarity(fused, visible))


ENTRY = Metric(
    symbol="MS-SSIM",
    title="Multi-scale structural similarity, summed over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 2),
    minimum_side=MINIMUM_SIDE,
    paper="Wang, Simoncelli and Bovik, Asilomar Conference on Signals, Systems and Computers 2003",
)

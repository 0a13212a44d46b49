"""EN, entropy of the fused picture's grey levels, in bits.

EN = -sum_l p_l log2 p_l over the 256 levels, 0 log 0 = 0 (Roberts, van Aardt and Ahmed, Journal of
Applied Remote Sensing 2008). It rises with noise and contrast stretching.
"""

from __future__ import annotations

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import entropy, probabilities
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(fused: Plane, added: float = 0.0) -> Observation:
    """Bits per pixel, 0 to 8.

    Args:
        fused: Picture.
        added: What some programs add to each p inside the logarithm.
    """
    if not added:
        return Observation(fused.once(entropy))
    p = fused.once(probabilities)
    return Observation(float(-(p * np.log2(p + added)).sum()))


ENTRY = Metric(
    symbol="EN",
    title="Entropy",
    observe=observe,
    summarize=mean,
    reference="none",
    higher_is_better=True,
    range=(0, 8),
    unit="bit",
    paper="Roberts, van Aardt and Ahmed, J. Applied Remote Sensing 2008",
)

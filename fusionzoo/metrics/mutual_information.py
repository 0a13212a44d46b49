"""MI, mutual information of the fused picture with each source; their sum is reported, in bits.

MI(x, F) = H(x) + H(F) - H(x, F) from the 256 x 256 joint histogram (Qu, Zhang and Yan, Electronics
Letters 2002). A copy of a source scores that source's whole entropy.
"""

from __future__ import annotations

import math
from typing import Literal

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import bits, entropy, information, joint
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources


def observe(
    fused: Plane,
    first: Plane,
    second: Plane,
    unit: Literal["bit", "nat"] = "bit",
    saturated: bool = False,
) -> Observation:
    """0 to 16 bit; the terms are the two single values.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        unit: Bits, or nats (ln 2 times as large a number).
        saturated: Levels 254 and 255 are one in the joint histogram only, as where MATLAB adds 1
            to 8-bit arrays before counting.
    """
    scale = math.log(2) if unit == "nat" else 1.0
    compute = _saturated if saturated else information
    return two_sources(scale * fused.once(compute, source) for source in (first, second))


def _saturated(fused: Plane, source: Plane) -> float:
    together = fused.once(joint, source).copy()
    together[254] += together[255]
    together[:, 254] += together[:, 255]
    return fused.once(entropy) + source.once(entropy) - bits(together[:255, :255].ravel())


ENTRY = Metric(
    symbol="MI",
    title="Mutual information, summed over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 16),
    unit="bit",
    paper="Qu, Zhang and Yan, Electronics Letters 2002",
)

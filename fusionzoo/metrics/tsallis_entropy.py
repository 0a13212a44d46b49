"""TE, Tsallis information of the fused picture about each source; their sum is reported.

I(x, F) = (1 - sum_ij p_ij^q / (p_i p_j)^(q-1)) / (1 - q), q = 1.85, over the cells whose marginals
are not 0, rows the source's levels (Cvejic, Canagarajah and Bull, Electronics Letters 2006).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import entropy, joint, probabilities
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources
from fusionzoo.metrics._vision import stretched_plane

ORDER = 1.85


def observe(
    fused: Plane,
    first: Plane,
    second: Plane,
    form: Literal["tsallis", "exchanged", "entropies"] = "tsallis",
) -> Observation:
    """0 upwards.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        form: "exchanged" stretches the pictures to 0..255 and divides cell (i, j) by
            p_F(i) p_x(j), as MEFB does, which makes the value erratic; "entropies" is
            H(A) + H(B) - H(F), which is no Tsallis quantity.
    """
    if form == "entropies":
        return Observation(first.once(entropy) + second.once(entropy) - fused.once(entropy))
    if form == "exchanged":
        planes = (plane.once(stretched_plane) for plane in (fused, first, second))
        fused, first, second = planes
    return two_sources(_tsallis(fused, x, form == "exchanged") for x in (first, second))


def _tsallis(fused: Plane, source: Plane, exchanged: bool) -> float:
    together = fused.once(joint, source).T
    marginals = np.outer(source.once(probabilities), fused.once(probabilities))
    if exchanged:
        marginals = marginals.T
    cells = marginals > 0
    powers = together[cells] ** ORDER / marginals[cells] ** (ORDER - 1)
    return float((1 - powers.sum()) / (1 - ORDER))


ENTRY = Metric(
    symbol="TE",
    title="Tsallis entropy, summed over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    paper="Cvejic, Canagarajah and Bull, Electronics Letters 2006",
)

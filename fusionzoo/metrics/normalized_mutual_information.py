"""NMI, mutual information divided by the entropies it shares.

NMI = 2 [MI(A, F) / (H(A) + H(F)) + MI(B, F) / (H(B) + H(F))] (Hossny, Nahavandi and Creighton,
Electronics Letters 2008). A picture with itself gives 1, so the sum reaches 2.
"""

from __future__ import annotations

from typing import Literal

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import entropy, information
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources


def observe(
    fused: Plane, first: Plane, second: Plane, divide_by: Literal["each", "sources"] = "each"
) -> Observation:
    """0 to 2.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        divide_by: "each": a term by H(x) + H(F), 0 where both are 0; "sources": the sum by
            H(A) + H(B).
    """
    if divide_by == "sources":
        shared = sum(fused.once(information, source) for source in (first, second))
        return Observation(2 * shared / (first.once(entropy) + second.once(entropy) + 1e-10))
    return two_sources(_term(fused, source) for source in (first, second))


def _term(fused: Plane, source: Plane) -> float:
    entropies = source.once(entropy) + fused.once(entropy)
    return 2 * fused.once(information, source) / entropies if entropies > 0 else 0.0


ENTRY = Metric(
    symbol="NMI",
    title="Normalised mutual information, summed over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 2),
    paper="Hossny, Nahavandi and Creighton, Electronics Letters 2008",
)

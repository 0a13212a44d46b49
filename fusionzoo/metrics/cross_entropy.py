"""CE, cross entropy of the sources' grey levels relative to the fused picture's; lower is better.

CE = (KL(A, F) + KL(B, F)) / 2 with KL(x, F) = sum of p_x log2(p_x / p_F) over the levels that occur
in both (Bulanon, Burks and Alchanatis, Biosystems Engineering 2009). Levels missing in F are
skipped, so it can be negative and is not a true divergence.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import probabilities
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources


def observe(
    fused: Plane, first: Plane, second: Plane, form: Literal["levels", "binary"] = "levels"
) -> Observation:
    """Bits; the terms are the two divergences.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        form: "binary" is IVIF_ZOO's: binary cross entropy (nats, float32) between the logistic
            functions of the levels, which is saturated for nearly all of them.
    """
    if form == "binary":
        return Observation(_binary(fused, first, second))
    return two_sources((_divergence(source, fused) for source in (first, second)), "mean")


def _divergence(source: Plane, fused: Plane) -> float:
    p, q = source.once(probabilities), fused.once(probabilities)
    both = (p > 0) & (q > 0)
    return float((p[both] * np.log2(p[both] / q[both])).sum())


def _binary(fused: Plane, first: Plane, second: Plane) -> float:
    logistic = (1 / (1 + np.exp(-np.arange(256, dtype=np.float32)))).astype(np.float32)
    # The largest float32 below 1 - 1e-7 is 1 - 1.19e-7: part of the definition.
    low, high = np.float32(1e-7), np.float32(1 - 1e-7)
    guess = logistic.clip(low, high)[fused.levels]
    truth = ((logistic[first.levels] + logistic[second.levels]) / 2).clip(low, high)
    loss = -(truth * np.log(guess) + (1 - truth) * np.log(1 - guess))
    return float(loss.mean(dtype=np.float64))


ENTRY = Metric(
    symbol="CE",
    title="Cross entropy, mean over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=False,
    unit="bit",
    paper="Bulanon, Burks and Alchanatis, Biosystems Engineering 2009",
)

"""VIFF, visual information fidelity for fusion.

The channel model of VIFp with noise variance 0.005 x 255^2; at each pixel the source with the
smaller gain counts, and the four scales' ratios sum(received + 1e-7) / sum(sent + 1e-7) are
averaged with the weights below (Han, Cai, Cao and Xu, Information Fusion 2013). Where both gains
are 0 the second source counts, so there, and only there, the order of the sources matters.
"""

from __future__ import annotations

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._fidelity import MINIMUM_SIDE, fidelities
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean

WEIGHTS = (1 / 2.15, 0.0, 0.15 / 2.15, 1 / 2.15)
_FLOOR = 1e-7


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1 and above."""
    value = 0.0
    for weight, scale in zip(WEIGHTS, fused.once(fidelities, first, second), strict=True):
        floor = _FLOOR * scale.pixels
        value += weight * (scale.weaker.received + floor) / (scale.weaker.sent + floor)
    return Observation(value)


ENTRY = Metric(
    symbol="VIFF",
    title="Visual information fidelity for fusion",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, None),
    minimum_side=MINIMUM_SIDE,
    paper="Han, Cai, Cao and Xu, Information Fusion 2013",
    version=2,
)

"""SCD, sum of the correlations of differences.

SCD = corr(F - B, A) + corr(F - A, B) with A, B the sources (Aslantas and Bendes, AEU 2015): what
the fused picture adds to one source should look like the other. Undefined where a correlation is:
when the fused picture equals a source up to a constant, or a source is constant.
"""

from __future__ import annotations

import math

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._shared import covariance, variance
from fusionzoo.metrics._summary import mean, two_sources


def _correlation(fused: Plane, without: Plane, source: Plane) -> float | None:
    """corr(fused - without, source), from exact integer moments; None if undefined."""
    shared = fused.once(covariance, without)
    spread = fused.once(variance) + without.once(variance) - 2 * shared
    power = source.once(variance)
    if spread <= 0 or power <= 0:
        return None
    crossed = fused.once(covariance, source) - without.once(covariance, source)
    return crossed / math.sqrt(spread) / math.sqrt(power)


def observe(fused: Plane, infrared: Plane, visible: Plane) -> Observation:
    """-2 to 2."""
    found = {
        "infrared": _correlation(fused, visible, infrared),
        "visible": _correlation(fused, infrared, visible),
    }
    flat = [role for role, plane in (("infrared", infrared), ("visible", visible))
            if plane.once(variance) <= 0]  # fmt: skip
    first, second = found.values()
    if first is None or second is None:
        reason = (
            f"{' and '.join(flat)} constant"
            if flat
            else "fused differs from a source by a constant"
        )
        terms = {role: value for role, value in found.items() if value is not None}
        return Observation(None, "undefined", reason, terms)
    return two_sources(first, second)


ENTRY = Metric(
    symbol="SCD",
    title="Sum of the correlations of differences",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(-2, 2),
    paper="Aslantas and Bendes, AEU Int. J. Electronics and Communications 2015",
)

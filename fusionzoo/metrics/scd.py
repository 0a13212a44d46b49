"""SCD, sum of the correlations of differences.

SCD = corr(F - B, A) + corr(F - A, B) with A, B the sources (Aslantas and Bendes, AEU 2015): what
the fused picture adds to one source should look like the other. Undefined where a correlation is:
when the fused picture equals a source up to a constant, or a source is constant.
"""

from __future__ import annotations

import math

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import covariance, variance
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources, undefined


def _correlation(fused: Plane, without: Plane, source: Plane, between: float) -> float | None:
    """corr(fused - without, source), from exact integer moments; None if undefined.

    `between` is the covariance of the two sources.
    """
    shared = fused.once(covariance, without)
    spread = fused.once(variance) + without.once(variance) - 2 * shared
    power = source.once(variance)
    if spread <= 0 or power <= 0:
        return None
    crossed = fused.once(covariance, source) - between
    return crossed / math.sqrt(spread) / math.sqrt(power)


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """-2 to 2."""
    # Always asked of the first source: two planes that keep each other would never be freed.
    between = first.once(covariance, second)
    left = _correlation(fused, second, first, between)
    right = _correlation(fused, first, second, between)
    if left is None or right is None:
        flat = first.once(variance) <= 0 or second.once(variance) <= 0
        reason = "a source is constant" if flat else "fused differs from a source by a constant"
        return undefined(reason, {"first": left, "second": right})
    return two_sources((left, right))


ENTRY = Metric(
    symbol="SCD",
    title="Sum of the correlations of differences",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(-2, 2),
    paper="Aslantas and Bendes, AEU Int. J. Electronics and Communications 2015",
    tensor="fusionzoo.metrics._tensor:scd",
)

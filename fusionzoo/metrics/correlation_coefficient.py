"""CC, mean of the fused picture's correlations with the two sources.

CC = (corr(A, F) + corr(B, F)) / 2 with Pearson's correlation over all pixels (Deshmukh and Bhosale,
International Journal of Image Processing 2010).
"""

from __future__ import annotations

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import correlation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources, undefined


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """-1 to 1; the terms are the two correlations."""
    left, right = (fused.once(correlation, source) for source in (first, second))
    if left is None or right is None:
        terms = {"first": left, "second": right}
        return undefined("the fused picture or a source is constant", terms)
    return two_sources((left, right), "mean")


ENTRY = Metric(
    symbol="CC",
    title="Correlation coefficient, mean over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(-1, 1),
    paper="Deshmukh and Bhosale, Int. J. Image Processing 2010",
    tensor="fusionzoo.metrics._tensor:correlation_coefficient",
)

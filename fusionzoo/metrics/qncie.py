"""QNCIE, nonlinear correlation information entropy of the three pictures.

With n_xy = MI(x, y) / 8 (bits) off the diagonal of a 3 x 3 matrix of ones, and l its eigenvalues,
QNCIE = 1 + (1/8) sum (l/3) log2(l/3) (Wang, Shen and Zhang, Physica D 2005).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._counts import correlation, information
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(
    fused: Plane,
    first: Plane,
    second: Plane,
    dependence: Literal["information", "pearson"] = "information",
) -> Observation:
    """About 0.8 to 1.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        dependence: What stands off the diagonal: MI / 8, or Pearson's correlation (0 for constant
            pictures).
    """
    pairs = ((first, second), (fused, first), (fused, second))
    if dependence == "pearson":
        a, b, c = (one.once(correlation, two) or 0.0 for one, two in pairs)
    else:
        a, b, c = (one.once(information, two) / 8 for one, two in pairs)
    matrix = np.array([[1, a, b], [a, 1, c], [b, c, 1]])
    shares = np.linalg.eigvalsh(matrix) / 3
    shares = shares[shares > 0]
    return Observation(float(1 + (shares * np.log2(shares)).sum() / 8))


ENTRY = Metric(
    symbol="QNCIE",
    title="Nonlinear correlation information entropy",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(None, 1),
    paper="Wang, Shen and Zhang, Physica D 2005",
)

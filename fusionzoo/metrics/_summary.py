"""How observations of a dataset become one number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fusionzoo.core import Observation


def mean(observations: Sequence[Observation]) -> float | None:
    """Mean of the values that exist; None if there is none."""
    values = [o.value for o in observations if o.status == "ok" and o.value is not None]
    return math.fsum(values) / len(values) if values else None


def two_sources(infrared: float, visible: float) -> Observation:
    """The sum over both sources, with its terms."""
    terms = {"infrared": infrared, "visible": visible}
    return Observation(infrared + visible, terms=terms)

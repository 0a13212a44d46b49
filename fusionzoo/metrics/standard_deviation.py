"""SD, standard deviation of the fused picture's grey levels (population form).

SD = sqrt(mean (F - mean F)^2) (Rao, Measurement Science and Technology 1997).
"""

from __future__ import annotations

import math

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._shared import variance
from fusionzoo.metrics._summary import mean


def observe(fused: Plane) -> Observation:
    """Grey levels, 0 to 127.5."""
    return Observation(math.sqrt(fused.once(variance)) / fused.levels.size)


ENTRY = Metric(
    symbol="SD",
    title="Standard deviation",
    observe=observe,
    summarize=mean,
    reference="none",
    higher_is_better=True,
    range=(0, 127.5),
    unit="level",
    paper="Rao, Measurement Science and Technology 1997",
)

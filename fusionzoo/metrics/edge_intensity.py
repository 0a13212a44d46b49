"""EI, edge intensity: mean Sobel gradient magnitude of the fused picture, border repeated.

EI = mean of sqrt(gx^2 + gy^2) (Rajalingam and Priya, 2018). It rises with noise and ringing.
"""

from __future__ import annotations

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._gradients import Border, strength
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean


def observe(fused: Plane, border: Border = "edge") -> Observation:
    """Grey levels (times the Sobel weights' sum of 8), 0 upwards.

    Args:
        fused: Picture.
        border: What stands outside the picture.
    """
    return Observation(float(fused.once(strength, border).mean()))


ENTRY = Metric(
    symbol="EI",
    title="Edge intensity",
    observe=observe,
    summarize=mean,
    reference="none",
    higher_is_better=True,
    range=(0, None),
    unit="level",
    paper="Rajalingam and Priya, Int. J. Engineering Science Invention 2018",
    tensor="fusionzoo.metrics._tensor:edge_intensity",
)

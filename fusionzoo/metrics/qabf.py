"""Qabf, edges kept from the sources in strength and direction.

Sobel magnitude g and angle t; with G = min(g_x, g_F) / max(g_x, g_F) and
D = 1 - |t_x - t_F| / (pi / 2), a source's edge is kept to the degree
Q_x = 0.9994 / (1 + e^{-15 (G - 0.5)}) x 0.9879 / (1 + e^{-22 (D - 0.8)}), and
Qabf = sum(Q_A g_A + Q_B g_B) / sum(g_A + g_B) (Xydeas and Petrovic, Electronics Letters 2000).
Where magnitudes are equal, G = g_F: the published program's rule, kept by every convention.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._gradients import Floats, sobel
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, undefined
from fusionzoo.metrics._windows import strips


class Edges(NamedTuple):
    """Sobel magnitude, and the angle in (-pi/2, pi/2], of a strip."""

    strength: Floats
    angle: Floats


def edges(plane: Plane, unit: float) -> tuple[Edges, ...]:
    """Edges of a picture whose level `unit` counts as 1; zeros stand outside it."""
    across, down = plane.once(sobel, "zero")
    return tuple(
        _edges(across[rows].astype(np.float64), down[rows].astype(np.float64), unit)
        for rows in strips(*plane.shape)
    )


def _edges(across: Floats, down: Floats, unit: float) -> Edges:
    # On integers the equality branch below is stable; on fractions it hangs on the last bit.
    if unit != 1:
        across, down = across / unit, down / unit
    length = np.sqrt(across * across + down * down)
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.arctan(-down / across)
    angle[across == 0] = np.pi / 2
    return Edges(length, angle)


def _kept(ours: Edges, theirs: Edges) -> float:
    """Sum of Q_x g_x over a strip, for a source's edges and those of the fused picture."""
    low = np.minimum(ours.strength, theirs.strength)
    high = np.maximum(ours.strength, theirs.strength)
    gain = theirs.strength.copy()
    np.divide(low, high, out=gain, where=low != high)
    turned = 1 - np.abs(ours.angle - theirs.angle) / (np.pi / 2)
    kept = 0.9994 / (1 + np.exp(-15 * (gain - 0.5)))
    kept *= 0.9879 / (1 + np.exp(-22 * (turned - 0.8)))
    return float((kept * ours.strength).sum())


def observe(fused: Plane, first: Plane, second: Plane, unit: float = 1.0) -> Observation:
    """0 to about 0.975.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        unit: Levels that count as 1; 255 for pictures in [0, 1], where the value depends on the
            order of summation in its fourth digit.
    """
    kept = whole = 0.0
    for source in (first, second):
        for ours, theirs in zip(source.once(edges, unit), fused.once(edges, unit), strict=True):
            kept += _kept(ours, theirs)
            whole += float(ours.strength.sum())
    if whole <= 0:
        return undefined("no source has any gradient")
    return Observation(kept / whole)


ENTRY = Metric(
    symbol="Qabf",
    title="Edge preservation",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    minimum_side=3,
    paper="Xydeas and Petrovic, Electronics Letters 2000",
)

"""Nabf, artefacts: edges of the fused picture that neither source has. Lower is better.

Sobel / 8 magnitudes g and angles t, border reflected; G = min / max of the magnitudes,
D = (2 / pi) | |t_x - t_F| - pi / 2 |,
Q_x = sqrt(0.9999 / (1 + e^{-19 (G - 0.5)}) x 0.9995 / (1 + e^{-22 (D - 0.5)})), weight
w_x = g_x^1.5 from g_x = 2 on and 0.001 below. Over the pixels with g_F above both sources',
Nabf = sum((1 - Q_A) w_A + (1 - Q_B) w_B) / sum over all pixels of (w_A + w_B)
(Shreyamsha Kumar, Signal, Image and Video Processing 2013).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._gradients import Floats, sobel, strength
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean

THRESHOLD = 2.0


class Edges(NamedTuple):
    """Magnitude in levels, and the angle from the horizontal."""

    strength: Floats
    angle: Floats


def edges(plane: Plane) -> Edges:
    """Edges of one picture."""
    across, down = plane.once(sobel, "reflect")
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.arctan(across / down.astype(np.float64))
    angle[(across == 0) & (down == 0)] = 0
    return Edges(plane.once(strength, "reflect") / 8, angle)


def _lost(ours: Edges, theirs: Edges) -> Floats:
    """1 - Q_x for a source's edges and those of the fused picture, which are stronger."""
    gain = ours.strength / theirs.strength
    turned = np.abs(np.abs(ours.angle - theirs.angle) - np.pi / 2) * (2 / np.pi)
    kept = 0.9999 / (1 + np.exp(-19 * (gain - 0.5)))
    kept *= 0.9995 / (1 + np.exp(-22 * (turned - 0.5)))
    return np.asarray(1 - np.sqrt(kept))


def weights(plane: Plane, floor: float) -> Floats:
    """How much each edge counts."""
    length = plane.once(edges).strength
    return np.where(length >= THRESHOLD, length * np.sqrt(length), floor)


def observe(
    fused: Plane, first: Plane, second: Plane, floor: float = 0.001, swapped: bool = False
) -> Observation:
    """0 to 1; lower is better.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        floor: Weight of the pixels below the threshold.
        swapped: Take the second source and the fused picture as sources and the first source as
            the result, as a program does whose arguments are exchanged.
    """
    if swapped:
        fused, first, second = first, second, fused
    length = fused.once(edges).strength
    sources = (first, second)
    artefact = np.logical_and(*(length > source.once(edges).strength for source in sources))
    whole = sum(float(source.once(weights, floor).sum()) for source in sources)
    if whole <= 0:
        return Observation(0.0)
    theirs = Edges(*(part[artefact] for part in fused.once(edges)))
    added = 0.0
    for source in sources:
        ours = Edges(*(part[artefact] for part in source.once(edges)))
        added += float((_lost(ours, theirs) * source.once(weights, floor)[artefact]).sum())
    return Observation(added / whole)


ENTRY = Metric(
    symbol="Nabf",
    title="Fusion artefacts",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=False,
    range=(0, 1),
    minimum_side=3,
    paper="Shreyamsha Kumar, Signal, Image and Video Processing 2013",
)

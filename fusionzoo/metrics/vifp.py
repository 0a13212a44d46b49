"""VIFp, visual information fidelity in the pixel domain with each source; their sum is reported.

VIFp(r) = sum log10(1 + a^2 v_r / (u + 2)) / sum log10(1 + v_r / 2) over all pixels of four scales,
with a, u, v_r of `_fidelity` and noise variance 2 (Sheikh and Bovik, IEEE TIP 2006). A copy of a
source gives 1 for that source, so copying the infrared scores well above 1 in the sum.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._fidelity import (
    MINIMUM_SIDE,
    PIXEL_NOISE,
    WINDOWS,
    Told,
    channel,
    clipped,
    fidelities,
    told,
)
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, two_sources, undefined
from fusionzoo.metrics._windows import Floats, Moments, Window, averaged, values, zero_bordered


def observe(
    fused: Plane,
    first: Plane,
    second: Plane,
    form: Literal["pixel", "saturated", "shifted"] = "pixel",
    flat: float | None = None,
) -> Observation:
    """0 upwards, 2 for three equal pictures; the terms are the two single fidelities.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        form: "saturated": 8-bit products at the first scale; "shifted": zeros outside the picture
            and a window half a pixel off its centre, as IVIF_ZOO has it.
        flat: Value of a source that carries no information; None leaves it undefined.
    """
    if form == "shifted":
        left, right = (_ratio(_shifted(fused, source)) for source in (first, second))
    else:
        scales = fused.once(fidelities, first, second)
        one, two = [scale.first for scale in scales], [scale.second for scale in scales]
        if form == "saturated":
            one[0], two[0] = (_saturated(fused, source) for source in (first, second))
        left, right = _ratio(one), _ratio(two)
    terms = {"first": flat if left is None else left, "second": flat if right is None else right}
    if terms["first"] is None or terms["second"] is None:
        return undefined("a source carries no information", terms)
    return two_sources((terms["first"], terms["second"]))


def _ratio(scales: list[Told]) -> float | None:
    sent = sum(scale.sent for scale in scales)
    return sum(scale.received for scale in scales) / sent if sent > 0 else None


def _saturated(fused: Plane, source: Plane) -> Told:
    """The first scale where 8-bit products saturate at 255 before they are filtered."""
    theirs, ours = fused.once(_saturated_moments), source.once(_saturated_moments)
    product = np.minimum(fused.once(values) * source.once(values), 255)
    return told(channel(averaged(product, WINDOWS[0]), ours, theirs), PIXEL_NOISE)


def _saturated_moments(plane: Plane) -> Moments:
    picture = plane.once(values)
    return clipped(picture, np.minimum(picture * picture, 255), WINDOWS[0])


def _shifted(fused: Plane, source: Plane) -> list[Told]:
    """IVIF_ZOO's recursion: full-size outputs, zero border, positions -(N + 1)/2 to (N - 1)/2."""
    rows = zip(fused.once(_shifted_scales), source.once(_shifted_scales), WINDOWS, strict=True)
    return [
        told(channel(_filtered(x * y, window), ours, theirs), PIXEL_NOISE)
        for (x, theirs), (y, ours), window in rows
    ]


def _shifted_scales(plane: Plane) -> list[tuple[Floats, Moments]]:
    """The picture at four scales, with its local moments."""
    found = []
    picture = plane.once(values)
    for scale, window in enumerate(WINDOWS):
        if scale:
            picture = np.ascontiguousarray(_filtered(picture, window)[::2, ::2])
        found.append((picture, _moments(picture, window)))
    return found


def _filtered(picture: Floats, window: Window) -> Floats:
    taps = window.taps
    places = np.linspace(-(taps + 1) / 2, (taps - 1) / 2, taps)
    kernel = np.exp(-(places**2) / (2 * window.sigma**2))
    kernel /= kernel.sum()
    return zero_bordered(picture, kernel, kernel)


def _moments(picture: Floats, window: Window) -> Moments:
    average = _filtered(picture, window)
    spread = _filtered(picture * picture, window) - average * average
    return Moments(average, np.maximum(spread, 0))


ENTRY = Metric(
    symbol="VIFp",
    title="Visual information fidelity in the pixel domain, summed over the sources",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, None),
    minimum_side=MINIMUM_SIDE,
    aliases=("VIF",),
    paper="Sheikh and Bovik, IEEE Trans. Image Processing 2006",
    tensor="fusionzoo.metrics._tensor:vifp",
)

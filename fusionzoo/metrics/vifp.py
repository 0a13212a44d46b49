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
    window = WINDOWS[0]
    theirs, ours = (
        clipped(x, np.minimum(x * x, 255), window)
        for x in (fused.once(values), source.once(values))
    )
    product = np.minimum(fused.once(values) * source.once(values), 255)
    return told(channel(averaged(product, window), ours, theirs), PIXEL_NOISE)


def _shifted(fused: Plane, source: Plane) -> list[Told]:
    """IVIF_ZOO's recursion: full-size outputs, zero border, positions -(N + 1)/2 to (N - 1)/2."""
    found = []
    distorted, reference = (plane.once(values) for plane in (fused, source))
    for scale, window in enumerate(WINDOWS):
        if scale:
            distorted, reference = (
                np.ascontiguousarray(_filtered(x, window)[::2, ::2]) for x in (distorted, reference)
            )
        theirs, ours = (_moments(x, window) for x in (distorted, reference))
        crossed = _filtered(distorted * reference, window)
        found.append(told(channel(crossed, ours, theirs), PIXEL_NOISE))
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

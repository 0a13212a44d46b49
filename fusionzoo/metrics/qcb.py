"""QCB, contrast kept as a human observer would see it.

Pictures are stretched to 0..255 and filtered with the contrast sensitivity
exp(-(r / 15.387)^2) - 0.7622 exp(-(r / 1.3456)^2); local contrast is C = |K_2 * x / K_4 * x - 1|
with 31 x 31 Gaussians of sigma 2 and 4, masked to C' = C^3 / (C^2 + 1e-4). A source is kept to the
degree min(C'_x, C'_F) / max(C'_x, C'_F), weighted by C'_x^2; mean over all pixels (Chen and Blum,
Image and Vision Computing 2009).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean, undefined
from fusionzoo.metrics._vision import Floats, Stretch, filtered, frequency_filter, stretched
from fusionzoo.metrics._windows import zero_bordered

_DIVISOR, _TAPS = 30.0, 31


class Eye(NamedTuple):
    """How the picture is stretched, the part of the frequency range, and an added constant."""

    stretch: Stretch = "levels"
    share: float = 1.0
    added: float = 0.0


FORMS = {
    "chen_blum": Eye(),
    "mefb": Eye("unit"),
    "ivif_zoo": Eye("unrounded", 0.5, 1e-10),
}


def _sensitivity(radius: Floats) -> Floats:
    return np.exp(-((radius / 15.3870) ** 2)) - 0.7622 * np.exp(-((radius / 1.3456) ** 2))


def _blurred(picture: Floats, sigma: float) -> Floats:
    """Gaussian whose weights are not normalised; zeros outside the picture."""
    places = np.arange(_TAPS) - _TAPS // 2
    kernel = np.exp(-(places**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    return zero_bordered(picture, kernel, kernel)


def contrast(plane: Plane, eye: Eye) -> Floats | None:
    """Masked local contrast; None for a constant picture."""
    picture = stretched(plane, eye.stretch)
    if picture is None:
        return None
    gains = frequency_filter(plane.shape, _sensitivity, _DIVISOR, eye.share)
    seen = filtered(picture, gains)
    local = _blurred(seen, 2.0) / (_blurred(seen, 4.0) + eye.added) - 1
    squared = local * local
    return np.asarray(squared * np.abs(local) / (squared + 1e-4))


def _kept(source: Floats, fused: Floats) -> Floats:
    high = np.maximum(source, fused)
    with np.errstate(invalid="ignore"):
        return np.minimum(source, fused) / high


def observe(fused: Plane, first: Plane, second: Plane, form: str = "chen_blum") -> Observation:
    """0 to 1.

    Args:
        fused: Picture.
        first: Source.
        second: Source.
        form: A key of `FORMS`.
    """
    eye = FORMS[form]
    seen, left, right = (plane.once(contrast, eye) for plane in (fused, first, second))
    if seen is None or left is None or right is None:
        return undefined("a constant picture cannot be stretched")
    one, two = left * left, right * right
    whole = one + two + eye.added
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (one * _kept(left, seen) + two * _kept(right, seen)) / whole
    return Observation(float(value.mean()))


ENTRY = Metric(
    symbol="QCB",
    title="Contrast preservation by human vision (Chen and Blum)",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    paper="Chen and Blum, Image and Vision Computing 2009",
)

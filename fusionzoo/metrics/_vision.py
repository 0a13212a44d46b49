"""What two models of human vision share: stretching to the full range, and frequency filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fusionzoo.metrics._plane import Plane

Floats = NDArray[np.float64]
Stretch = Literal["levels", "unit", "unrounded"]


def stretched(plane: Plane, how: Stretch = "levels") -> Floats | None:
    """The picture brought to 0..255 by its own extremes; None if it is constant.

    Args:
        plane: Picture.
        how: "levels": (x - min) / (max - min), times 255, rounded half up, in this order, for exact
            halves decide last digits; "unit": of x / 255, whose halves round either way;
            "unrounded": left in [0, 1].
    """
    # A picture has at most 256 different values, so the map is made for those.
    ramp = np.arange(256) / (255.0 if how == "unit" else 1.0)
    low, high = ramp[plane.levels.min()], ramp[plane.levels.max()]
    if high == low:
        return None
    share = (ramp - low) / (high - low)
    table = share if how == "unrounded" else np.floor(share * 255 + 0.5)
    return np.asarray(table[plane.levels], np.float64)


def stretched_plane(plane: Plane) -> Plane:
    """The stretched picture as a plane; a constant one as it is."""
    picture = plane.once(stretched)
    return plane if picture is None else Plane(picture.astype(np.uint8))


def _axis(count: int, reach: float, half: bool) -> Floats:
    """Frequencies of an FFT axis: -1..1 over the whole axis, times `reach`."""
    # Even length: -1, -1 + 2/n, ...; odd: -(n-1)/n, ...; both are 2k/n, which fftfreq gives as k/n.
    steps = np.fft.rfftfreq(count) if half else np.fft.fftfreq(count)
    return np.asarray(np.abs(steps) * 2 * reach, np.float64)


def frequency_filter(
    shape: tuple[int, int], response: Callable[[Floats], Floats], divisor: float, share: float = 1.0
) -> Floats:
    """A radial response on the half-plane of `numpy.fft.rfft2`.

    Args:
        shape: (height, width) of the picture.
        response: Gain at a radius.
        divisor: The frequency at the edge of the plane is side / divisor cycles.
        share: Part of that frequency range that is used.
    """
    height, width = shape
    down = _axis(height, share * height / divisor, half=False)
    across = _axis(width, share * width / divisor, half=True)
    return response(np.hypot(down[:, None], across[None, :]))


def filtered(picture: Floats, gains: Floats) -> Floats:
    """The picture after a real, symmetric frequency filter."""
    return np.asarray(np.fft.irfft2(np.fft.rfft2(picture) * gains, picture.shape))

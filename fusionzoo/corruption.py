"""Controlled damage to the sources, so that robustness can be measured: severities 1 to 5.

Geometry and failures strike the second source of a pair (the infrared one), light strikes the
first, noise, blur and JPEG strike both. Metrics compare the output with the sources as they were
before, so what is lost is what the scene showed. Chance is drawn from a hash of the corruption and
the picture's name, not of the severity: a higher severity is more of the same damage, and every
method gets the same one. Lengths are per 640 columns: small and large pictures suffer alike.

The levels are ours: from what a careful calibration leaves to what makes a source useless. The
kinds follow Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions
and Perturbations", ICLR 2019; haze is Koschmieder's law with depth growing towards the top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fusionzoo import image
from fusionzoo.core import PAIRS, DataError, Sample, hash_of

Plane = NDArray[np.float32]
"""(H, W) or (H, W, 3), values in [0, 1]; a function may leave that range, the caller clips."""
Pair = tuple[Plane, Plane]
Damage = Callable[[Pair, int, np.random.Generator], Pair]
SEVERITIES = (1, 2, 3, 4, 5)
VERSION = 1
"""Raised when the damage changes, so that older results are measured again."""
GAMMA = 2.2
"""Between stored values and light."""
SHIFT = (1, 2, 4, 7, 12)  # pixels per 640 columns
ROTATION = (0.25, 0.5, 1.0, 2.0, 4.0)  # degrees
SCALE = (1.005, 1.01, 1.02, 1.04, 1.08)
NOISE = (0.02, 0.04, 0.07, 0.11, 0.16)  # standard deviation
BLUR = (0.7, 1.2, 2.0, 3.0, 4.5)  # standard deviation in pixels per 640 columns
JPEG = (60, 35, 20, 10, 5)  # quality
LIGHT = (0.6, 0.4, 0.25, 0.15, 0.08)  # share of the light that is left
EXPOSURE = (1.4, 1.9, 2.6, 3.6, 5.0)  # gain of light before clipping
HAZE = (0.5, 0.9, 1.4, 2.0, 2.8)  # optical depth at the upper border
DEAD = (0.02, 0.05, 0.1, 0.2, 0.4)  # share of detector rows without signal
SATURATED = (1.3, 1.7, 2.3, 3.2, 4.5)  # gain of the detector
MISSING = (0.2, 0.4, 0.6, 0.8, 1.0)  # share of columns that are black


def _warp(plane: Plane, matrix: NDArray[np.float64]) -> Plane:
    size = (plane.shape[1], plane.shape[0])
    # Linear interpolation would blur as well, which is another corruption.
    moved = cv2.warpAffine(
        plane, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)


def _about_centre(plane: Plane, degrees: float, factor: float) -> Plane:
    centre = ((plane.shape[1] - 1) / 2, (plane.shape[0] - 1) / 2)
    return _warp(plane, np.asarray(cv2.getRotationMatrix2D(centre, degrees, factor), np.float64))


def shift(pair: Pair, severity: int, rng: np.random.Generator) -> Pair:
    """The second source moves by 1 to 12 pixels (at 640 columns) in a random direction."""
    length = SHIFT[severity - 1] * pair[1].shape[1] / 640
    angle = rng.uniform(0, 2 * np.pi)
    matrix = np.array([[1, 0, length * np.cos(angle)], [0, 1, length * np.sin(angle)]])
    return pair[0], _warp(pair[1], matrix)


def rotation(pair: Pair, severity: int, rng: np.random.Generator) -> Pair:
    """The second source turns about its centre by up to 4 degrees, to a random side."""
    sign = 1 if rng.integers(2) else -1
    return pair[0], _about_centre(pair[1], sign * ROTATION[severity - 1], 1)


def scale(pair: Pair, severity: int, rng: np.random.Generator) -> Pair:
    """The second source is enlarged or reduced about its centre by up to 8 %."""
    factor = SCALE[severity - 1]
    return pair[0], _about_centre(pair[1], 0, factor if rng.integers(2) else 1 / factor)


def noise(pair: Pair, severity: int, rng: np.random.Generator) -> Pair:
    """White Gaussian noise on both sources."""
    first, second = (
        plane + rng.normal(0, NOISE[severity - 1], plane.shape).astype(np.float32) for plane in pair
    )
    return first, second


def blur(pair: Pair, severity: int, _: np.random.Generator) -> Pair:
    """Both sources out of focus, by a Gaussian."""
    sigma = BLUR[severity - 1] * pair[0].shape[1] / 640
    first, second = (np.asarray(cv2.GaussianBlur(p, (0, 0), sigma), np.float32) for p in pair)
    return first, second


def jpeg(pair: Pair, severity: int, _: np.random.Generator) -> Pair:
    """Both sources through JPEG, quality 60 down to 5."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG[severity - 1]]
    decoded = []
    for plane in pair:
        levels = _levels(plane)
        # OpenCV takes the channels in the other order.
        given = levels[..., ::-1] if levels.ndim == 3 else levels
        _done, data = cv2.imencode(".jpg", np.ascontiguousarray(given), options)
        found = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.float32) / np.float32(255)
        decoded.append(found[..., ::-1] if levels.ndim == 3 else found)
    return decoded[0], decoded[1]


def low_light(pair: Pair, severity: int, rng: np.random.Generator) -> Pair:
    """The first source with 60 % to 8 % of its light, and the noise of so few photons."""
    light = np.power(pair[0], GAMMA) * LIGHT[severity - 1]
    photons = rng.normal(0, 1, light.shape) * np.sqrt(light / 4000)
    reading = rng.normal(0, 0.0015, light.shape)
    return _stored(light + photons + reading), pair[1]


def overexposure(pair: Pair, severity: int, _: np.random.Generator) -> Pair:
    """The first source with up to five times its light, clipped."""
    return _stored(np.power(pair[0], GAMMA) * EXPOSURE[severity - 1]), pair[1]


def _stored(light: NDArray[np.floating]) -> Plane:
    return np.asarray(np.power(np.clip(light, 0, 1), 1 / GAMMA), np.float32)


def haze(pair: Pair, severity: int, rng: np.random.Generator) -> Pair:
    """The first source behind haze that thickens towards the upper border."""
    height = pair[0].shape[0]
    depth = np.linspace(1, 0.15, height, dtype=np.float32).reshape(-1, *[1] * (pair[0].ndim - 1))
    transmission = np.exp(-HAZE[severity - 1] * depth)
    air = np.float32(rng.uniform(0.8, 0.95))
    return pair[0] * transmission + air * (1 - transmission), pair[1]


def dead(pair: Pair, severity: int, rng: np.random.Generator) -> Pair:
    """2 % to 40 % of the second detector's rows give nothing."""
    second = pair[1].copy()
    second[rng.random(len(second)) < DEAD[severity - 1]] = 0
    return pair[0], second


def saturated(pair: Pair, severity: int, _: np.random.Generator) -> Pair:
    """The second detector's gain is too high: bright parts are clipped."""
    return pair[0], pair[1] * np.float32(SATURATED[severity - 1])


def missing_second(pair: Pair, severity: int, _: np.random.Generator) -> Pair:
    """A fifth of the second source's columns is black, up to all of them."""
    return pair[0], _blacked(pair[1], severity)


def missing_first(pair: Pair, severity: int, _: np.random.Generator) -> Pair:
    """A fifth of the first source's columns is black, up to all of them."""
    return _blacked(pair[0], severity), pair[1]


def _blacked(plane: Plane, severity: int) -> Plane:
    left = plane.copy()
    left[:, : round(left.shape[1] * MISSING[severity - 1])] = 0
    return left


CORRUPTIONS: Mapping[str, Damage] = {
    function.__name__: function
    for function in (
        shift, rotation, scale, noise, blur, jpeg, low_light, overexposure, haze, dead, saturated,
        missing_second, missing_first,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Corruption:
    """One kind of damage at one severity, as `fusionzoo.plan.Corruption` wants it.

    Attributes:
        name: In `CORRUPTIONS`.
        severity: 1 to 5.
    """

    name: str
    severity: int

    def __post_init__(self) -> None:
        """Refuse what does not exist.

        Raises:
            DataError: No such corruption or severity.
        """
        if self.name not in CORRUPTIONS or self.severity not in SEVERITIES:
            raise DataError(
                f"corruption '{self.name}' of severity {self.severity} is unknown: expected 1 to 5 "
                f"and one of {', '.join(CORRUPTIONS)}"
            )

    @property
    def condition(self) -> str:
        """As in files and tables: "noise-3"."""
        return f"{self.name}-{self.severity}"

    @property
    def key(self) -> str:
        """Hash of what the damage depends on, besides the sample."""
        return hash_of(self.name, self.severity, VERSION)

    def __call__(self, sample: Sample) -> Mapping[str, Tensor]:
        """The sources that were damaged, in 8-bit levels as planes (C, H, W) in [0, 1].

        Raises:
            DataError: The sample has no pair of sources.
        """
        roles = pair_of(sample.images)
        if roles is None:
            raise DataError(f"{sample.name} has no pair of sources that could be damaged")
        rng = np.random.default_rng(int(hash_of(self.name, sample.name), 16))
        before = _array(sample.images[roles[0]]), _array(sample.images[roles[1]])
        after = CORRUPTIONS[self.name](before, self.severity, rng)
        # A camera gives 8-bit levels, whatever happened to the light.
        return {
            role: image.to_plane(_levels(plane))
            for role, plane, clean in zip(roles, after, before, strict=True)
            if plane is not clean
        }


def pair_of(roles: Iterable[str]) -> tuple[str, str] | None:
    """The first of the known pairs that the roles hold, or None."""
    present = set(roles)
    return next((pair for pair in PAIRS.values() if set(pair) <= present), None)


def _levels(plane: Plane) -> NDArray[np.uint8]:
    return np.asarray(np.floor(np.clip(plane, 0, 1) * 255 + 0.5), np.uint8)


def _array(picture: Tensor) -> Plane:
    array = picture.numpy().astype(np.float32)
    return np.ascontiguousarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0))

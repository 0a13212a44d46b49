"""Temperatures: of air, ground, people and engines, and what a thermal camera makes of them.

Their chance comes from a stream of its own, so that it changes no visible picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.random import Generator

from fusionzoo.datasets._demo.frame import Floats, Frame

Condition = Literal["day", "night", "fog"]
AIR = 12.0
"""Degrees Celsius."""
CLEAR_AIR = 4e-4
"""Extinction per metre at 8 to 14 micrometres without fog."""


@dataclass(frozen=True)
class Climate:
    """What the hour and the weather decide; kelvin are above the air.

    Attributes:
        road, walk, grass: Kelvin of the ground.
        walls: Share of their usual kelvin that walls keep.
        panes: Kelvin of glass that faces the street; it mirrors some of the sky.
        sky: Kelvin of the sky at the zenith.
        fog_share: Extinction of heat by fog over that of light.
    """

    road: float
    walk: float
    grass: float
    walls: float
    panes: float
    sky: float
    fog_share: float

    def extinction(self, density: float) -> float:
        """Per metre, where that of visible light is `density`."""
        return CLEAR_AIR + self.fog_share * density


def climate(rng: Generator, condition: Condition, sun_heat: float) -> Climate:
    """By day the sun warms the ground, at night it gives back some, in fog all is like the air.

    Drops of 2 to 6 micrometres in radius weaken light of 10 micrometres by a quarter to three
    quarters of what they take from visible light (van de Hulst's approximation of Mie's theory):
    thin radiation fog to dense advection fog.
    """
    if condition == "fog":
        share = float(rng.uniform(0.25, 0.75))
        road = float(rng.uniform(0.0, 1.5))
        return Climate(road, 0.6 * road, -0.2, 0.3, -0.3, 0.0, share)
    if condition == "night":
        road = float(rng.uniform(1.0, 5.0))
        return Climate(road, 0.6 * road, -0.5, 0.8, -2.0, -28.0, 0.0)
    ground = 5 + sun_heat, 3 + 0.7 * sun_heat, -0.5 + 0.2 * sun_heat
    return Climate(*ground, 1.0, -2.0, -28.0, 0.0)


@dataclass(frozen=True)
class Body:
    """Degrees Celsius of a person's outside.

    Attributes:
        face, hair, hands: Bare or thinly covered.
        coat, legs, shoes: Clothes, between the air and the skin by how well they insulate.
    """

    face: float
    hair: float
    hands: float
    coat: float
    legs: float
    shoes: float


def body(rng: Generator) -> Body:
    """Somebody, lightly or warmly dressed."""
    face, bare = float(rng.uniform(30, 34)), float(rng.random())
    coat, legs = AIR + 4 + 10 * bare, AIR + 6 + 8 * float(rng.random())
    return Body(face, face - 7, face - 3, coat, legs, AIR + 5)


@dataclass(frozen=True)
class Engine:
    """Kelvin above the air of a vehicle's parts.

    Attributes:
        body: Sheet metal away from the engine.
        grille, bonnet, wheels, exhaust: What driving warms.
    """

    body: float
    grille: float
    bonnet: float
    wheels: float
    exhaust: float


def engine(rng: Generator, warm: bool) -> Engine:
    """Of a vehicle that stands since long, or one that has just started or has driven far."""
    metal, driven = float(rng.normal(0.5, 0.8)), float(rng.uniform(0.25, 1.0))
    if not warm:
        return Engine(metal, metal, metal, metal, metal)
    return Engine(metal + 1.5 * driven, 34 * driven, 20 * driven, 20 * driven, 58 * driven)


SENSOR = 288, 384
"""Rows and columns of the thermal camera; its picture is enlarged to the colour camera's."""
LEAST_SPAN, MARGIN = 15.0, 3.0
"""Kelvin from black to white at the highest gain; and of black below the cooler surfaces (25th
percentile), so that a clear sky is black and does not take the range from what is on the ground."""
NOISE, COLUMN_NOISE, SHADING = 0.15, 0.06, 0.8
"""Kelvin: of a pixel, of a column, and of the corners against the middle."""


def thermal(frame: Frame, climate: Climate, density: float, rng: Generator) -> Floats:
    """(H, W) in [0, 1]: apparent temperature, on a smaller sensor, with automatic gain.

    Args:
        frame: What is seen.
        climate: Of the scene.
        density: Extinction of visible light by fog, per metre.
        rng: Of the noise.
    """
    heat = apparent(frame, climate, climate.extinction(density))
    small = cv2.resize(heat, SENSOR[::-1], interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.7)
    rows, columns = np.mgrid[-1 : 1 : SENSOR[0] * 1j, -1 : 1 : SENSOR[1] * 1j]
    noise = NOISE * rng.normal(0, 1, SENSOR) + COLUMN_NOISE * rng.normal(0, 1, (1, SENSOR[1]))
    recorded = small + noise - 0.5 * SHADING * (rows**2 + columns**2)
    low, high = np.percentile(recorded, [25, 99.8])
    grey = (recorded - low + MARGIN) / max(high - low + MARGIN, LEAST_SPAN)
    enlarged = cv2.resize(grey.astype(np.float32), heat.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(enlarged, 0, 1), np.float32)


def apparent(frame: Frame, climate: Climate, extinction: float) -> Floats:
    """Degrees Celsius that are seen: of surfaces and the sky, and of the air before them."""
    elevation = (frame.rays[..., 1] / np.linalg.norm(frame.rays, axis=-1)).clip(0, 1)
    above = np.isinf(frame.depth)
    heat = np.where(above, AIR + climate.sky * (0.2 + 0.8 * elevation**0.6), frame.heat)
    through = np.exp(-extinction * np.where(above, 1e3, frame.depth))
    return np.asarray(AIR + (heat - AIR) * through, np.float32)

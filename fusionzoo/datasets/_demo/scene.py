"""One street scene: where things stand, the hour and the weather, and everything seen of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fusionzoo.datasets._demo import canvas, heat, light, street, vehicles
from fusionzoo.datasets._demo.frame import Camera, Floats, Frame, Surface, View
from fusionzoo.datasets._demo.heat import AIR, Climate, Condition

CONDITIONS: tuple[Condition, ...] = ("day", "night", "fog")
LAMP, SIGN, TREE, SKY, PERSON, MOTORCYCLE, BICYCLE, POLE = 4, 5, 6, 7, 8, 12, 13, 14
SEED = 20_260


@dataclass(frozen=True)
class Scene:
    """A scene is a function of (split, index) alone.

    Attributes:
        split: "train", "test" or "held_out".
        index: Number within the split.
    """

    split: str
    index: int

    @property
    def condition(self) -> Condition:
        """Day, night and fog take turns."""
        return CONDITIONS[self.index % 3]

    def _rng(self, stream: int) -> Generator:
        number = {"train": 0, "test": 1, "held_out": 2}[self.split]
        return np.random.default_rng([SEED, number, self.index, stream])

    @cached_property
    def _parts(self) -> tuple[Frame, light.Sources, Climate]:
        return build(self._rng(0), self.condition)

    @property
    def depth(self) -> Floats:
        """(480, 640) metres along the optical axis; infinite for the sky."""
        return self._parts[0].depth

    @property
    def labels(self) -> NDArray[np.int64]:
        """(480, 640) ids of FMB's classes."""
        return self._parts[0].label

    def radiance(self) -> Floats:
        """(480, 640, 3) linear light that reaches the camera in clear air."""
        frame, sources, _ = self._parts
        return light.radiance(frame, sources, self._rng(1))

    def visible(self) -> Floats:
        """(480, 640, 3) picture of a colour camera in [0, 1], fog included."""
        frame, sources, _ = self._parts
        hazy = light.scatter(self.radiance(), frame.depth, sources)
        return light.expose(hazy, sources, self._rng(2))

    def through_haze(
        self, density: tuple[float, float], airlight: tuple[float, float]
    ) -> tuple[Floats, Floats]:
        """The picture in clear air and in a haze, (480, 640, 3) in [0, 1], with the same grain.

        Args:
            density: Range of extinction per metre.
            airlight: Range of linear grey of the haze.
        """
        frame, sources, _ = self._parts
        rng = self._rng(4)
        grey = float(rng.uniform(*airlight)) * np.array([0.98, 0.99, 1.0], np.float32)
        haze = replace(sources, airlight=grey, density=float(rng.uniform(*density)))
        clear = self.radiance()
        hazy = light.scatter(clear, frame.depth, haze)
        return (
            light.expose(clear, sources, self._rng(2)),
            light.expose(hazy, sources, self._rng(2)),
        )

    def infrared(self) -> Floats:
        """(480, 640) picture of a thermal camera in [0, 1]; fog hides less from it."""
        frame, sources, climate = self._parts
        return heat.thermal(frame, climate, sources.density, self._rng(3))


def build(
    rng: Generator,
    condition: Condition,
    view: View | None = None,
    profile: tuple[float, float] | None = None,
) -> tuple[Frame, light.Sources, Climate]:
    """Everything ahead of the eye, seen by a camera, what lights it, and the climate.

    Args:
        rng: Source of chance.
        condition: Hour and weather.
        view: Camera; None draws a pinhole camera.
        profile: Half the road's and the pavement's width in metres; None draws them.
    """
    camera = Camera(focal=rng.uniform(500, 620), horizon=rng.uniform(195, 240))
    frame, night = Frame(view or camera), condition == "night"
    sun_heat = float(rng.uniform(5, 12)) if condition == "day" else 0.0
    warmth = rng.spawn(1)[0]
    climate = heat.climate(warmth, condition, sun_heat)
    tile = street.noise_tile(rng)
    drawn = rng.uniform(3.4, 5.5), rng.uniform(2.0, 3.5)
    half_road, pavement = profile or drawn
    shader = street.ground(tile, half_road, pavement, climate, bool(rng.random() < 0.7))
    frame.rectangle((-60, 0, 0), (120, 0, 0), (0, 0, 400), shader)
    _buildings(frame, rng, tile, half_road + pavement, night, sun_heat, climate)
    lamps = _furniture(frame, rng, half_road, pavement, night)
    cars = _traffic(frame, rng, warmth, half_road, night, climate.panes)
    people = _people(frame, rng, warmth, half_road, pavement)
    frame.label[np.isinf(frame.depth)] = SKY
    return frame, light.sources(rng, condition, lamps, cars, people), climate


def _buildings(
    frame: Frame,
    rng: Generator,
    tile: Floats,
    edge: float,
    night: bool,
    sun_heat: float,
    climate: Climate,
) -> None:
    """A row of houses on each side, some with gaps, and one that closes the street."""
    for side in (-1, 1):
        z = rng.uniform(2, 9)
        while z < 120:
            depth, height = rng.uniform(8, 22), rng.uniform(6, 19)
            x = side * (edge + rng.uniform(0.2, 1.6))
            if rng.random() < 0.85:
                shader = street.facade(rng, tile, depth, height, night, sun_heat, climate)
                frame.rectangle((x, 0, z), (0, 0, depth), (0, height, 0), shader)
                front = street.facade(rng, tile, 14, height, night, sun_heat, climate)
                frame.rectangle((x, 0, z), (side * 14, 0, 0), (0, height, 0), front)
            z += depth + rng.choice([0.0, 0.0, 4.0, 9.0])
    if rng.random() < 0.5:
        height = rng.uniform(8, 20)
        shader = street.facade(rng, tile, 90, height, night, 0, climate)
        frame.rectangle((-45, 0, rng.uniform(90, 130)), (90, 0, 0), (0, height, 0), shader)


def _board(
    frame: Frame, drawing: canvas.Canvas, x: float, z: float, label: int, y: float = 0
) -> None:
    """Stand a drawing upright, facing the eye."""
    origin = (x - drawing.width / 2, y, z)
    frame.rectangle(origin, (drawing.width, 0, 0), (0, drawing.height, 0), drawing.shader(label))


def _post(frame: Frame, x: float, z: float, height: float, thickness: float, label: int) -> None:
    def sample(a: Floats, _b: Floats, _depth: Floats) -> Surface:
        shade = 0.22 * (0.5 + np.sin(np.pi * a / thickness))
        colour = np.repeat(shade[:, None], 3, 1).astype(np.float32)
        return Surface(colour, np.full(len(a), AIR, np.float32), label)

    frame.rectangle((x - thickness / 2, 0, z), (thickness, 0, 0), (0, height, 0), sample)


def _furniture(
    frame: Frame, rng: Generator, half_road: float, pavement: float, night: bool
) -> list[tuple[float, float, float]]:
    """Trees, lamps, signs and poles along the kerbs; returns where lamps burn."""
    lamps = []
    for side in (-1, 1):
        for z in np.arange(rng.uniform(9, 16), 90, rng.uniform(18, 26)):
            x = side * (half_road + 0.45)
            _post(frame, x, z, 5.6, 0.13, POLE)
            head = (x - side * 0.5, 5.6, float(z))
            _lamp(frame, head, night)
            lamps.append(head)
        for z in rng.uniform(7, 80, int(rng.integers(1, 7))):
            drawing = canvas.tree(rng, rng.uniform(3.8, 7.5), AIR - 1)
            _board(frame, drawing, side * (half_road + pavement * rng.uniform(0.6, 1.1)), z, TREE)
        for z in rng.uniform(8, 45, int(rng.integers(1, 3))):
            x = side * (half_road + rng.uniform(0.35, 0.8))
            _post(frame, x, z + 0.03, 2.8, 0.07, POLE)
            _board(frame, canvas.sign(rng), x, z, SIGN, y=2.1)
    return lamps


def _lamp(frame: Frame, at: tuple[float, float, float], night: bool) -> None:
    def sample(a: Floats, _b: Floats, _depth: Floats) -> Surface:
        ones = np.ones((len(a), 3), np.float32)
        glow = ones * np.array([22, 17, 9], np.float32) * night
        warm = np.full(len(a), AIR + (38 if night else 0), np.float32)
        return Surface(0.4 * ones, warm, LAMP, glow=glow)

    x, y, z = at
    frame.rectangle((x - 0.45, y - 0.05, z), (0.9, 0, 0), (0, 0.2, 0), sample)


def _traffic(
    frame: Frame, rng: Generator, warmth: Generator, half_road: float, night: bool, panes: float
) -> list[vehicles.Vehicle]:
    """Vehicles in both lanes and parked ones, with gaps between them."""
    found = []
    lane = half_road / 2
    for x, towards in ((-lane, True), (lane, False)):
        z = rng.uniform(9, 24)
        while z < 85:
            kind = rng.choice([vehicles.CAR, vehicles.TRUCK, vehicles.BUS], p=[0.74, 0.12, 0.14])
            one = vehicles.make(rng, warmth, int(kind), x + rng.normal(0, 0.15), z, towards)
            found.append(one)
            z += one.length + rng.uniform(6, 30)
    for side in (-1, 1):
        if rng.random() < 0.5:
            z, x = rng.uniform(8, 40), side * (half_road + rng.uniform(0.0, 0.5))
            motor = bool(rng.random() < 0.5)
            drawing = canvas.two_wheeler(rng, motor, heat.body(warmth), heat.engine(warmth, motor))
            _board(frame, drawing, x - side * 1.2, z, MOTORCYCLE if motor else BICYCLE)
    for one in found:
        vehicles.draw(frame, one, night, panes)
    return found


def _people(
    frame: Frame, rng: Generator, warmth: Generator, half_road: float, pavement: float
) -> list[tuple[float, float]]:
    """Walkers on the pavements, and sometimes one on the road."""
    places = []
    for _ in range(int(rng.integers(3, 9))):
        side = rng.choice([-1, 1])
        x = side * (half_road + rng.uniform(0.4, max(0.5, pavement - 0.3)))
        if rng.random() < 0.22:
            x = rng.uniform(-half_road, half_road) * 0.9
        z = float(rng.uniform(6.5, 42))
        _board(frame, canvas.person(rng, heat.body(warmth)), float(x), z, PERSON)
        places.append((float(x), z))
    return places

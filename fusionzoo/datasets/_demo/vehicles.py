"""Cars, buses and trucks: boxes whose faces carry drawn windows, lights and wheels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from fusionzoo.datasets._demo.canvas import Canvas
from fusionzoo.datasets._demo.frame import Frame
from fusionzoo.datasets._demo.heat import AIR, Engine, engine

CAR, TRUCK, BUS = 9, 10, 11
GLASS = (0.03, 0.035, 0.04)


@dataclass(frozen=True)
class Vehicle:
    """A box on the road.

    Attributes:
        label: CAR, TRUCK or BUS.
        x: Middle, metres right of the eye.
        z: Rear or front face nearest to the eye.
        width, height, length: Metres.
        towards: True if it faces the eye.
        paint: Reflectance of the body.
        warm: True if its engine has been running.
        engine: Temperatures.
    """

    label: int
    x: float
    z: float
    width: float
    height: float
    length: float
    towards: bool
    paint: tuple[float, ...]
    warm: bool
    engine: Engine

    def lights(self) -> list[tuple[float, float, float]]:
        """Positions of the two lamps on the face towards the eye."""
        up = self.height * 0.42 if self.label == CAR else 0.8
        return [(self.x + side * self.width * 0.36, up, self.z - 0.05) for side in (-1, 1)]


def make(rng: Generator, heat: Generator, label: int, x: float, z: float, towards: bool) -> Vehicle:
    """A vehicle of a kind, with its own size, paint and temperatures."""
    sizes = {CAR: (1.8, 1.47, 4.3), TRUCK: (2.4, 3.2, 7.0), BUS: (2.5, 3.1, 11.0)}
    width, height, length = (s * rng.uniform(0.94, 1.06) for s in sizes[label])
    base = rng.uniform(0.04, 0.75)
    tint = rng.uniform(0.15, 1.0, 3) if rng.random() < 0.6 else np.ones(3)
    paint = tuple(float(v) for v in np.clip(base * tint, 0.02, 0.8))
    warm = bool(rng.random() < 0.75)
    return Vehicle(label, x, z, width, height, length, towards, paint, warm, engine(heat, warm))


def _face(vehicle: Vehicle, night: bool, glass: float) -> Canvas:
    """Front or rear: body, window, lamps, plate and the shadow under the bumper."""
    heat = vehicle.engine
    face = Canvas.empty(vehicle.width, vehicle.height, AIR + heat.body, density=60)
    w, h = vehicle.width, vehicle.height
    if vehicle.label == CAR:
        left = [(0.24, 0), (0.16, 0.04), (0.04, 0.42), (0, 0.5), (0, 0.86)]
        outline = [*left, *((1 - x, y) for x, y in reversed(left))]
        body = [(x * w, y * h) for x, y in outline]
        window = [
            (0.12 * w, 0.4 * h),
            (0.21 * w, 0.08 * h),
            (0.79 * w, 0.08 * h),
            (0.88 * w, 0.4 * h),
        ]
    else:
        body = [(0, 0), (w, 0), (w, h * 0.9), (0, h * 0.9)]
        window = [
            (0.06 * w, 0.12 * h),
            (0.94 * w, 0.12 * h),
            (0.94 * w, 0.5 * h),
            (0.06 * w, 0.5 * h),
        ]
    grille_heat = AIR + (heat.grille if vehicle.towards else heat.body)
    face.paint(face.polygon(body), vehicle.paint, AIR + heat.body)
    face.paint(face.polygon(window), GLASS, AIR + glass)
    low = h * 0.6 if vehicle.label == CAR else h * 0.72
    grille = [
        (0.26 * w, low),
        (0.74 * w, low),
        (0.74 * w, low + 0.13 * h),
        (0.26 * w, low + 0.13 * h),
    ]
    face.paint(face.polygon(grille), (0.03, 0.03, 0.03), grille_heat)
    for side in (0.13, 0.87):
        wheel = face.polygon([((side - 0.09) * w, 0.8 * h), ((side + 0.09) * w, 0.8 * h),
                              ((side + 0.09) * w, h), ((side - 0.09) * w, h)])  # fmt: skip
        face.paint(wheel, (0.02, 0.02, 0.02), AIR + heat.wheels)
        lamp = face.oval((side * w, low - 0.03 * h), (0.1 * w, 0.045 * h))
        face.paint(
            lamp,
            (0.7, 0.7, 0.65) if vehicle.towards else (0.5, 0.02, 0.02),
            AIR + heat.body + 5 * (night and vehicle.warm),
        )
        if night and vehicle.warm:
            face.glow[lamp > 127] = (9.0, 8.4, 7.0) if vehicle.towards else (2.4, 0.08, 0.05)
    plate = [(0.38 * w, low + 0.15 * h), (0.62 * w, low + 0.15 * h), (0.62 * w, low + 0.21 * h),
             (0.38 * w, low + 0.21 * h)]  # fmt: skip
    face.paint(face.polygon(plate), (0.65, 0.65, 0.6), AIR + heat.body)
    if vehicle.warm and not vehicle.towards:
        face.paint(
            face.oval((0.25 * w, 0.9 * h), (0.04 * w, 0.03 * h)),
            (0.05, 0.05, 0.05),
            AIR + heat.exhaust,
        )
    return face


def _side(vehicle: Vehicle, night: bool, glass: float) -> Canvas:
    """Profile with windows and wheels; u runs away from the eye."""
    long, h, heat = vehicle.length, vehicle.height, vehicle.engine
    side = Canvas.empty(long, h, AIR + heat.body, density=40)
    if vehicle.label == CAR:
        body = [(0, 0.86 * h), (0, 0.42 * h), (0.04 * long, 0.04 * h), (0.1 * long, 0),
                (0.62 * long, 0), (0.8 * long, 0.4 * h), (long, 0.46 * h),
                (long, 0.86 * h)]  # fmt: skip
        panes = [[(0.05, 0.38), (0.09, 0.08), (0.34, 0.07), (0.34, 0.38)],
                 [(0.37, 0.38), (0.37, 0.07), (0.6, 0.07), (0.73, 0.38)]]  # fmt: skip
    else:
        body = [(0, 0.9 * h), (0, 0), (long, 0), (long, 0.9 * h)]
        count, share = (8, 1.0) if vehicle.label == BUS else (1, 0.2)
        spans = [((i + 0.12) / count * share, (i + 0.9) / count * share) for i in range(count)]
        panes = [[(x, 0.16), (y, 0.16), (y, 0.5), (x, 0.5)] for x, y in spans]
    side.paint(side.polygon(body), tuple(0.9 * v for v in vehicle.paint), AIR + heat.body)
    if vehicle.warm:
        start = 0.0 if vehicle.towards else 0.78
        bonnet = [(start * long, 0.45 * h), ((start + 0.22) * long, 0.45 * h),
                  ((start + 0.22) * long, 0.7 * h), (start * long, 0.7 * h)]  # fmt: skip
        side.heat[side.polygon(bonnet) > 127] = AIR + heat.bonnet
    for pane in panes:
        mask = side.polygon([(x * long, y * h) for x, y in pane])
        side.paint(mask, GLASS, AIR + glass)
        if night and vehicle.label == BUS:
            side.glow[mask > 127] = (0.5, 0.46, 0.36)
    radius = 0.23 * h if vehicle.label == CAR else 0.16 * h
    for at in (0.19, 0.8):
        wheel = side.oval((at * long, h - radius), (radius, radius))
        side.paint(wheel, (0.02, 0.02, 0.02), AIR + heat.wheels)
        hub = side.oval((at * long, h - radius), (radius * 0.55, radius * 0.55))
        side.paint(hub, (0.35, 0.35, 0.36), AIR + 1.2 * heat.wheels)
    return side


def draw(frame: Frame, vehicle: Vehicle, night: bool, glass: float) -> None:
    """Put the visible faces into the frame."""
    left, right = vehicle.x - vehicle.width / 2, vehicle.x + vehicle.width / 2
    h = vehicle.height
    face = _face(vehicle, night, glass).shader(vehicle.label)
    frame.rectangle((left, 0, vehicle.z), (vehicle.width, 0, 0), (0, h, 0), face)
    side = _side(vehicle, night, glass).shader(vehicle.label)
    edge = left + 0.02 if vehicle.x > 0 else right - 0.02
    frame.rectangle((edge, 0, vehicle.z), (0, 0, vehicle.length), (0, h, 0), side)

"""Flat drawings that stand in space: people, trees, signs, and the sides of vehicles."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fusionzoo.datasets._demo.frame import Floats, Shader, Surface
from fusionzoo.datasets._demo.heat import AIR, Body, Engine

Colour = tuple[float, ...]


@dataclass
class Canvas:
    """A drawing of `width` x `height` metres; row 0 is its top.

    Attributes:
        colour: (h, w, 3) reflectance.
        heat: (h, w) degrees Celsius.
        cover: (h, w) 0 or 1.
        glow: (h, w, 3) light of its own.
    """

    width: float
    height: float
    colour: Floats
    heat: Floats
    cover: Floats
    glow: Floats

    @classmethod
    def empty(cls, width: float, height: float, heat: float, density: float = 80) -> Canvas:
        """Nothing drawn yet; `density` pixels per metre."""
        size = max(8, round(height * density)), max(8, round(width * density))
        plane = np.zeros(size, np.float32)
        return cls(width, height, np.zeros((*size, 3), np.float32), np.full(size, heat, np.float32),
                   plane.copy(), np.zeros((*size, 3), np.float32))  # fmt: skip

    def paint(self, mask: NDArray[np.uint8], colour: Colour, heat: float) -> None:
        """Fill where a mask drawn by `line`, `oval` or `polygon` is set."""
        at = mask > 127
        self.colour[at], self.heat[at], self.cover[at] = colour, heat, 1

    def _points(self, points: object) -> NDArray[np.int32]:
        scale = np.array([self.cover.shape[1] / self.width, self.cover.shape[0] / self.height])
        return np.asarray(np.round(np.asarray(points, float) * scale), np.int32)

    def line(self, points: object, thickness: float) -> NDArray[np.uint8]:
        """Mask of a polyline with round joints; metres from the top left corner."""
        mask = np.zeros(self.cover.shape, np.uint8)
        pixels = max(1, round(thickness * self.cover.shape[1] / self.width))
        cv2.polylines(mask, [self._points(points)], False, 255, pixels, cv2.LINE_AA)
        return mask

    def oval(self, centre: object, radii: object) -> NDArray[np.uint8]:
        """Mask of an ellipse."""
        mask = np.zeros(self.cover.shape, np.uint8)
        middle, axes = self._points(centre), self._points(radii)
        cv2.ellipse(mask, middle.tolist(), axes.tolist(), 0, 0, 360, 255, -1, cv2.LINE_AA)
        return mask

    def polygon(self, points: object) -> NDArray[np.uint8]:
        """Mask of a polygon."""
        mask = np.zeros(self.cover.shape, np.uint8)
        cv2.fillPoly(mask, [self._points(points)], 255, cv2.LINE_AA)
        return mask

    def shader(self, label: int) -> Shader:
        """Sample the drawing; it is blurred first where many of its pixels fall on one."""
        levels = [(self.colour, self.heat, self.cover, self.glow)]
        while min(levels[-1][1].shape) > 8:
            size = (levels[-1][1].shape[1] // 2, levels[-1][1].shape[0] // 2)
            shrunk = [
                np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA), np.float32)
                for p in levels[-1]
            ]
            levels.append((shrunk[0], shrunk[1], shrunk[2], shrunk[3]))

        def sample(a: Floats, b: Floats, depth: Floats) -> Surface:
            density = self.cover.shape[0] / self.height * float(np.median(depth)) / 540
            level = int(np.clip(np.log2(max(density, 1)), 0, len(levels) - 1))
            colour, heat, cover, glow = levels[level]
            rows, columns = heat.shape
            row = ((1 - b / self.height) * rows).astype(int).clip(0, rows - 1)
            column = (a / self.width * columns).astype(int).clip(0, columns - 1)
            at = row, column
            share = np.maximum(cover[at], 1e-3)[:, None]
            shade = np.minimum(colour[at] / share, 1)
            return Surface(shade, heat[at], label, cover[at] > 0.5, glow[at])

        return sample


def person(rng: Generator, body: Body) -> Canvas:
    """A walking figure of 1.55 to 1.9 m, seen from the side or the front."""
    tall = rng.uniform(1.55, 1.9)
    figure = Canvas.empty(1.0, tall, AIR)
    coat, legs = rng.uniform(0.03, 0.6, 3), rng.uniform(0.02, 0.25, 3)
    skin = np.array([0.62, 0.42, 0.32]) * rng.uniform(0.45, 1.1)
    stride, swing, lean = rng.uniform(0.05, 0.28), rng.uniform(0.05, 0.3), rng.uniform(-0.03, 0.03)
    hip, shoulder, neck = 0.52 * tall, 0.19 * tall, 0.15 * tall
    for side in (-1, 1):
        knee = (0.5 + side * stride * 0.55, hip + 0.23 * tall)
        foot = (0.5 + side * stride, tall - 0.03)
        figure.paint(figure.line([(0.5, hip), knee, foot], 0.15), tuple(legs), body.legs)
        shoe = figure.line([foot, (foot[0] + 0.09, tall - 0.03)], 0.07)
        figure.paint(shoe, (0.03, 0.03, 0.03), body.shoes)
    torso = [(0.34, shoulder), (0.66, shoulder), (0.61, hip + 0.05), (0.39, hip + 0.05)]
    figure.paint(figure.polygon(np.array(torso) + np.array([lean, 0])), tuple(coat), body.coat)
    for side in (-1, 1):
        hand = (0.5 + side * (0.14 + swing * 0.6), hip + 0.02)
        elbow = (0.5 + side * 0.22, 0.36 * tall)
        arm = figure.line([(0.5 + side * 0.13, shoulder + 0.04), elbow, hand], 0.1)
        figure.paint(arm, tuple(coat * 0.85), body.coat - 1)
        figure.paint(figure.oval(hand, (0.045, 0.05)), tuple(skin), body.hands)
    figure.paint(figure.line([(0.5, neck - 0.02), (0.5, shoulder)], 0.1), tuple(skin), body.face)
    figure.paint(figure.oval((0.5 + lean, 0.08 * tall), (0.095, 0.125)), tuple(skin), body.face)
    hair = figure.oval((0.5 + lean, 0.055 * tall), (0.1, 0.09))
    figure.paint(hair, tuple(rng.uniform(0.01, 0.25, 3)), body.hair)
    folds = cv2.GaussianBlur(rng.normal(0, 1, figure.heat.shape).astype(np.float32), (0, 0), 3)
    figure.colour *= np.clip(1 + 1.6 * folds, 0.6, 1.4)[..., None]
    return figure


def tree(rng: Generator, tall: float, heat: float) -> Canvas:
    """A trunk under a crown of leaf clumps, lighter above and darker inside."""
    crown = Canvas.empty(tall * 0.8, tall, heat, density=44)
    middle = crown.width / 2
    bark = crown.line([(middle, tall), (middle + rng.normal(0, 0.1), tall * 0.4)], 0.22)
    crown.paint(bark, (0.11, 0.08, 0.06), heat + 1)
    height, width = crown.heat.shape
    noise = np.zeros((height, width), np.float32)
    for sigma, weight in ((2.0, 0.5), (5.0, 0.9), (12.0, 1.3)):
        layer = cv2.GaussianBlur(
            rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), sigma
        )
        noise += weight * layer / layer.std()
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    up, across = rows / height, columns / width - 0.5
    distance = (across / 0.42) ** 2 + ((up - 0.36) / 0.36) ** 2
    leaves = distance + 0.14 * noise < 0.95
    light = np.clip(0.75 - 0.7 * (up - 0.2) - 0.35 * across + 0.16 * noise, 0.2, 1.4)
    green = np.array([0.10, 0.21, 0.05]) * rng.uniform(0.7, 1.25) * [rng.uniform(0.8, 1.7), 1, 1]
    crown.colour[leaves] = (light[..., None] * green)[leaves]
    crown.heat[leaves] = (heat + 0.5 * noise)[leaves]
    crown.cover[leaves] = 1
    return crown


def sign(rng: Generator) -> Canvas:
    """A round, square or triangular traffic sign of 0.7 m."""
    board = Canvas.empty(0.7, 0.7, AIR)
    kind = int(rng.integers(3))
    if kind == 0:
        board.paint(board.oval((0.35, 0.35), (0.34, 0.34)), (0.55, 0.03, 0.03), AIR)
        board.paint(board.oval((0.35, 0.35), (0.25, 0.25)), (0.75, 0.75, 0.75), AIR)
        board.paint(board.line([(0.24, 0.35), (0.46, 0.35)], 0.08), (0.02, 0.02, 0.02), AIR)
    elif kind == 1:
        board.paint(board.polygon([(0, 0), (0.7, 0), (0.7, 0.7), (0, 0.7)]), (0.02, 0.1, 0.45), AIR)
        board.paint(board.line([(0.35, 0.58), (0.35, 0.2)], 0.09), (0.8, 0.8, 0.8), AIR)
        board.paint(board.polygon([(0.18, 0.3), (0.35, 0.1), (0.52, 0.3)]), (0.8, 0.8, 0.8), AIR)
    else:
        board.paint(
            board.polygon([(0.35, 0.02), (0.69, 0.62), (0.01, 0.62)]), (0.6, 0.04, 0.03), AIR
        )
        board.paint(
            board.polygon([(0.35, 0.18), (0.56, 0.54), (0.14, 0.54)]), (0.85, 0.8, 0.6), AIR
        )
    return board


def two_wheeler(rng: Generator, motor: bool, body: Body, engine: Engine) -> Canvas:
    """A bicycle or motorcycle from the side, with its rider."""
    machine = Canvas.empty(2.1, 1.75, AIR)
    frame, rider = tuple(rng.uniform(0.05, 0.6, 3)), rng.uniform(0.04, 0.5, 3)
    radius = 0.31 if motor else 0.34
    wheels = [(0.5, 1.75 - radius), (1.65, 1.75 - radius)]
    for wheel in wheels:
        rim = machine.oval(wheel, (radius, radius))
        hub = machine.oval(wheel, (radius * 0.72, radius * 0.72))
        machine.paint(rim - hub if not motor else rim, (0.02, 0.02, 0.02), AIR + engine.wheels)
    thickness = 0.2 if motor else 0.05
    bars = [wheels[0], (0.85, 1.0), (1.4, 1.0), wheels[1]]
    machine.paint(machine.line(bars, thickness), frame, AIR + engine.bonnet)
    if motor:
        machine.paint(
            machine.oval((1.05, 1.25), (0.28, 0.2)), (0.1, 0.1, 0.1), AIR + engine.exhaust
        )
    machine.paint(
        machine.line([(0.95, 0.95), (1.25, 1.2), (1.05, 1.5)], 0.14), tuple(rider * 0.5), body.legs
    )
    machine.paint(machine.line([(0.95, 0.92), (1.05, 0.42)], 0.3), tuple(rider), body.coat)
    machine.paint(
        machine.line([(1.05, 0.5), (1.3, 0.75), (1.5, 0.85)], 0.1),
        tuple(rider * 0.9),
        body.coat - 1,
    )
    head = machine.oval((1.08, 0.17), (0.12, 0.15))
    machine.paint(head, (0.5, 0.36, 0.3), body.face)
    machine.paint(machine.oval((1.07, 0.11), (0.13, 0.1)), frame, body.hair)
    return machine

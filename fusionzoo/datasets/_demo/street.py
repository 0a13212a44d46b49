"""Ground and buildings: materials evaluated at the points where rays meet them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fusionzoo.datasets._demo.frame import Floats, Shader, Surface
from fusionzoo.datasets._demo.heat import AIR, Climate

ROAD, SIDEWALK, BUILDING, VEGETATION = 1, 2, 3, 6
TILE = 256


def rgb(values: list[float]) -> Floats:
    """A linear colour."""
    return np.array(values, np.float32)


def noise_tile(rng: Generator) -> Floats:
    """(256, 256) periodic noise of four octaves, standard deviation 1."""
    tile = np.zeros((TILE, TILE), np.float32)
    for sigma, weight in ((0.8, 0.6), (3.0, 0.8), (9.0, 1.0), (20.0, 1.0)):
        raw = rng.normal(0, 1, (TILE, TILE)).astype(np.float32)
        wide = cv2.copyMakeBorder(raw, 64, 64, 64, 64, cv2.BORDER_WRAP)
        layer = cv2.GaussianBlur(wide, (0, 0), sigma)[64:-64, 64:-64]
        tile += weight * layer / layer.std()
    return np.asarray(tile / tile.std(), np.float32)


def _look_up(tile: Floats, a: Floats, b: Floats, per_metre: float) -> Floats:
    row = (b * per_metre).astype(np.int64) % TILE
    column = (a * per_metre).astype(np.int64) % TILE
    return tile[row, column]


def ground(
    tile: Floats, half_road: float, pavement: float, climate: Climate, centre_line: bool
) -> Shader:
    """The plane y = 0, from x = -60 at a = 0 and z = 0 at b = 0."""

    def sample(a: Floats, b: Floats, depth: Floats) -> Surface:
        x = a - 60
        fade = 1 / (1 + depth / 25)
        grain = _look_up(tile, a, b, 40) * 0.1 * fade + _look_up(tile, a, b, 3.1) * 0.11
        road = np.abs(x) < half_road
        walk = ~road & (np.abs(x) < half_road + pavement)
        kerb = walk & (np.abs(x) < half_road + 0.18)
        colour = np.empty((len(a), 3), np.float32)
        grass = rgb([0.11, 0.16, 0.055]) * (1 + 2.5 * grain[:, None])
        colour[:] = grass
        colour[road] = (rgb([0.105, 0.105, 0.11]) * (1 + 1.3 * grain[:, None]))[road]
        wear = np.exp(-(((np.abs(np.abs(x) - half_road / 2) - 0.8) / 0.35) ** 2))
        colour[road] *= (1 - 0.16 * wear[road])[:, None]
        slab = ((a / 0.6) % 1 < 0.035) | ((b / 0.6) % 1 < 0.035)
        stone = rgb([0.27, 0.26, 0.245]) * (1 + grain[:, None])
        colour[walk] = (stone * np.where(slab & (depth < 22), 0.7, 1)[:, None])[walk]
        colour[kerb] = rgb([0.36, 0.355, 0.34]) * (1 + grain[kerb, None])
        dashes = (np.abs(x) < 0.075) & ((b % 6 < 3) | ~np.bool_(centre_line))
        edges = np.abs(np.abs(x) - (half_road - 0.3)) < 0.06
        paint = road & (dashes | edges) & (grain > -0.19)
        colour[paint] = rgb([0.62, 0.62, 0.58])
        heat = np.where(road, climate.road, np.where(walk, climate.walk, climate.grass))
        heat = AIR + heat + 0.5 * grain
        label = np.where(road, ROAD, np.where(walk, SIDEWALK, VEGETATION))
        return Surface(colour.clip(0.01, 1), heat.astype(np.float32), label)

    return sample


def facade(
    rng: Generator,
    tile: Floats,
    width: float,
    height: float,
    night: bool,
    sun_heat: float,
    climate: Climate,
) -> Shader:
    """A wall with rows of windows over a ground floor, plastered or of brick."""
    base = np.float32(rng.uniform(0.16, 0.55) * rng.uniform([0.85, 0.7, 0.55], [1.1, 1.0, 0.95]))
    brick = rng.random() < 0.4
    pitch, storey = rng.uniform(2.2, 3.4), rng.uniform(2.9, 3.5)
    pane = rng.uniform(0.42, 0.62), rng.uniform(0.45, 0.6)
    lit: NDArray[np.bool_] = rng.random((64, 64)) < (0.3 if night else 0.02)
    warmth = rng.uniform(0.6, 1.3, (64, 64)).astype(np.float32)
    offset, seed = rng.uniform(0, 3), int(rng.integers(0, TILE))
    blind = rng.random((64, 64)) < 0.25
    wall_heat = AIR + climate.walls * (rng.uniform(1, 4) + sun_heat * rng.uniform(0.3, 1.2))

    def sample(a: Floats, b: Floats, depth: Floats) -> Surface:
        grain = _look_up(tile, a + seed, b, 9.0)
        stain = _look_up(tile, a * 0.3 + seed, b * 0.12, 9.0)
        colour = base * (1 + 0.07 * grain + 0.1 * stain)[:, None]
        if brick:
            row = np.floor(b / 0.12)
            joint = (b / 0.12 % 1 < 0.16) | ((a / 0.28 + 0.5 * (row % 2)) % 1 < 0.07)
            colour = colour * np.where(joint & (depth < 30), 1.25, 1)[:, None]
        column, level = (a + offset) / pitch, (b - 0.4) / storey
        i, j = column.astype(int) % 64, level.astype(int).clip(0, 63)
        u, v = column % 1 - 0.5, level % 1 - 0.5
        inside = (np.abs(u) < pane[0] / 2) & (np.abs(v) < pane[1] / 2) & (b > 0.5)
        frame = (np.abs(u) < pane[0] / 2 + 0.04) & (np.abs(v) < pane[1] / 2 + 0.035) & ~inside
        bar = inside & ((np.abs(u) < 0.012) | (np.abs(v - 0.1) < 0.012))
        inside &= (b < height - 0.7) & (a > 0.4) & (a < width - 0.4)
        colour[frame & (b < height - 0.7)] *= 1.35
        sky = rgb([0.16, 0.19, 0.23]) * (0.55 + 0.8 * (v + 0.5))[:, None]
        colour[inside] = np.where(blind[i, j][:, None], rgb([0.4, 0.39, 0.36]), sky)[inside]
        colour[bar] = 0.5
        ledge = (level % 1 < 0.05) & (b > 1)
        colour[ledge & ~inside] *= 0.82
        colour *= (0.62 + 0.38 * np.clip(b / 2.5, 0, 1))[:, None]
        glow = np.zeros_like(colour)
        on = inside & lit[i, j] & ~bar
        glow[on] = (rgb([1.0, 0.72, 0.38]) * warmth[i, j][:, None])[on]
        pane_heat = AIR + climate.walls * (2 + 4 * lit[i, j] * night)
        heat = np.where(inside, pane_heat, wall_heat + 0.35 * stain)
        return Surface(colour.clip(0.01, 1), heat.astype(np.float32), BUILDING, glow=glow)

    return sample

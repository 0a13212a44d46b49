"""Light and heat: from the buffers of a frame to what a camera and a thermal camera record."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from fusionzoo.datasets._demo.frame import Floats, Frame
from fusionzoo.datasets._demo.vehicles import Vehicle


def _rgb(values: list[float]) -> Floats:
    return np.array(values, np.float32)


@dataclass(frozen=True)
class Sources:
    """What lights a scene.

    Attributes:
        sun: Unit vector towards the sun, or None.
        sunlight, ambient: (3,) linear light.
        lamps: (x, y, z) of burning street lamps.
        headlights: (x, y, z) of lit headlights facing the eye.
        feet: (x, z, half width, half length, height) of everything that throws a shadow.
        airlight, density: Colour and extinction per metre of the fog.
        zenith, skyline: Sky colours.
        exposure: Gain of the camera; noise rises with it.
        clouds: Share of cloud.
    """

    sun: Floats | None
    sunlight: Floats
    ambient: Floats
    lamps: list[tuple[float, float, float]]
    headlights: list[tuple[float, float, float]]
    feet: list[tuple[float, float, float, float, float]]
    airlight: Floats
    density: float
    zenith: Floats
    skyline: Floats
    exposure: float
    clouds: float


def _array(values: object) -> Floats:
    return np.asarray(values, np.float32)


def sources(
    rng: Generator,
    condition: str,
    lamps: list[tuple[float, float, float]],
    cars: list[Vehicle],
    people: list[tuple[float, float]],
) -> Sources:
    """Light of day, night or fog for what stands in the street."""
    feet = [(c.x, c.z + c.length / 2, c.width / 2, c.length / 2, c.height) for c in cars]
    feet += [(x, z, 0.25, 0.2, 1.7) for x, z in people]
    beams = [p for c in cars if c.towards and c.warm for p in c.lights()]
    f = _array
    if condition == "night":
        return Sources(None, f([0, 0, 0]), f([0.010, 0.013, 0.022]), lamps, beams, feet,
                       f([0.01, 0.01, 0.015]), 0.002, f([0.004, 0.006, 0.014]),
                       f([0.022, 0.021, 0.024]), 2.6, 0.3)  # fmt: skip
    if condition == "fog":
        grey = float(rng.uniform(0.5, 0.75))
        return Sources(None, f([0, 0, 0]), f([0.62, 0.64, 0.67]), [], beams, feet,
                       grey * f([0.97, 0.99, 1.0]), float(rng.uniform(0.035, 0.075)),
                       grey * f([1, 1, 1]), grey * f([1, 1, 1]), 1.0, 1.0)  # fmt: skip
    angle, up = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 1.1)
    sun = f([np.cos(angle) * np.cos(up), np.sin(up), np.sin(angle) * np.cos(up)])
    return Sources(sun, f([1.5, 1.38, 1.18]), f([0.42, 0.47, 0.56]), [], [], feet,
                   f([0.72, 0.79, 0.88]), 0.0016, f([0.16, 0.33, 0.68]), f([0.62, 0.74, 0.86]),
                   0.95, float(rng.uniform(0.1, 0.8)))  # fmt: skip


def sky(rays: Floats, light: Sources, rng: Generator, wrap: bool = False) -> Floats:
    """(H, W, 3) gradient and clouds along the rays' elevation; `wrap` closes them to a circle."""
    up = (rays[..., 1] / np.linalg.norm(rays, axis=-1)).clip(0, 1)
    blend = (1 - np.exp(-4.5 * up))[..., None]
    sky = light.skyline * (1 - blend) + light.zenith * blend
    shape = (rays.shape[0] // 4, rays.shape[1] // 4)
    noise = np.zeros(shape, np.float32)
    for sigma in (3.0, 8.0, 20.0):
        raw = rng.normal(0, 1, shape).astype(np.float32)
        margin = min(128, shape[1]) if wrap else 0
        if wrap:
            raw = np.asarray(
                cv2.copyMakeBorder(raw, 0, 0, margin, margin, cv2.BORDER_WRAP), np.float32
            )
        layer = cv2.GaussianBlur(raw, (0, 0), sigmaX=sigma * 1.8, sigmaY=sigma * 0.7)
        layer = layer[:, margin : margin + shape[1]]
        noise += layer / layer.std() * sigma**0.4
    noise = cv2.resize(noise / noise.std(), rays.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    cloud = np.clip(0.55 * (noise + 2 * light.clouds - 1), 0, 1)[..., None]
    bright = (0.9 if light.sun is not None else 1.3) * light.skyline + 0.08 * (
        light.sun is not None
    )
    return np.asarray(sky * (1 - cloud) + bright * cloud, np.float32)


PER_METRE, HALF_WIDTH, FAR = 8, 20, 100
"""The map of shadows on the ground: pixels per metre, and how far it reaches."""


def _darken(plan: Floats, foot: object, shift: object, strength: float, margin: float) -> None:
    """Multiply a soft-edged dark patch of a foot's size into the map."""
    x, z, half_width, half_length = (float(v) for v in np.asarray(foot)[:4])
    dx, dz = (float(v) for v in np.asarray(shift))
    half = half_width + margin, half_length + margin
    centre = (x + dx + HALF_WIDTH) * PER_METRE, (z + dz) * PER_METRE
    spans = [(max(0, int(c - 2 * h * PER_METRE)), max(0, int(c + 2 * h * PER_METRE) + 1))
             for c, h in zip(centre, half, strict=True)]  # fmt: skip
    place = np.s_[spans[1][0] : spans[1][1], spans[0][0] : spans[0][1]]
    shape = plan[place].shape
    if 0 in shape:
        return
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    across = (columns + spans[0][0] - centre[0]) / (half[0] * PER_METRE)
    along = (rows + spans[1][0] - centre[1]) / (half[1] * PER_METRE)
    plan[place] *= 1 - strength / (1 + (across**4 + along**4) ** 2)


def _shadow(points: Floats, frame: Frame, light: Sources) -> tuple[Floats, Floats]:
    """(direct, ambient) light that reaches the ground, 0 to 1; elsewhere 1."""
    direct = np.ones((FAR * PER_METRE, 2 * HALF_WIDTH * PER_METRE), np.float32)
    ambient = np.ones_like(direct)
    for foot in light.feet:
        _darken(ambient, foot, (0, 0), 0.75, 0.2)
        if light.sun is not None:
            reach = -light.sun[[0, 2]] / light.sun[1] * foot[4]
            for part in np.linspace(0.1, 0.9, 6):
                _darken(direct, foot, part * reach, 0.9, 0.0)
    ground = np.isfinite(frame.depth) & (points[..., 1] < 0.05) & (frame.normal[..., 1] > 0.5)
    column = np.where(ground, (points[..., 0] + HALF_WIDTH) * PER_METRE, -9).astype(np.float32)
    row = np.where(ground, points[..., 2] * PER_METRE, -9).astype(np.float32)
    first, second = (
        np.asarray(
            cv2.remap(
                plan, column, row, cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT, borderValue=1.0,
            ),
            np.float32,
        )
        for plan in (direct, ambient)
    )  # fmt: skip
    return first, second


def radiance(frame: Frame, light: Sources, rng: Generator) -> Floats:
    """Linear light of every pixel in clear air."""
    with np.errstate(invalid="ignore"):
        points, up = frame.points(), frame.normal[..., 1]
        direct, ambient = _shadow(points, frame, light)
    hemisphere = (0.72 + 0.28 * up) * ambient
    total = light.ambient * hemisphere[..., None]
    if light.sun is not None:
        facing = np.abs(frame.normal @ light.sun)
        lit = np.where(frame.normal @ light.sun > 0, facing, 0.25 * facing) * direct
        total = total + light.sunlight * lit[..., None]
    if light.lamps or light.headlights:
        total = total + _lamplight(points, frame.normal, light)
    if light.lamps:
        # The headlights of the car that carries the camera.
        beam = np.exp(
            -((frame.rays[..., 0] / 0.45) ** 2) - ((frame.rays[..., 1] + 0.12) / 0.13) ** 2
        )
        own = 3.2 * beam / (1 + (np.minimum(frame.depth, 1e3) / 7) ** 2)
        total = total + (own * ambient)[..., None] * _rgb([1.0, 0.96, 0.88])
    shaded = frame.colour * total + frame.glow
    above = np.isinf(frame.depth)
    shaded[above] = sky(frame.rays, light, rng)[above]
    return np.asarray(shaded, np.float32)


def _lamplight(points: Floats, normal: Floats, light: Sources) -> Floats:
    """Light of all lamps; it varies slowly, so every other pixel is enough."""
    points, normal, size = points[::2, ::2], normal[::2, ::2], points.shape[1::-1]
    total = np.zeros_like(points)
    for lamp in light.lamps:
        total += _pool(points, normal, lamp, 3.0, 0)[..., None] * _rgb([1.0, 0.74, 0.42])
    for lamp in light.headlights:
        total += _pool(points, normal, lamp, 1.2, -1)[..., None] * _rgb([1.0, 0.95, 0.82])
    return np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _pool(points: Floats, normal: Floats, lamp: object, power: float, ahead: int) -> Floats:
    """Light of one lamp: inverse square, cosine, and downward or forward only."""
    with np.errstate(invalid="ignore", over="ignore"):
        away = np.asarray(lamp, np.float32) - points
        squared = (away * away).sum(-1)
        cosine = np.abs((away * normal).sum(-1)) / np.sqrt(squared)
        share = away[..., 1] > 0 if ahead == 0 else away[..., 2] * -ahead < 0
        pool = power * cosine * share / (squared + 0.8)
    return np.asarray(np.nan_to_num(pool, nan=0, posinf=0, neginf=0), np.float32)


def scatter(clear: Floats, depth: Floats, light: Sources) -> Floats:
    """Atmospheric scattering (Koschmieder): J e^(-k d) + A (1 - e^(-k d))."""
    distance = np.minimum(depth, 260 if light.density > 0.01 else 900)
    through = np.exp(-light.density * distance)[..., None]
    air = light.airlight
    sky = np.isinf(depth)[..., None] & (light.density < 0.01)
    return np.asarray(np.where(sky, clear, clear * through + air * (1 - through)), np.float32)


def expose(linear: Floats, light: Sources, rng: Generator, vignetting: float = 0.16) -> Floats:
    """Glare around bright lights, lens blur, tone curve, shot and read noise, 8-bit gamma."""
    bright = np.maximum(linear - 1.2, 0)
    small = cv2.resize(bright, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    glare = 0.35 * cv2.GaussianBlur(small, (0, 0), 2.2) + 0.18 * cv2.GaussianBlur(small, (0, 0), 11)
    exposed = linear + cv2.resize(glare, linear.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    exposed = cv2.GaussianBlur(exposed * light.exposure, (0, 0), 0.55)
    rows, columns = np.mgrid[-1 : 1 : linear.shape[0] * 1j, -1 : 1 : linear.shape[1] * 1j]
    exposed *= (1 - vignetting * (rows**2 + columns**2))[..., None]
    toned = 1 - np.exp(-1.35 * np.maximum(exposed, 0))
    grain = 0.006 + 0.02 * (light.exposure > 2)
    noisy = toned + rng.normal(0, 1, toned.shape) * grain * np.sqrt(toned + 0.02)
    return np.asarray(np.clip(noisy, 0, 1) ** (1 / 2.2), np.float32)

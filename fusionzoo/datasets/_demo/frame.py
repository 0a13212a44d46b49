"""A small deferred renderer: rays through pixels meet textured rectangles in space.

Units are metres; x points right, y up, z ahead; the eye stands at (0, 1.6, 0). Every surface leaves
colour, temperature, label and normal in the buffers of a `Frame`; light and heat come later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
EYE = np.array([0.0, 1.6, 0.0], np.float32)
NEAR = 0.4


@dataclass(frozen=True)
class Camera:
    """Rays of a pinhole picture, one per pixel; z of every ray is 1, so its length is depth.

    Attributes:
        height: Pixels.
        width: Pixels.
        focal: Focal length in pixels.
        horizon: Row of the horizon.
    """

    height: int = 480
    width: int = 640
    focal: float = 540.0
    horizon: float = 216.0

    def rays(self) -> Floats:
        """(H, W, 3) directions."""
        rows, columns = np.mgrid[: self.height, : self.width].astype(np.float32)
        across = (columns - (self.width - 1) / 2) / self.focal
        up = (self.horizon - rows) / self.focal
        return np.stack([across, up, np.ones_like(up)], -1)

    def bounds(self, corners: Floats) -> tuple[int, int, int, int]:
        """Rows and columns (top, bottom, left, right) that contain a rectangle's corners."""
        ahead = corners - EYE
        if (ahead[:, 2] <= NEAR).any():
            return (0, self.height, 0, self.width) if (ahead[:, 2] > NEAR).any() else (0, 0, 0, 0)
        columns = (self.width - 1) / 2 + self.focal * ahead[:, 0] / ahead[:, 2]
        rows = self.horizon - self.focal * ahead[:, 1] / ahead[:, 2]
        top, bottom = max(0, int(rows.min())), min(self.height, int(rows.max()) + 2)
        left, right = max(0, int(columns.min())), min(self.width, int(columns.max()) + 2)
        return top, bottom, left, right


class View(Protocol):
    """What a frame asks of a camera: its size, a ray per pixel, and where corners may be seen."""

    @property
    def height(self) -> int:
        """Pixels."""

    @property
    def width(self) -> int:
        """Pixels."""

    def rays(self) -> Floats:
        """(H, W, 3) directions."""

    def bounds(self, corners: Floats) -> tuple[int, int, int, int]:
        """Rows and columns (top, bottom, left, right) that contain a rectangle's corners."""


@dataclass(frozen=True)
class Surface:
    """What a rectangle shows at the n points where rays meet it.

    Attributes:
        colour: (n, 3) linear reflectance.
        heat: (n,) temperature in degrees Celsius.
        solid: (n,) bool; rays pass where it is False.
        glow: (n, 3) light it sends out itself.
        label: One id, or (n,).
    """

    colour: Floats
    heat: Floats
    label: int | NDArray[np.int64]
    solid: NDArray[np.bool_] | None = None
    glow: Floats | None = None


Shader = Callable[[Floats, Floats, Floats], Surface]
"""(metres along u, metres along v, depth) -> surface."""


class Frame:
    """The buffers of one picture; nearer surfaces win."""

    def __init__(self, camera: View) -> None:
        """Empty: nothing is nearer than infinity."""
        self.camera = camera
        self.rays = camera.rays()
        shape = (camera.height, camera.width)
        self.depth = np.full(shape, np.inf, np.float32)
        self.colour = np.zeros((*shape, 3), np.float32)
        self.glow = np.zeros((*shape, 3), np.float32)
        self.normal = np.zeros((*shape, 3), np.float32)
        self.heat = np.zeros(shape, np.float32)
        self.label = np.zeros(shape, np.int64)

    def rectangle(self, origin: object, u: object, v: object, shader: Shader) -> None:
        """Put origin + a u + b v, 0 <= a, b <= 1, into the picture."""
        origin, u, v = (np.asarray(value, np.float32) for value in (origin, u, v))
        corners = np.stack([origin, origin + u, origin + v, origin + u + v])
        top, bottom, left, right = self.camera.bounds(corners)
        if top >= bottom or left >= right:
            return
        normal = np.cross(u, v)
        normal /= np.linalg.norm(normal)
        rays = self.rays[top:bottom, left:right]
        facing = rays @ normal
        distance = float((origin - EYE) @ normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = distance / facing
        place = np.s_[top:bottom, left:right]
        seen = (depth > NEAR) & (depth < self.depth[place]) & (depth < 1e4)
        rows, columns = np.nonzero(seen)
        if len(rows) == 0:
            return
        depth = depth[rows, columns]
        along = EYE + depth[:, None] * rays[rows, columns] - origin
        lengths = float(np.linalg.norm(u)), float(np.linalg.norm(v))
        a, b = along @ u / lengths[0], along @ v / lengths[1]
        inside = (a >= 0) & (a <= lengths[0]) & (b >= 0) & (b <= lengths[1])
        if not inside.any():
            return
        rows, columns, depth = rows[inside] + top, columns[inside] + left, depth[inside]
        self._fill(rows, columns, depth, shader(a[inside], b[inside], depth), normal, distance)

    def _fill(
        self,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        depth: Floats,
        surface: Surface,
        normal: Floats,
        distance: float,
    ) -> None:
        solid = slice(None) if surface.solid is None else surface.solid
        at = rows[solid], columns[solid]
        self.depth[at] = depth[solid]
        self.colour[at] = surface.colour[solid]
        self.heat[at] = surface.heat[solid]
        self.glow[at] = 0 if surface.glow is None else surface.glow[solid]
        label = surface.label
        self.label[at] = label if isinstance(label, int) else label[solid]
        self.normal[at] = normal if distance < 0 else -normal

    def points(self) -> Floats:
        """(H, W, 3) where each ray ends; infinitely far for the sky."""
        return EYE + self.depth[..., None] * self.rays

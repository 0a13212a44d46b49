"""A street seen all around: two scenes back to back, on the cylinder of an equirectangular picture.

Columns are azimuth, the middle one looks ahead; rows are elevation. 400x2048 pixels show 360 by 70
degrees, as DensePASS does. Both halves share the street's width, the hour, the weather and the sun.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fusionzoo.datasets._demo import light
from fusionzoo.datasets._demo.frame import EYE, NEAR, Floats, Frame
from fusionzoo.datasets._demo.heat import Condition
from fusionzoo.datasets._demo.scene import CONDITIONS, build

SEED = 20_261
HEIGHT, WIDTH = 400, 2048
SPAN = float(np.radians(70))


@dataclass(frozen=True)
class HalfCircle:
    """Rays of the 180 degrees ahead; their length is 1, so depth is distance.

    Attributes:
        height: Pixels for 70 degrees of elevation.
        width: Pixels for 180 degrees of azimuth.
        tilt: Elevation of the middle row, radians.
    """

    height: int = HEIGHT
    width: int = WIDTH // 2
    tilt: float = 0.0

    def rays(self) -> Floats:
        """(H, W, 3) directions."""
        azimuth = ((np.arange(self.width) + 0.5) / self.width - 0.5) * np.pi
        up = self.tilt + (0.5 - (np.arange(self.height) + 0.5) / self.height) * SPAN
        around = np.stack([np.sin(azimuth), np.cos(azimuth)])
        level = np.cos(up)[:, None]
        across, ahead = around[0] * level, around[1] * level
        rise = np.broadcast_to(np.sin(up)[:, None], across.shape)
        return np.stack([across, rise, ahead], -1).astype(np.float32)

    def bounds(self, corners: Floats) -> tuple[int, int, int, int]:
        """All rows, and the columns between the corners' azimuths.

        A straight edge is bent here, so its highest point need not be a corner.
        """
        away = corners - EYE
        if (away[:, 2] <= NEAR).any():
            return (0, self.height, 0, self.width) if (away[:, 2] > NEAR).any() else (0, 0, 0, 0)
        azimuth = np.arctan2(away[:, 0], away[:, 2])
        columns = (azimuth / np.pi + 0.5) * self.width
        left, right = int(columns.min()), min(self.width, int(columns.max()) + 2)
        return 0, self.height, max(0, left), right


def _turned(ahead: NDArray[np.generic], behind: NDArray[np.generic]) -> NDArray[np.generic]:
    """Two half circles (H, W / 2, ...) to one picture with the front in the middle."""
    quarter = ahead.shape[1] // 2
    return np.concatenate([behind[:, quarter:], ahead, behind[:, :quarter]], 1)


@dataclass(frozen=True)
class Panorama:
    """A panorama is a function of (split, index) alone.

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
    def _halves(self) -> tuple[tuple[Frame, light.Sources], tuple[Frame, light.Sources]]:
        rng = self._rng(0)
        profile = rng.uniform(3.4, 5.5), rng.uniform(2.0, 3.5)
        view = HalfCircle(tilt=float(rng.uniform(-0.12, 0.12)))
        ahead, lit, _ = build(self._rng(1), self.condition, view, profile)
        behind, other, _ = build(self._rng(2), self.condition, view, profile)
        sun = None if lit.sun is None else lit.sun * np.array([-1, 1, -1], np.float32)
        same = replace(lit, sun=sun, lamps=other.lamps, headlights=other.headlights,
                       feet=other.feet)  # fmt: skip
        return (ahead, lit), (behind, same)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(400, 2048) ids of FMB's classes."""
        (ahead, _), (behind, _) = self._halves
        return np.asarray(_turned(ahead.label, behind.label), np.int64)

    @property
    def depth(self) -> Floats:
        """(400, 2048) metres along the ray; infinite for the sky."""
        (ahead, _), (behind, _) = self._halves
        return np.asarray(_turned(ahead.depth, behind.depth), np.float32)

    def visible(self) -> Floats:
        """(400, 2048, 3) picture of a colour camera in [0, 1]."""
        (ahead, lit), (behind, same) = self._halves
        shaded = [
            light.radiance(ahead, lit, self._rng(3)),
            light.radiance(behind, same, self._rng(4)),
        ]
        clear = np.asarray(_turned(*shaded), np.float32)
        depth = self.depth
        # One sky for both halves, closed to a circle: each half has drawn its own.
        rays = np.asarray(_turned(ahead.rays, behind.rays), np.float32)
        above = np.isinf(depth)
        clear[above] = light.sky(rays, lit, self._rng(5), wrap=True)[above]
        hazy = light.scatter(clear, depth, lit)
        return light.expose(hazy, lit, self._rng(6), vignetting=0.0)

"""One picture as metrics see it, with the single memo through which all metrics share work."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusionzoo import image
from fusionzoo.core import MetricError

T = TypeVar("T")


class Plane:
    """An 8-bit picture, and everything that has been computed from it so far.

    A benchmark keeps the planes of a pair while it scores many methods on it, so what belongs to
    the sources alone is computed once per pair. What belongs to a pair of planes is kept by the
    plane it was asked from, and is gone with it.

    Args:
        levels: (H, W) or (H, W, 3) RGB, uint8.

    Raises:
        MetricError: Another shape or dtype, or no pixel.
    """

    def __init__(self, levels: NDArray[np.uint8]) -> None:
        """Wrap a picture; nothing is computed yet."""
        shape: tuple[int, ...] = tuple(getattr(levels, "shape", ()))
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
            raise MetricError(f"expected a picture (H, W) or (H, W, 3), found shape {shape}")
        if 0 in shape:
            raise MetricError(f"the picture has no pixels (shape {shape})")
        if levels.dtype != np.uint8:
            raise MetricError(f"expected 8-bit levels (uint8), found {levels.dtype}")
        self.picture = levels
        self._known: dict[tuple[object, ...], Any] = {}

    @cached_property
    def levels(self) -> NDArray[np.uint8]:
        """Grey levels (H, W): ITU-R BT.601 luma rounded to 8 bit, grey pictures as they are."""
        return np.ascontiguousarray(image.grey(self.picture))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.picture.shape[:2]
        return height, width

    @cached_property
    def channels(self) -> tuple[Plane, ...]:
        """One plane per colour channel; a grey picture is its own only channel."""
        if self.picture.ndim == 2:
            return (self,)
        return tuple(Plane(np.ascontiguousarray(self.picture[..., i])) for i in range(3))

    @cached_property
    def joined(self) -> Plane:
        """The channels side by side as one grey picture (H, 3W); a grey one as it is."""
        if self.picture.ndim == 2:
            return self
        return Plane(np.concatenate([self.picture[..., i] for i in range(3)], 1))

    def once(self, compute: Callable[..., T], *arguments: Hashable) -> T:
        """`compute(self, *arguments)`, computed the first time it is asked for."""
        # The planes themselves are the key, so that none is freed and its place taken by another.
        key = (compute, *arguments)
        if key not in self._known:
            self._known[key] = compute(self, *arguments)
        return self._known[key]  # type: ignore[no-any-return]

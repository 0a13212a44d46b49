"""Laplacian pyramids: the stronger detail at each scale, the mean of what remains.

Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", IEEE Trans. Communications 1983;
the choice of the larger absolute coefficient follows Burt and Kolczynski, ICCV 1993.

Detail at scale k is g_k - expand(g_{k+1}), with g_0 the picture and g_{k+1} = reduce(g_k); reduce
and expand are OpenCV's 5-tap pyrDown and pyrUp. Of two equal magnitudes the second
picture's (the infrared one's) counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusionzoo.core import Method
from fusionzoo.methods._baseline import on_any_pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Plane = NDArray[np.float32]

LEVELS = 5
"""Pictures in the pyramid: four of detail and the coarsest."""
SMALLEST_SIDE = 8
"""No level below this: its 5-tap window would see little but the border."""


def _pyramid(plane: Any) -> tuple[list[Plane], Plane]:
    """Detail from fine to coarse, and the coarsest picture."""
    import cv2

    details: list[Any] = []
    while len(details) < LEVELS - 1 and min(plane.shape) >= SMALLEST_SIDE:
        smaller = cv2.pyrDown(plane)
        details.append(plane - cv2.pyrUp(smaller, dstsize=plane.shape[::-1]))
        plane = smaller
    return details, plane


def _fuse(first: Plane, second: Plane) -> Plane:
    import cv2
    import numpy as np

    first_details, first_rest = _pyramid(first)
    second_details, second_rest = _pyramid(second)
    fused: Any = (first_rest + second_rest) / 2
    for ours, theirs in zip(first_details[::-1], second_details[::-1], strict=True):
        detail = np.where(np.abs(theirs) >= np.abs(ours), theirs, ours)
        fused = cv2.pyrUp(fused, dstsize=detail.shape[::-1]) + detail
    return fused  # type: ignore[no-any-return]


def laplacian(first: Tensor, second: Tensor) -> Tensor:
    """Fuse planes (B, 1, H, W) in [0, 1] of any size; the result may leave [0, 1] a little."""
    from fusionzoo.layers.arrays import on_arrays

    return on_arrays(_fuse, first, second)


ENTRY = on_any_pair(
    Method(
        network=lambda: laplacian,
        inputs=("visible", "infrared"),
        luma="levels",
        halo=None,
        paper="Burt and Adelson, IEEE Trans. Communications 1983; Burt and Kolczynski, ICCV 1993",
    )
)

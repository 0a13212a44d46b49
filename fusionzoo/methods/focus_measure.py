"""Focus measure: each pixel from the picture whose modified Laplacian is the stronger there.

The measure is the sum-modified Laplacian of Nayar and Nakagawa, "Shape from Focus", IEEE TPAMI
1994 (their eq. 8 and 9), of grey:

    ML(x, y) = |2 I(x, y) - I(x - 1, y) - I(x + 1, y)| + |2 I(x, y) - I(x, y - 1) - I(x, y + 1)|,

summed over a 9 x 9 window. The map of the winners is cleaned of specks (those smaller than
0.25 % of the picture change sides) and then follows the edges of the mean picture by a guided
filter (Li, Kang and Hu, IEEE TIP 2013, do so for their weights); it blends the colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusionzoo.core import Method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Plane = NDArray[np.float32]

WINDOW = 9
SPECK = 0.0025
RADIUS, EPSILON = 4, 1e-3


def sum_modified_laplacian(plane: Any) -> Any:
    """The measure of a (H, W) float32 plane, divided by the size of the window."""
    import cv2
    import numpy as np

    kernel = np.array([[-1, 2, -1]], np.float32)
    across = cv2.filter2D(plane, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
    down = cv2.filter2D(plane, cv2.CV_32F, kernel.T, borderType=cv2.BORDER_REPLICATE)
    return cv2.blur(abs(across) + abs(down), (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)


def without_specks(winners: Any, smallest: float) -> Any:
    """(H, W) bool; connected parts of either side below `smallest` pixels change sides."""
    import cv2

    cleaned = winners.astype("uint8")
    for side in (1, 0):
        mask = (cleaned == side).astype("uint8")
        _, parts, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        small = facts[:, cv2.CC_STAT_AREA] < smallest
        small[0] = False  # part 0 is everything outside the mask
        cleaned[small[parts]] = 1 - side
    return cleaned.astype(bool)


def decision_map(near: Plane, far: Plane) -> Plane:
    """Share (H, W) in [0, 1] of the near-focused picture, from two grey planes in [0, 1]."""
    import numpy as np

    from fusionzoo.layers.guided import guided_filter

    winners = sum_modified_laplacian(near) >= sum_modified_laplacian(far)
    cleaned = without_specks(winners, SPECK * near.size)
    guide = ((near + far) / 2).astype(np.float32)
    share = guided_filter(cleaned.astype(np.float32), guide, RADIUS, EPSILON)
    return share.clip(0, 1)


def fuse(near: Tensor, far: Tensor) -> Tensor:
    """Fuse (B, 3, H, W) pictures in [0, 1]."""
    from fusionzoo.layers.arrays import on_arrays

    share = on_arrays(decision_map, near.mean(1, keepdim=True), far.mean(1, keepdim=True))
    return share * near + (1 - share) * far


ENTRY = Method(
    network=lambda: fuse,
    inputs=("near", "far"),
    colour="rgb",
    halo=None,
    paper="Nayar and Nakagawa, Shape from Focus, IEEE TPAMI 1994",
)

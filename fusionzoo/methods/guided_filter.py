"""Guided filtering of weight maps, apart for base and detail.

Li, Kang and Hu, "Image Fusion with Guided Filtering", IEEE Trans. Image Processing 2013.

1. Base B_n = mean filter of source I_n (31x31), detail D_n = I_n - B_n (their eq. 6, 7).
2. Saliency S_n = Gaussian (11x11, sigma 5) of |Laplacian (3x3) of I_n| (eq. 8, 9).
3. Winner map P_n = 1 where S_n is the largest, else 0 (eq. 10).
4. W_n^B = G(P_n; I_n, r = 45, eps = 0.3), W_n^D = G(P_n; I_n, r = 7, eps = 1e-6) (eq. 11, 12),
   each pair normalised to sum 1.
5. Fused = sum W_n^B B_n + sum W_n^D D_n (eq. 13 to 15).

G is the guided filter (`fusionzoo.layers.guided`).
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

BASE_WINDOW = 31
SALIENCY_WINDOW, SALIENCY_SIGMA = 11, 5.0
BASE_RADIUS, BASE_EPSILON = 45, 0.3
DETAIL_RADIUS, DETAIL_EPSILON = 7, 1e-6


def _saliency(plane: Plane) -> Any:
    import cv2

    window = (SALIENCY_WINDOW, SALIENCY_WINDOW)
    edges = abs(cv2.Laplacian(plane, cv2.CV_32F, ksize=1, borderType=cv2.BORDER_REFLECT))
    return cv2.GaussianBlur(edges, window, SALIENCY_SIGMA)


def _fuse(one: Plane, other: Plane) -> Plane:
    from fusionzoo.layers.guided import box_mean, guided_filter

    one_wins = (_saliency(one) >= _saliency(other)).astype("float32")
    fused: Any = 0.0
    bases = [box_mean(plane, BASE_WINDOW // 2) for plane in (one, other)]
    details = [one - bases[0], other - bases[1]]
    for layers, radius, epsilon in (
        (bases, BASE_RADIUS, BASE_EPSILON),
        (details, DETAIL_RADIUS, DETAIL_EPSILON),
    ):
        first = guided_filter(one_wins, one, radius, epsilon).clip(0, 1)
        second = guided_filter(1 - one_wins, other, radius, epsilon).clip(0, 1)
        total = first + second + 1e-12
        fused = fused + (first * layers[0] + second * layers[1]) / total
    return fused  # type: ignore[no-any-return]


def fuse(first: Tensor, second: Tensor) -> Tensor:
    """Fuse planes (B, 1, H, W) in [0, 1] of any size; the result may leave [0, 1] a little."""
    from fusionzoo.layers.arrays import on_arrays

    return on_arrays(_fuse, first, second)


ENTRY = on_any_pair(
    Method(
        network=lambda: fuse,
        inputs=("visible", "infrared"),
        luma="levels",
        halo=None,
        paper="Li, Kang and Hu, IEEE Trans. Image Processing 2013, doi 10.1109/TIP.2013.2244222",
    )
)

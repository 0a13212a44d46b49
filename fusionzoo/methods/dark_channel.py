"""Dark channel prior: haze estimated from the darkest values around each pixel, and taken away.

He, Sun and Tang, "Single Image Haze Removal Using Dark Channel Prior", IEEE TPAMI 2011.

1. Dark channel D(x) = smallest value of the three channels in a 15x15 window (their eq. 5).
2. Airlight A = mean colour of the 0.1 % of pixels with the largest D (section 4.3, where the
   brightest of them is taken; the mean is steadier against lamps).
3. Transmission t = 1 - 0.95 D(I / A) (eq. 12), refined by a guided filter of the grey picture
   (radius 40, eps 1e-3), as the authors' later paper does in place of matting (ECCV 2010).
4. J = (I - A) / max(t, 0.1) + A (eq. 16).

A baseline that needs no training: whoever restores less well than this has not learnt much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float32]

PATCH = 15
BRIGHT_SHARE = 0.001
KEPT_HAZE = 0.95
LEAST_TRANSMISSION = 0.1
RADIUS, EPSILON = 40, 1e-3


def dark_channel(picture: Floats) -> Floats:
    """Smallest value in channel and window: (H, W, 3) to (H, W)."""
    import cv2
    import numpy as np

    smallest = np.ascontiguousarray(picture.min(-1))
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (PATCH, PATCH))
    return np.asarray(cv2.erode(smallest, window), np.float32)


def airlight(picture: Floats, dark: Floats) -> Floats:
    """Colour (3,) of the haze."""
    import numpy as np

    count = max(1, int(BRIGHT_SHARE * dark.size))
    haziest = np.argpartition(dark.ravel(), -count)[-count:]
    return np.asarray(picture.reshape(-1, 3)[haziest].mean(0).clip(0.05), np.float32)


def _restore(picture: Floats) -> Floats:
    import numpy as np

    from fusionzoo.layers.guided import guided_filter

    air = airlight(picture, dark_channel(picture))
    rough = 1 - KEPT_HAZE * dark_channel(picture / air)
    grey = np.ascontiguousarray(picture.mean(-1))
    through = guided_filter(rough, grey, RADIUS, EPSILON).clip(LEAST_TRANSMISSION, 1)
    return np.asarray((picture - air) / through[..., None] + air, np.float32)


def restore(hazy: Tensor) -> Tensor:
    """Remove haze from (B, 3, H, W) in [0, 1] of any size; the result may leave [0, 1]."""
    import numpy as np
    import torch

    pictures = hazy.float().cpu().permute(0, 2, 3, 1).contiguous().numpy()
    restored = np.stack([_restore(picture) for picture in pictures])
    return torch.from_numpy(restored).permute(0, 3, 1, 2).to(hazy.device)


ENTRY = Method(
    network=lambda: restore,
    inputs=("visible",),
    task="restore",
    colour="rgb",
    halo=None,
    paper="He, Sun and Tang, IEEE TPAMI 2011, doi 10.1109/TPAMI.2010.168",
)

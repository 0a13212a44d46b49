"""Exposure fusion: pyramids blended by contrast, saturation and how well a pixel is exposed.

Mertens, Kautz and Van Reeth, "Exposure Fusion", Pacific Graphics 2007; OpenCV's MergeMertens.

Weights W = C S E per pixel and picture, normalised to sum 1: contrast C = |Laplacian of grey|,
saturation S = standard deviation over R, G, B, well-exposedness E = prod over channels of
exp(-(x - 0.5)^2 / (2 * 0.2^2)) (their section 3.1). The Laplacian pyramids of the pictures are
added under the Gaussian pyramids of the weights (section 3.2). Grey pictures have no S.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method

if TYPE_CHECKING:
    from torch import Tensor


def fuse(under: Tensor, over: Tensor) -> Tensor:
    """Fuse (B, 3, H, W) pictures in [0, 1]; the result may leave [0, 1] a little."""
    import cv2
    import numpy as np
    import torch

    from fusionzoo import image

    merge = cv2.createMergeMertens()
    fused = []
    for pair in zip(under, over, strict=True):
        # A grey picture repeated in three channels would get the weight 0 everywhere, for its S.
        grey = all(bool((picture == picture[:1]).all()) for picture in pair)
        levels = [image.to_levels(picture[:1] if grey else picture) for picture in pair]
        merged = np.atleast_3d(np.asarray(merge.process(levels), np.float32))
        fused.append(torch.from_numpy(merged.transpose(2, 0, 1).copy()).expand(3, -1, -1))
    return torch.stack(fused).to(under.device)


ENTRY = Method(
    network=lambda: fuse,
    inputs=("under", "over"),
    colour="rgb",
    halo=None,
    paper="Mertens, Kautz and Van Reeth, Exposure Fusion, Pacific Graphics 2007",
)

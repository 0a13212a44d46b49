"""Contrast stretching: the picture's own range becomes 0 to 1, all channels alike.

The oldest answer to haze (Gonzalez and Woods, Digital Image Processing, section 3.2), here between
the quantiles 0.002 and 0.998 of all values. It inverts haze that is equally dense everywhere and
grey, and says nothing of depth; `mitnet@zoo` starts from it, so tables must show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method

if TYPE_CHECKING:
    from torch import Tensor


def restore(hazy: Tensor) -> Tensor:
    """Stretch pictures (B, 3, H, W) in [0, 1]; the result leaves [0, 1] a little."""
    import torch

    from fusionzoo.layers.stretch import QUANTILES, stretch

    return stretch(hazy, torch.tensor(QUANTILES, device=hazy.device))


ENTRY = Method(
    network=lambda: restore,
    inputs=("visible",),
    task="restore",
    colour="rgb",
    halo=None,
    paper="Gonzalez and Woods, Digital Image Processing, section 3.2",
)

"""A composite: infrared in the red channel, visible luminance in green and blue.

Nothing of either luminance is lost, only the visible picture's own colours: what grey-level fusion
must trade, a composite keeps apart. People see heat as red on cyan; a network sees both pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method

if TYPE_CHECKING:
    from torch import Tensor


def composite(visible: Tensor, infrared: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) in [0, 1], the infrared one grey; the composite (B, 3, H, W)."""
    import torch

    from fusionzoo import colour

    luminance = colour.grey_plane(visible)
    return torch.cat([infrared[:, :1], luminance, luminance], 1)


ENTRY = Method(
    network=lambda: composite,
    inputs=("visible", "infrared"),
    colour="rgb",
    paper="Baseline without a paper: red-cyan composites are as old as night-vision displays",
)

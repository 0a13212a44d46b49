"""SAGE's teacher as a method of its own: it finds its masks itself, so a pair is enough.

At training time masks are found in the colour picture; here only luminance arrives, and the regions
differ a little where colours do and brightness does not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fusionzoo import image
from fusionzoo.methods.sage import masks
from fusionzoo.methods.sage.teacher import Teacher


class MaskedTeacher(Teacher):
    """The teacher with felzenszwalb's masks; its parameters are the teacher's."""

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:  # type: ignore[override]
        """Fused luminance (B, 1, H, W) of planes (B, 1, H, W) in [0, 1]."""
        pairs = zip(visible, infrared, strict=True)
        found = masks.unpack(torch.stack([_bits(*pair) for pair in pairs]))
        ready = (planes.to(visible.device, visible.dtype) for planes in found)
        return self.teach(visible, infrared, *ready).fused


def _bits(visible: Tensor, infrared: Tensor) -> Tensor:
    """Packed masks (1, H, W) of two planes (1, H, W)."""
    provider = masks.Felzenszwalb()
    levels = [image.to_levels(plane.float().cpu()) for plane in (visible, infrared)]
    return masks.pack(*(provider.find("", "", array) for array in levels))

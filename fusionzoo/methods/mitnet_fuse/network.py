"""MITNet's two stages on the visible luminance and the infrared plane."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fusionzoo.methods.mitnet.network import ZOO_WIDTH, TwoStage, reflect


class FrequencyFusion(TwoStage):
    """Sees two planes and corrects the visible one."""

    def __init__(self, width: int = ZOO_WIDTH) -> None:
        """`width`: channels of the finest level."""
        super().__init__(width, inputs=2, outputs=1)

    def adapt(self, tensors: Mapping[str, Tensor]) -> None:
        """Become the size that a state dict was made for."""
        FrequencyFusion.__init__(self, tensors["amplitude_head.weight"].shape[0])

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        """Fuse planes (B, 1, H, W) in [0, 1] of any size; the result may leave [0, 1] a little."""
        height, width = visible.shape[-2:]
        both = reflect(torch.cat([visible, infrared], 1))
        return self.stages(both, both[:, :1]).second[..., :height, :width]

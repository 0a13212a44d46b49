"""The network as `fusionzoo.load` runs it: one task, planes in, a plane out, and the dial."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fusionzoo import tiling
from fusionzoo.methods.tc_moa import keys
from fusionzoo.methods.tc_moa.adapters import Dial
from fusionzoo.methods.tc_moa.configuration import SIZES, TASKS, SourceTask
from fusionzoo.methods.tc_moa.network import Network


class Fuser(nn.Module):
    """A network bound to the task of an entry."""

    def __init__(self, task: SourceTask) -> None:
        """The tiny size, until `adapt` is shown parameters of another one."""
        super().__init__()
        self.task = task
        self.network = Network("tiny", "zoo")

    def adapt(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the size that parameters were made for.

        `base` and `large` run with the switches of the released code.

        Raises:
            KeyError: They are not a network's.
        """
        width = len(tensors["network.patch_embed.weight"])
        name = next((name for name, size in SIZES.items() if size.width == width), "tiny")
        if self.network.size != SIZES[name]:
            self.network = Network(name, "official")

    def forward(
        self, x: Tensor, y: Tensor, alpha: float = 1.0, beta: float = 0.0, **routers: float
    ) -> Tensor:
        """Fuse two pictures; those of a batch one by one, so that a batch changes no last digit.

        Args:
            x: Visible, over-exposed or far-focused (B, 1 or 3, H, W) in [0, 1].
            y: Infrared, under-exposed or near-focused, of the same shape.
            alpha: See `Dial`.
            beta: See `Dial`.
            **routers: Shares of tasks by name; given any, they replace the entry's own task.

        Returns:
            (B, 1 or 3, H, W), about [0, 1].
        """
        shares: Mapping[str, float] = routers or {self.task: 1.0}
        dial = Dial(alpha, beta)
        pairs = zip(torch.split(x, 1), torch.split(y, 1), strict=True)
        return torch.cat([self._fused(*pair, shares, dial) for pair in pairs])

    def _fused(self, x: Tensor, y: Tensor, shares: Mapping[str, float], dial: Dial) -> Tensor:
        height, width = x.shape[-2:]
        pictures = [
            tiling.pad(picture, self.network.size.multiple, 1).expand(-1, 3, -1, -1)
            for picture in (x, y)
        ]
        fused: Tensor = self.network(*pictures, shares, dial).picture
        fused = fused[..., :height, :width]
        return fused if x.shape[1] == 3 else fused.mean(1, keepdim=True)


def fuser(task: SourceTask) -> Fuser:
    """For a task, with random values; `fusionzoo.load` fills in trained ones."""
    if task not in TASKS:
        raise ValueError(f"task {task}: expected {', '.join(TASKS)}")
    return Fuser(task)


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of `Network`, or of a released checkpoint, under a `Fuser`'s names.

    Raises:
        KeyError: They are neither.
    """
    own = any(".units." in name for name in tensors)
    found = tensors if own else keys.from_released(tensors)
    return {f"network.{name}": tensor for name, tensor in found.items()}

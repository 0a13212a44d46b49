"""The network as `fusionzoo.load` runs it: one task, planes in, a plane out, and the dial.

Attention windows set their brightness apart from one another, which shows as a faint rectangle on a
smooth surface. So a picture is fused several times, each time moved by another part of the period P
at which windows begin (half a window, as every second block is shifted by half), and the passes f_i
are blended:

    f(x, y) = sum_i w_i f_i / sum_i w_i,   w_i = sin^2(pi (x + s_i) / P) sin^2(pi (y + s_i) / P)

w_i is zero at the borders of pass i. With shifts s_i = i P / 3 of both axes there is no place at
which all passes have one: a pixel has at most a vertical border of one and a horizontal one of
another. Shifted blocks also join opposite borders of the picture, a sky with the ground below,
which shows along them half a window deep; so a margin of P on every side takes that up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.core import FusionZooError
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
        self,
        x: Tensor,
        y: Tensor,
        alpha: float = 1.0,
        beta: float = 0.0,
        passes: float | None = None,
        **routers: float,
    ) -> Tensor:
        """Fuse two pictures; those of a batch one by one, so that a batch changes no last digit.

        Args:
            x: Visible, over-exposed or far-focused (B, 1 or 3, H, W) in [0, 1].
            y: Infrared, under-exposed or near-focused, of the same shape.
            alpha: See `Dial`.
            beta: See `Dial`.
            passes: Times that each picture is fused, to blend the borders of windows away; None:
                as `Variant.passes` says.
            **routers: Shares of tasks by name; given any, they replace the entry's own task.

        Returns:
            (B, 1 or 3, H, W) float32, about [0, 1].

        Raises:
            FusionZooError: `passes` is no whole number of 1 or more.
        """
        count = self.network.variant.passes if passes is None else passes
        if count < 1 or count != int(count):
            raise FusionZooError(f"passes {count:g}: expected a whole number of 1 or more")
        shares: Mapping[str, float] = routers or {self.task: 1.0}
        dial = Dial(alpha, beta)
        pairs = zip(torch.split(x, 1), torch.split(y, 1), strict=True)
        return torch.cat([self._fused(*pair, int(count), shares, dial) for pair in pairs])

    def _fused(
        self, x: Tensor, y: Tensor, passes: int, shares: Mapping[str, float], dial: Dial
    ) -> Tensor:
        """One pair, from passes that are blended; one pass is the network as it is."""
        height, width = x.shape[-2:]
        period = self.network.size.multiple // 2
        margin = period if passes > 1 else 0
        total = torch.zeros(1, 3, height, width, device=x.device)
        weights = blending(height, width, period, passes)
        for shift, weight in zip(shifts(period, passes), weights, strict=True):
            start = margin + shift
            pictures = (extended(p, start, margin, 2 * period) for p in (x, y))
            fused = self.network(*pictures, shares, dial).picture
            total += weight.to(x.device) * fused[..., start : start + height, start : start + width]
        return total if x.shape[1] == 3 else total.mean(1, keepdim=True)


def shifts(period: int, passes: int) -> list[int]:
    """By how many pixels down and to the right a picture is moved in each pass."""
    return [round(period * index / passes) for index in range(passes)]


def blending(height: int, width: int, period: int, passes: int) -> list[Tensor]:
    """Weights (H, W) of each pass; they sum to 1, and each is about 0 at borders of its windows."""
    if passes == 1:
        return [torch.ones(height, width)]
    rows, columns = (torch.arange(side) + 0.5 for side in (height, width))
    weights = [
        torch.outer(*((math.pi / period * (axis + shift)).sin() ** 2 for axis in (rows, columns)))
        for shift in shifts(period, passes)
    ]
    total = torch.stack(weights).sum(0)
    return [weight / total for weight in weights]


def extended(picture: Tensor, start: int, margin: int, multiple: int) -> Tensor:
    """A picture (B, C, H, W) with its edges repeated on all sides, as colours.

    Args:
        picture: 1 or 3 channels.
        start: Lines added above and on the left.
        margin: Lines added below and on the right, at least.
        multiple: Of which the sides become multiples.

    Returns:
        (B, 3, start + H + margin or more, start + W + margin or more).
    """
    below, right = (margin + -(start + side + margin) % multiple for side in picture.shape[-2:])
    around = (start, right, start, below)
    return functional.pad(picture, around, mode="replicate").expand(-1, 3, -1, -1)


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

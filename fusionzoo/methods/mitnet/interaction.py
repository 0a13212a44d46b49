"""Exchange between the levels of one stream: every level receives the resized others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusionzoo.methods.mitnet.layers import conv3


def _octave_down(channels: int) -> nn.Sequential:
    pool = nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False)
    return nn.Sequential(pool, nn.Conv2d(channels, 2 * channels, 1))


def _octave_up(channels: int) -> nn.Sequential:
    enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
    return nn.Sequential(nn.Conv2d(channels, channels // 2, 1), enlarge)


def _resize(source: int, target: int, width: int) -> nn.Sequential:
    """From level `source` to level `target`, one octave after the other."""
    step = 1 if target > source else -1
    octave = _octave_down if target > source else _octave_up
    return nn.Sequential(*(octave(width * 2**level) for level in range(source, target, step)))


class Interaction(nn.Module):
    """One convolution per level, then for each level a 1x1 convolution over all of them."""

    def __init__(self, widths: list[int], parallel: bool = False) -> None:
        """For levels of these widths.

        Args:
            widths: Channels, fine to coarse, each twice the one before.
            parallel: Every level receives the others as they came in, as the paper draws it;
                otherwise coarser levels receive what finer ones have just become, as the authors'
                code (and so the released weights) has it.
        """
        super().__init__()
        self.parallel = parallel
        levels = range(len(widths))
        self.entry = nn.ModuleList(conv3(width, width) for width in widths)
        self.resize = nn.ModuleDict(
            {
                f"{source}_{target}": _resize(source, target, widths[0])
                for source in levels
                for target in levels
                if source != target
            }
        )
        self.merge = nn.ModuleList(nn.Conv2d(len(widths) * w, w, 1) for w in widths)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Features fine to coarse, (B, C_l, H / 2^l, W / 2^l), to the same shapes."""
        given = [entry(plane) for entry, plane in zip(self.entry, features, strict=True)]
        current = list(given)
        for target, merge in enumerate(self.merge):
            source = given if self.parallel else current
            others = [
                self.resize[f"{level}_{target}"](plane)
                for level, plane in enumerate(source)
                if level != target
            ]
            current[target] = merge(torch.cat([given[target], *others], 1))
        return current

"""SAGE's student: a three-level U of plain 3x3 convolutions, 135,617 parameters.

Every block is Conv - BatchNorm - LeakyReLU(0.01). Widths are 32 everywhere; two max-poolings go
down, bilinear enlargement with a 1x1 merge of the skip goes up. The paper's figure 3(d) draws dense
connections; the released network has none, and neither has this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 32


class Features(NamedTuple):
    """What distillation compares: five maps (B, 32, h, w) at H, H/2, H/4, H/2 and H."""

    x1: Tensor
    x2: Tensor
    x3: Tensor
    x4: Tensor
    x5: Tensor


def block(channels: int, width: int = WIDTH, kernel: int = 3) -> list[nn.Module]:
    """Convolution with zero padding, batch normalisation and LeakyReLU."""
    convolution = nn.Conv2d(channels, width, kernel, padding=kernel // 2)
    return [convolution, nn.BatchNorm2d(width), nn.LeakyReLU(0.01)]


def stage(channels: int) -> nn.Sequential:
    """Three blocks."""
    return nn.Sequential(*block(channels), *block(WIDTH), *block(WIDTH))


def enlarge(picture: Tensor, like: Tensor) -> Tensor:
    """Bilinear, to the size of `like`, so that odd sizes need no padding."""
    return functional.interpolate(picture, size=like.shape[-2:], mode="bilinear")


class Student(nn.Module):
    """Fuses two planes; sides of at least 4 pixels, odd ones included."""

    def __init__(self) -> None:
        """Build with random parameters; `fusionzoo.load("sage")` fills in trained ones."""
        super().__init__()
        self.stage1 = stage(2)
        self.stage2 = stage(WIDTH)
        self.stage3 = stage(WIDTH)
        self.merge4 = nn.Sequential(*block(2 * WIDTH, kernel=1))
        self.stage4 = stage(WIDTH)
        self.merge5 = nn.Sequential(*block(2 * WIDTH, kernel=1))
        self.stage5 = stage(WIDTH)
        self.head = nn.Sequential(nn.Conv2d(WIDTH, 1, 3, padding=1), nn.Tanh())

    def features(self, visible: Tensor, infrared: Tensor) -> Features:
        """The five feature maps for planes (B, 1, H, W) in [0, 1]."""
        x1 = self.stage1(torch.cat([visible, infrared], 1))
        x2 = self.stage2(functional.max_pool2d(x1, 2))
        x3 = self.stage3(functional.max_pool2d(x2, 2))
        x4 = self.stage4(self.merge4(torch.cat([enlarge(x3, x2), x2], 1)))
        x5 = self.stage5(self.merge5(torch.cat([enlarge(x4, x1), x1], 1)))
        return Features(x1, x2, x3, x4, x5)

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        """Fused luminance (B, 1, H, W) in (-1, 1) from luminance and infrared in [0, 1]."""
        fused: Tensor = self.head(self.features(visible, infrared).x5)
        return fused

    def inference_form(self) -> nn.Module:
        """This network, already folded, rearranged for speed; the outputs are the same."""
        from fusionzoo.methods.sage.inference import FastStudent

        return FastStudent(self)


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' keys (`module1.0.weight`, ...) to ours."""
    names = {"module": "stage", "adjust_channels": "merge", "final_decoder": "head"}
    converted = {}
    for key, value in tensors.items():
        head, _, rest = key.partition(".")
        stem = head.rstrip("0123456789")
        converted[f"{names[stem]}{head[len(stem) :]}.{rest}"] = value
    return converted

"""The student's forward pass for inference: the same numbers in a quarter of the time.

Most of the plain pass is not arithmetic but memory: each of its full-size layers allocates 100 MB
at 1024x768 and waits for the pages. Here the two full-size stages run strip by strip, so that
buffers stay in cache and are reused, and only the skip connection x1 exists at full size. A strip
carries the rows around it that its convolutions reach, so the result is that of the whole picture.
A 1x1 convolution and bilinear enlargement are both linear and act on different axes, so they
commute: each merge is split into its two halves, and the half that belongs to the smaller map runs
before enlarging, which also makes the concatenation unnecessary.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.sage.network import WIDTH, Student, enlarge

STRIP_PIXELS = 128 * 1024
"""Pixels of a strip: its 32 float32 channels take 16 MB, which the C library still reuses."""
STAGE_REACH, DECODER_REACH = 3, 4
"""Rows beyond a strip that a stage reaches, and that stage 5 and the head reach together."""


def _activated(x: Tensor, layer: nn.Conv2d, rows: int) -> Tensor:
    """LeakyReLU of a 3x3 convolution with `rows` rows of zeros above and below."""
    weight, bias = layer.weight, cast(Tensor, layer.bias)
    if _IN_ONE_PASS:  # convolution and activation, as torch's own compiler would join them
        ones = [1, 1]
        fused: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, weight, bias, [rows, 1], ones, ones, 1, "leaky_relu", [0.01], ""
        )
        return fused
    return functional.leaky_relu_(functional.conv2d(x, weight, bias, padding=(rows, 1)), 0.01)


_IN_ONE_PASS = hasattr(torch.ops.mkldnn, "_convolution_pointwise")


class _Stage(nn.Module):
    """Three folded blocks of 3x3 convolution and LeakyReLU."""

    def __init__(self, stage: nn.Sequential) -> None:
        super().__init__()
        self.layers = nn.ModuleList(m for m in stage if isinstance(m, nn.Conv2d))

    def forward(self, x: Tensor, top: bool = True, bottom: bool = True) -> Tensor:
        """Rows beyond a border of the picture count as zeros; elsewhere each layer takes one."""
        for layer in self.layers:
            x = _activated(x, cast(nn.Conv2d, layer), rows=int(top or bottom))
            if top != bottom:
                x = x[:, :, :-1] if top else x[:, :, 1:]
        return x


class _Head(nn.Module):
    """The 3x3 convolution to one plane, as nine products per pixel that are shifted and summed.

    With a single output channel the library's convolution works at a tenth of its usual rate.
    """

    def __init__(self, head: nn.Sequential) -> None:
        super().__init__()
        convolution = cast(nn.Conv2d, head[0])
        taps = convolution.weight.data[0].permute(1, 2, 0).reshape(9, WIDTH, 1, 1)
        self.taps = nn.Parameter(taps.clone())
        self.bias = nn.Parameter(cast(Tensor, convolution.bias).data.clone())

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        products = functional.conv2d(x, self.taps).float().contiguous()
        padded = functional.pad(products, (1, 1, 1, 1))
        total = self.bias.float().view(1, 1, 1, 1).expand(len(x), 1, height, width).clone()
        for tap in range(9):
            row, column = divmod(tap, 3)
            total += padded[:, tap : tap + 1, row : row + height, column : column + width]
        return total.tanh_().to(x.dtype)


class _Merge(nn.Module):
    """LeakyReLU(up(W_a deep) + W_b skip + bias), from the folded 1x1 convolution [W_a | W_b]."""

    def __init__(self, merge: nn.Sequential) -> None:
        super().__init__()
        convolution = cast(nn.Conv2d, merge[0])
        weight, bias = convolution.weight.data, cast(Tensor, convolution.bias).data
        self.deep = nn.Parameter(weight[:, :WIDTH].clone())
        self.skip = nn.Parameter(weight[:, WIDTH:].clone())
        self.bias = nn.Parameter(bias.clone())

    def shrunk(self, deep: Tensor) -> Tensor:
        """W_a applied to the smaller map."""
        return functional.conv2d(deep, self.deep)

    def forward(self, enlarged: Tensor, skip: Tensor) -> Tensor:
        merged = functional.conv2d(skip, self.skip, self.bias)
        return functional.leaky_relu_(merged.add_(enlarged), 0.01)


class _Strip(NamedTuple):
    """Rows [top, bottom) of the output, and [first, last) around them that decide it."""

    top: int
    bottom: int
    first: int
    last: int


def _strips(height: int, width: int) -> list[_Strip]:
    """Strips of an even height, with rows that are all even."""
    step = max(8, STRIP_PIXELS // width // 2 * 2)
    reach = DECODER_REACH
    return [
        _Strip(top, min(top + step, height), max(0, top - reach), min(height, top + step + reach))
        for top in range(0, height, step)
    ]


def _rows(stage: nn.Module, picture: Tensor, first: int, last: int) -> Tensor:
    """Rows first..last of a stage's output, from the rows of its input that decide them."""
    height = picture.shape[2]
    start, stop = first - STAGE_REACH, last + STAGE_REACH
    top, bottom = start < 0, stop > height
    start, stop = (0 if top else start), (height if bottom else stop)
    rows: Tensor = stage(picture[:, :, start:stop], top, bottom)
    offset = first if top else 0
    return rows[:, :, offset : offset + last - first]


def _in_strips(stage: nn.Module, picture: Tensor) -> Tensor:
    """A stage of three 3x3 convolutions, half a strip at a time."""
    height = picture.shape[2]
    step = max(8, STRIP_PIXELS // 2 // picture.shape[3])
    spans = [(top, min(top + step, height)) for top in range(0, height, step)]
    return torch.cat([_rows(stage, picture, *span) for span in spans], 2)


class FastStudent(nn.Module):
    """A folded student rearranged as the module's docstring says; float or bfloat16."""

    def __init__(self, student: Student) -> None:
        """Take over the layers of a student whose batch normalisations are folded."""
        super().__init__()
        self.student = student
        self.merge4 = _Merge(student.merge4)
        self.merge5 = _Merge(student.merge5)
        self.stage1, self.stage2 = _Stage(student.stage1), _Stage(student.stage2)
        self.stage3, self.stage4 = _Stage(student.stage3), _Stage(student.stage4)
        self.stage5, self.head = _Stage(student.stage5), _Head(student.head)

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        """Fused luminance (B, 1, H, W) in (-1, 1); sides of at least 4."""
        height, width = visible.shape[-2:]
        # Rows of an enlarged strip fall on those of the whole picture only at a scale of exactly 2.
        small = height * width <= 2 * STRIP_PIXELS
        if height % 2 or small or visible.device.type != "cpu":
            whole: Tensor = self.student(visible, infrared)
            return whole
        planes = torch.cat([visible, infrared], 1).contiguous(memory_format=torch.channels_last)
        strips = _strips(height, width)
        x1, pooled = self._encode(planes, strips)
        x2 = _in_strips(self.stage2, pooled)
        x3 = self.stage3(functional.max_pool2d(x2, 2))
        merged = self.merge4(enlarge(self.merge4.shrunk(x3), x2), x2)
        x4 = _in_strips(self.stage4, merged)
        return self._decode(x1, self.merge5.shrunk(x4), strips)

    def _encode(self, planes: Tensor, strips: list[_Strip]) -> tuple[list[Tensor], Tensor]:
        """Rows first..last of x1 for each strip, and the 2x2 maxima of all of x1."""
        x1, pooled = [], []
        for top, bottom, first, last in strips:
            rows = _rows(self.stage1, planes, first, last)
            x1.append(rows)
            pooled.append(functional.max_pool2d(rows[:, :, top - first : bottom - first], 2))
        return x1, torch.cat(pooled, 2)

    def _decode(self, x1: list[Tensor], deep: Tensor, strips: list[_Strip]) -> Tensor:
        """Enlarge, merge, stage 5 and head, strip by strip; takes the strips of x1 away."""
        fused, height = [], strips[-1].bottom
        for top, bottom, first, last in strips:
            skip = x1.pop(0)
            low, high = max(0, first // 2 - 1), min(deep.shape[2], last // 2 + 1)
            size = (2 * (high - low), skip.shape[3])
            wide = functional.interpolate(deep[:, :, low:high], size=size, mode="bilinear")
            merged = self.merge5(wide[:, :, first - 2 * low : last - 2 * low], skip)
            above, below = first == 0, last == height
            rows = self.head(self.stage5(merged, above, below))
            start = top if above else top - first - STAGE_REACH
            fused.append(rows[:, :, start : start + bottom - top])
        return torch.cat(fused, 2)

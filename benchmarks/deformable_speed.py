"""The deformable convolution in plain PyTorch against torchvision's operator, on one thread.

    python benchmarks/deformable_speed.py [repetitions]

Prints the largest differences of outputs (float32 and float64) and of gradients (float64), and the
ratio of times, medians of interleaved repetitions in one process. Needs torchvision.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch
from torch import Tensor
from torchvision.ops import deform_conv2d

from fusionzoo.methods.trans4pass.deformable import plain_deformable_convolution

USES = {
    "embedding of 400x2048, 7x7": ((3, 400, 2048), (64, 3, 7, 7), 1, 4, 3),
    "projection, 3x3, 64 channels": ((64, 100, 512), (128, 64, 3, 3), 1, 1, 1),
    "mixing, 1x1, 128 groups": ((128, 100, 512), (128, 128, 1, 1), 128, 1, 0),
}
"""Picture (C, H, W), weight, offset groups, stride, padding: Trans4PASS-T on a panorama."""


def operands(use: str, shrink: int, dtype: torch.dtype) -> tuple[list[Tensor], int, int]:
    """x, offset, mask, weight, bias; stride and padding. `shrink` divides the picture's sides."""
    (c, h, w), shape, groups, stride, padding = USES[use]
    height, width = h // shrink, w // shrink
    places = groups * shape[2] * shape[3]
    size = [(side + 2 * padding - shape[2]) // stride + 1 for side in (height, width)]
    torch.manual_seed(0)
    shapes = ((1, c, height, width), (1, 2 * places, *size), (1, places, *size), shape, shape[:1])
    x, offset, mask, weight, bias = (torch.randn(s, dtype=dtype) for s in shapes)
    weight = weight * (c * shape[2] * shape[3]) ** -0.5
    tensors = [x, 3 * offset, 2 * mask.sigmoid(), weight, bias]
    return [t.requires_grad_() for t in tensors], stride, padding


def ours(tensors: list[Tensor], stride: int, padding: int) -> Tensor:
    x, offset, mask, weight, bias = tensors
    return plain_deformable_convolution(x, offset, mask, weight, bias, stride, padding)


def theirs(tensors: list[Tensor], stride: int, padding: int) -> Tensor:
    x, offset, mask, weight, bias = tensors
    y: Tensor = deform_conv2d(x, offset, weight, bias, stride, padding, mask=mask)
    return y


def differences(use: str) -> dict[str, float]:
    """Largest ones: forward at full size, gradients at an eighth of it."""
    found = {}
    for dtype in (torch.float32, torch.float64):
        with torch.inference_mode():
            given = operands(use, 1, dtype)
            apart = (ours(*given) - theirs(*given)).abs().max()
        found[f"forward {str(dtype).removeprefix('torch.')}"] = float(apart)
    given = operands(use, 8, torch.float64)
    slopes = [
        torch.autograd.grad(form(*given).square().mean(), given[0]) for form in (ours, theirs)
    ]
    apart = max(float((a - b).abs().max()) for a, b in zip(*slopes, strict=True))
    return {**found, "gradients float64": apart}


def seconds(use: str, repetitions: int, backward: bool) -> dict[str, float]:
    """Medians in float32."""
    given = operands(use, 1, torch.float32)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for repetition in range(repetitions + 1):
        for name, form in (("ours", ours), ("theirs", theirs)):
            start = time.perf_counter()
            with torch.set_grad_enabled(backward):
                y = form(*given)
            if backward:
                torch.autograd.grad(y.sum(), given[0])
            if repetition:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def main(repetitions: int) -> None:
    torch.set_num_threads(1)
    for use in USES:
        apart = ", ".join(f"{name} {value:.1e}" for name, value in differences(use).items())
        print(f"{use}: largest differences: {apart}", flush=True)
        for name, backward in (("forward", False), ("forward and backward", True)):
            took = seconds(use, repetitions, backward)
            ratio = took["theirs"] / took["ours"]
            print(f"    {name}: {took['ours']:.3f} s against {took['theirs']:.3f} s: "
                  f"{ratio:.2f}x as fast", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

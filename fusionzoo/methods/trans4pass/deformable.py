"""Modulated deformable convolution (Zhu et al., CVPR 2019, eq. 1) in plain PyTorch.

    y(p) = sum_k w_k m_k(p) x(p + p_k + o_k(p)) + b

x between pixels is bilinear, outside it is 0. The taps are read by one `grid_sample` and summed by
one matrix product, which equals torchvision's operator to rounding and is faster than it on a CPU;
on a GPU torchvision's operator is taken if it can be imported.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def deformable_convolution(
    x: Tensor,
    offset: Tensor,
    mask: Tensor,
    weight: Tensor,
    bias: Tensor,
    stride: int = 1,
    padding: int = 0,
) -> Tensor:
    """Convolve with a moved and weighted set of taps at every pixel.

    Args:
        x: (B, C, H, W).
        offset: (B, 2 G K, h, w) pixels; the channels of group g and tap k are 2 (g K + k) for dy
            and the one after it for dx. Finite: infinite offsets give NaN.
        mask: (B, G K, h, w) weight of each tap.
        weight: (N, C, k, k) with K = k k; the C channels are cut into G offset groups.
        bias: (N,).
        stride: Of the output grid.
        padding: Zeros around `x`.

    Returns:
        (B, N, h, w).
    """
    operator = _torchvision_operator() if x.is_cuda else None
    if operator is not None:
        # It has no bfloat16, which could not hold a coordinate either; see below.
        exact = torch.promote_types(x.dtype, torch.float32)
        tensors = [t.to(exact) for t in (x, offset, weight, bias)]
        y: Tensor = operator(*tensors, stride, padding, mask=mask.to(exact))
        return y.to(x.dtype)
    return plain_deformable_convolution(x, offset, mask, weight, bias, stride, padding)


def plain_deformable_convolution(
    x: Tensor,
    offset: Tensor,
    mask: Tensor,
    weight: Tensor,
    bias: Tensor,
    stride: int = 1,
    padding: int = 0,
) -> Tensor:
    """`deformable_convolution` without any compiled operator; same arguments."""
    b, c, height, width = x.shape
    n, _, kernel, _ = weight.shape
    h, w = offset.shape[-2:]
    taps = kernel * kernel
    groups = mask.shape[1] // taps
    # bfloat16 cannot hold a coordinate of a picture to better than a pixel.
    exact = torch.float64 if x.dtype == torch.float64 else torch.float32
    places = offset.to(exact).reshape(b * groups, taps, 2, h, w)
    rows, columns = _base_grid(kernel, h, w, stride, padding, places)
    y = places[:, :, 0] + rows
    x_ = places[:, :, 1] + columns
    grid = torch.stack([(2 * x_ + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    read = functional.grid_sample(
        x.to(exact).reshape(b * groups, c // groups, height, width),
        grid.view(b * groups, taps * h, w, 2),
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )
    read = read.view(b, groups, c // groups, taps, h * w)
    read = read * mask.to(exact).reshape(b, groups, 1, taps, h * w)
    total = weight.reshape(n, c * taps) @ read.view(b, c * taps, h * w).to(weight.dtype)
    return (total + bias[:, None]).view(b, n, h, w)


def _base_grid(
    kernel: int, h: int, w: int, stride: int, padding: int, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Rows (K, h, 1) and columns (K, 1, w) that undisplaced taps read, in pixels."""
    taps = torch.arange(kernel, device=like.device, dtype=like.dtype) - padding
    rows = torch.arange(h, device=like.device, dtype=like.dtype) * stride
    columns = torch.arange(w, device=like.device, dtype=like.dtype) * stride
    down = (taps[:, None] + rows).repeat_interleave(kernel, 0)
    across = (taps[:, None] + columns).repeat(kernel, 1)
    return down[:, :, None], across[:, None, :]


@cache
def _torchvision_operator() -> Any:
    try:
        from torchvision.ops import deform_conv2d
    except (ImportError, RuntimeError):  # a torchvision made for another torch raises either
        return None
    return deform_conv2d

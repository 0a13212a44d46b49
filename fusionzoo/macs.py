"""Multiply-accumulate operations (MACs) of a network, by named rules.

Papers print "FLOPs" that are MACs of some tool, and tools disagree on what counts:

- `torch`: half the operations that `torch.utils.flop_counter.FlopCounterMode` sees, which is every
  matrix product and convolution, whichever module or function calls it, attention included. Biases,
  normalisation, activations, pooling, interpolation and Fourier transforms are not counted.
- `thop`: the package thop 0.0.31 (2020). Modules only, so products inside attention and operators
  called as functions are missed; but biases of convolutions (1 per output element), BatchNorm (2
  per element), LeakyReLU and PReLU (1), average pooling and enlarging count. A transposed
  convolution counts stride^2 times too often. SAGE's published 52.06 G are of this kind.
- `thop_0.1`: the package thop 0.1.1 (2022). No biases and no LeakyReLU; BatchNorm, LayerNorm and
  InstanceNorm 2 per element, 4 with parameters. MITNet's published 16.4 G are of this kind.

Convolutions are taken where they are computed, not from modules: a network may call one through
its weights to save memory, and would lose it under both thop rules otherwise.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

RULES = ("torch", "thop", "thop_0.1")
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_NEWER_NORMS = (*_BATCH_NORMS, nn.LayerNorm, nn.InstanceNorm1d, nn.InstanceNorm2d)
_AVERAGES = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_ADAPTIVE = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
_PER_ELEMENT = {"linear": 5, "bilinear": 11, "bicubic": 259}
"""What thop counts per element of an enlarged picture."""


class _Convolutions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums up the convolutions that are computed while it is entered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products = 0
        self.biases = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        if function is torch.ops.aten.convolution.default:
            given, weight, bias, groups = args[0], args[1], args[2], args[8]
            taps = weight.shape[2:].numel() * (given.shape[1] // groups)
            self.products += output.numel() * taps
            self.biases += output.numel() if bias is not None else 0
        return output


def _of_module(module: nn.Module, given: Tensor, output: Tensor, newer: bool) -> int:
    """What thop counts for a module that is no convolution."""
    elements = given.numel()
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    if isinstance(module, _NEWER_NORMS if newer else _BATCH_NORMS):
        learned = getattr(module, "affine", False) or getattr(module, "elementwise_affine", False)
        return elements * (4 if newer and learned else 2)
    if isinstance(module, nn.LeakyReLU | nn.PReLU):
        return 0 if newer and isinstance(module, nn.LeakyReLU) else elements
    return _of_resizing(module, given, output)


def _of_resizing(module: nn.Module, given: Tensor, output: Tensor) -> int:
    if isinstance(module, _AVERAGES):
        return output.numel()
    if isinstance(module, _ADAPTIVE):
        sides = zip(given.shape[2:], output.shape[2:], strict=True)
        window = torch.Size(old // new for old, new in sides).numel()
        return output.numel() * (window + 1)
    if isinstance(module, nn.Upsample):
        return output.numel() * _PER_ELEMENT.get(module.mode, 0)
    if isinstance(module, nn.Softmax):
        return given.numel() // given.shape[1] * (3 * given.shape[1] - 1)
    return 0


def count(network: nn.Module, planes: Sequence[Tensor]) -> dict[str, int]:
    """MACs of one forward pass by every rule of `RULES`.

    Args:
        network: As published, not folded (a folded BatchNorm cannot be counted any more).
        planes: Its inputs (B, C, H, W); on the meta device nothing is computed.
    """
    totals = {"thop": 0, "thop_0.1": 0}

    def observe(module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        if given and isinstance(given[0], Tensor) and isinstance(output, Tensor):
            totals["thop"] += _of_module(module, given[0], output, newer=False)
            totals["thop_0.1"] += _of_module(module, given[0], output, newer=True)

    leaves = [module for module in network.modules() if not any(True for _ in module.children())]
    operations, convolutions = FlopCounterMode(display=False), _Convolutions()
    with ExitStack() as stack:
        for leaf in leaves:
            stack.callback(leaf.register_forward_hook(observe).remove)
        # The counter knows matrix products, not the fused attention of CPUs.
        for mode in (torch.no_grad(), sdpa_kernel(SDPBackend.MATH), operations, convolutions):
            stack.enter_context(mode)
        network.eval()(*planes)
    return {
        "torch": operations.get_total_flops() // 2,
        "thop": totals["thop"] + convolutions.products + convolutions.biases,
        "thop_0.1": totals["thop_0.1"] + convolutions.products,
    }


def of_size(network: nn.Module, channels: Sequence[int], height: int, width: int) -> dict[str, int]:
    """MACs for one picture per input, on the meta device if the network can run there.

    Args:
        network: As published; it is left where it is.
        channels: Of each input.
        height: In pixels, as the network gets it (padded).
        width: Likewise.
    """
    shapes = [(1, number, height, width) for number in channels]
    try:
        planes = [torch.empty(shape, device="meta") for shape in shapes]
        return count(copy.deepcopy(network).to("meta"), planes)
    except RuntimeError:  # NotImplementedError is one
        # Fourier transforms, and branches that depend on values, need numbers.
        generator = torch.Generator().manual_seed(0)
        return count(network, [torch.rand(shape, generator=generator) for shape in shapes])

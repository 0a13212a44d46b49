"""Training in several processes: who am I, and averages over all of us.

Under torchrun every process computes its share of a batch; gradients are averaged before the
optimiser's step, so that all processes keep the same parameters. In one process nothing happens.
Averaging is explicit, because recipes with several networks, or with an update inside an update,
do not fit a wrapper around one network.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def rank() -> int:
    """Number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world() -> int:
    """Number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_main() -> bool:
    """True in the process that writes files."""
    return rank() == 0


def launched() -> bool:
    """True if torchrun started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def group(device: torch.device) -> Iterator[torch.device]:
    """Join the other processes for as long as the context lasts; gives this process's device."""
    if not launched():
        yield device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def average_tensors(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor, in place, by its mean over all processes."""
    if world() == 1 or not tensors:
        return
    flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= world()
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.detach().copy_(part.view_as(tensor))


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average `.grad` over all processes; call it between backward and the optimiser's step."""
    average_tensors([p.grad for p in parameters if p.grad is not None])


def average_numbers(numbers: dict[str, float]) -> dict[str, float]:
    """Means over all processes of numbers with the same names everywhere."""
    if world() == 1:
        return numbers
    values = torch.tensor(list(numbers.values()), dtype=torch.float64)
    average_tensors([values])
    return dict(zip(numbers, values.tolist(), strict=True))


def any_of(flag: bool) -> bool:
    """True if the flag is set in any process."""
    return sum(average_numbers({"flag": float(flag)}).values()) > 0


class _Sum(torch.autograd.Function):
    """Sum over all processes; each gets the sum of all gradients back."""

    @staticmethod
    def forward(_context: object, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def total(x: Tensor) -> Tensor:
    """Sum over all processes; with `average_gradients`, gradients are those of one process."""
    if world() == 1:
        return x
    summed: Tensor = _Sum.apply(x)  # type: ignore[no-untyped-call]
    return summed


class SynchronisedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the batches of all processes, on CPUs too.

    torch's own SyncBatchNorm needs GPUs. Mean and mean square are averaged by an operation that
    gradients pass through; every process must hold equally many pixels.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W)."""
        if not self.training or world() == 1:
            return super().forward(x)
        local = torch.stack([x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))])
        mean, power = _Sum.apply(local) / world()  # type: ignore[no-untyped-call]
        variance = power - mean * mean
        self._remember(mean.detach(), variance.detach(), x.numel() // x.shape[1] * world())
        shape = (1, -1, 1, 1)
        scaled = (x - mean.view(shape)) * (variance + self.eps).rsqrt().view(shape)
        affine: Tensor = scaled * self.weight.view(shape) + self.bias.view(shape)
        return affine

    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Running statistics; their variance is the unbiased one."""
        momentum = 0.1 if self.momentum is None else self.momentum
        if self.running_mean is None or self.running_var is None:
            return
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1


def synchronise_batch_norm(module: nn.Module) -> nn.Module:
    """Let every BatchNorm2d of a network see all processes; in one process nothing changes."""
    if world() > 1:
        for layer in module.modules():
            if type(layer) is nn.BatchNorm2d:
                layer.__class__ = SynchronisedBatchNorm
    return module

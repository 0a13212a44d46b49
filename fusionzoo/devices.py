"""Which device networks run on, and with what arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fusionzoo.core import FusionZooError


def pick_device(name: str = "auto") -> torch.device:
    """For "auto" a GPU if torch sees one, else the CPU.

    Raises:
        FusionZooError: The device does not exist here.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise FusionZooError(
            f"device '{name}' cannot be used: {reason}; try --device cpu"
        ) from None
    return device


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """float32 is float32: cuDNN would round what it convolves to 11 bits on recent GPUs."""
    if device.type != "cuda":
        yield
        return
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before

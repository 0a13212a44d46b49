"""The reference's deterministic inputs and weights, and comparison with its numbers."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

GOLDEN = Path(__file__).parent.parent / "golden" / "sage"
NUMBERS = json.loads((GOLDEN / "golden_numbers.json").read_text())


def ramp(k: int, height: int = 40, width: int = 56, channels: int = 1) -> Tensor:
    c, i, j = np.mgrid[:channels, :height, :width]
    wave = 0.5 + 0.5 * np.sin(0.11 * i * (k + 1) + 0.07 * j * (k + 2) + 0.9 * c)
    return torch.from_numpy(wave).float()[None]


def patches(k: int, over: int, height: int = 40, width: int = 56) -> Tensor:
    """Four mask planes."""
    holes = ramp(over, height, width, 4) > 0.5
    return ramp(k, height, width, 4) * holes


def filled(key: str, shape: list[int], counter: int) -> Tensor:
    count = int(np.prod(shape)) if shape else 1
    s = np.sin(0.37 * np.arange(count) + 0.61 * counter)
    if key.endswith("running_var"):
        values = 1 + 0.25 * s
    elif key.endswith("running_mean"):
        values = 0.1 * s
    elif len(shape) == 1:
        values = 1 + 0.1 * s if key.endswith("weight") else 0.02 * s
    else:
        values = 1.2 * np.sqrt(2 / np.prod(shape[1:])) * s
    return torch.from_numpy(values.reshape(shape)).float()


def state_dict(shapes: Mapping[str, Mapping[str, Any]]) -> dict[str, Tensor]:
    """Tensors filled in the order of the keys; batch counters are zero."""
    counted = [key for key in shapes if not key.endswith("num_batches_tracked")]
    tensors = {key: filled(key, shapes[key]["shape"], t) for t, key in enumerate(counted)}
    return tensors | {key: torch.tensor(0) for key in shapes if key not in tensors}


def key_list(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return found.get("state_dict", found)


def check(found: Tensor, expected: Mapping[str, Any]) -> None:
    assert list(found.shape) == expected["shape"]
    flat = found.detach().flatten()
    assert float(flat.mean()) == pytest.approx(expected["mean"], rel=1e-5, abs=3e-7)
    close(flat[:5].tolist(), expected["first5"])
    close(flat[-5:].tolist(), expected["last5"])


def close(found: Iterable[float], expected: Iterable[float]) -> None:
    assert list(found) == pytest.approx(list(expected), rel=1e-4, abs=1e-6)

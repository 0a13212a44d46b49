"""The mean of the sources: the baseline every method must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method
from fusionzoo.methods._baseline import on_any_pair

if TYPE_CHECKING:
    from torch import Tensor


def average(first: Tensor, second: Tensor) -> Tensor:
    """Half of each; planes (B, 1, H, W) in [0, 1]."""
    return (first + second) / 2


ENTRY = on_any_pair(
    Method(
        network=lambda: average,
        inputs=("visible", "infrared"),
        luma="levels",
        paper="Baseline without a paper",
    )
)

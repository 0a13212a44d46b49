"""The mean of the sources: the baseline every method must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method

if TYPE_CHECKING:
    from torch import Tensor


def average(visible: Tensor, infrared: Tensor) -> Tensor:
    """Half of each; planes (B, 1, H, W) in [0, 1]."""
    return (visible + infrared) / 2


ENTRY = Method(
    network=lambda: average,
    inputs=("visible", "infrared"),
    luma="levels",
    paper="Baseline without a paper",
)

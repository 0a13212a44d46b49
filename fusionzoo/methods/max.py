"""The brighter of the sources at every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method

if TYPE_CHECKING:
    from torch import Tensor


def maximum(visible: Tensor, infrared: Tensor) -> Tensor:
    """The larger value; planes (B, 1, H, W) in [0, 1]."""
    return visible.maximum(infrared)


ENTRY = Method(
    network=lambda: maximum,
    inputs=("visible", "infrared"),
    luma="levels",
    paper="Baseline without a paper",
)

"""The brighter of the sources at every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method
from fusionzoo.methods._baseline import on_any_pair

if TYPE_CHECKING:
    from torch import Tensor


def maximum(first: Tensor, second: Tensor) -> Tensor:
    """The larger value; planes (B, 1, H, W) in [0, 1]."""
    return first.maximum(second)


ENTRY = on_any_pair(
    Method(
        network=lambda: maximum,
        inputs=("visible", "infrared"),
        luma="levels",
        paper="Baseline without a paper",
    )
)

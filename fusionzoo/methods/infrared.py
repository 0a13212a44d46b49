"""The infrared picture as it is: copying a source is the baseline every table must contain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusionzoo.core import Method

if TYPE_CHECKING:
    from torch import Tensor


def copy_infrared(infrared: Tensor) -> Tensor:
    """The picture itself, (B, C, H, W) in [0, 1]."""
    return infrared


ENTRY = Method(
    network=lambda: copy_infrared,
    inputs=("infrared",),
    colour="copy",
    paper="Baseline without a paper",
)

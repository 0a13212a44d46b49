"""What baselines without a paper share: any pair of pictures, and copies of one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fusionzoo.core import PAIRS, Method

if TYPE_CHECKING:
    from torch import Tensor


def on_any_pair(entry: Method) -> Method:
    """The visible-infrared entry, with variants of it for every other pair of `PAIRS`."""
    others = {task: roles for task, roles in PAIRS.items() if task != entry.pair}
    variants = {
        task: replace(entry, inputs=roles, colour="blend") for task, roles in others.items()
    }
    return replace(entry, variants=variants)


def _copy(picture: Tensor) -> Tensor:
    return picture


def copy_of(role: str) -> Method:
    """A source as it is; pictures (B, C, H, W) in [0, 1]."""
    return Method(
        network=lambda: _copy, inputs=(role,), colour="copy", paper="Baseline without a paper"
    )

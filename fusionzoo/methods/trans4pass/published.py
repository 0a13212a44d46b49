"""Catalogue entries of the four published sizes; weights are the user's own download."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from fusionzoo.classes import CITYSCAPES19
from fusionzoo.core import Method, Weights

if TYPE_CHECKING:
    from torch import Tensor, nn

SOURCE = (
    "the links in the README of github.com/InSAI-Lab/Trans4PASS, or "
    "huggingface.co/InSAI-Lab/Trans4PASS"
)
TERMS = "Apache-2.0 with the note 'contact for commercial use'; started from MiT (non-commercial)"


def _convert(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    from fusionzoo.methods.trans4pass.network import convert

    return convert(tensors)


def _network(size: str, plus: bool) -> nn.Module:
    from fusionzoo.methods.trans4pass.network import Trans4PASS

    return Trans4PASS(size, len(CITYSCAPES19.names), plus)


def entry(size: str, plus: bool, recipe: str, paper: str) -> Method:
    """A size with 19 classes."""
    official = Weights(
        source=SOURCE,
        sha256=None,
        license=TERMS,
        trained_on=("cityscapes:train",),
        convert=_convert,
    )
    return Method(
        network=partial(_network, size, plus),
        inputs=("visible",),
        task="segment",
        colour="rgb",
        minimum_side=32,
        halo=None,
        weights={"official": official},
        paper=paper,
        recipe=f"fusionzoo.methods.trans4pass.recipe_paper:{recipe}",
        classes=CITYSCAPES19,
        stand_ins=("panorama",),
    )

"""Methods and their weights, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fusionzoo.core.errors import UnknownNameError
from fusionzoo.core.scenes import PAIRS, ClassTable

if TYPE_CHECKING:
    from torch import Tensor

Task = Literal["fuse", "restore", "segment"]
Colour = Literal["luma", "blend", "rgb", "copy"]

NO_WEIGHTS = "-"
"""Stands where a weights tag would, for methods that have nothing to load."""


@dataclass(frozen=True)
class Weights:
    """One set of parameters of a method: origin, licence, history.

    Attributes:
        source: Where a person gets the file: a page, or "shipped with fusionzoo".
        sha256: Hash of the file as published; None only for files shipped in the package.
        license: SPDX id, or "unknown" (then the file is linked, never redistributed).
        trained_on: Catalogue names of the datasets (with split) that the parameters have seen.
        size: Bytes of the file as published, so that a folder is searched without hashing it all.
        file: Package-relative path of a shipped safetensors file, if there is one.
        convert: Turns the published state dict into this network's; None if keys agree.
    """

    source: str
    sha256: str | None
    license: str
    trained_on: tuple[str, ...]
    size: int | None = None
    file: str | None = None
    convert: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None


@dataclass(frozen=True)
class Method:
    """A fusion, restoration or segmentation method as data.

    Attributes:
        network: Builds what maps input planes to the output plane: an `nn.Module`, or any callable
            on (B, C, H, W) float tensors. A "module:attribute" text is imported when built, so
            that reading the entry does not import torch.
        inputs: Roles, in the order of the network's arguments.
        task: What it does.
        colour: "luma": the network sees luminance and infrared, chroma of the first input is put
            back; "blend": it sees luminance, and the chroma of all inputs is put back, each
            weighted by its distance from neutral; "rgb": it sees colour; "copy": its output is
            taken as it is.
        luma: Conversion for "luma" (see `fusionzoo.image.split_luma`).
        multiple_of: Sides are padded to a multiple of this and cropped back.
        minimum_side: Smaller pictures are padded up to it and cropped back.
        halo: Pixels around a tile that can influence it; None: must see the whole picture.
        tile_origin: Tile origins are multiples of this (the product of the network's strides).
        overlap: Tiles overlap by this many pixels and are blended: for networks in which every
            pixel influences every other, so that no halo makes tiles exact.
        weights: Tag to parameters; the first is the default. Empty: nothing to load.
        paper: Citation, with venue and year.
        license: Terms of the method's own code here.
        recipe: "module:Class" that trains it, if it can be trained (see `fusionzoo.core.recipe`).
        pretraining: Name to "module:Class" of a training that its parts need first.
        classes: What a segmenter's output channels mean.
        stand_ins: Roles that may be given instead of the one input of a segmenter.
        dials: Numbers that the network also takes, as keyword arguments, and what each does.
        code_version: Raised when outputs change, so that older results are recomputed.
        explain: "module:function" for `fusionzoo explain`: (entry, file or None, sample) -> planes.
        stretch: The fused luminance of each picture is stretched to span 0 to 1.
        variants: The same method for other pairs, by task (`PAIRS`), each with its own inputs and
            weights; `forms` adds this one.
    """

    network: Callable[[], Any] | str
    inputs: tuple[str, ...]
    task: Task = "fuse"
    colour: Colour = "luma"
    luma: Literal["float", "levels", "opencv_uint8"] = "float"
    multiple_of: int = 1
    minimum_side: int = 1
    halo: int | None = 0
    tile_origin: int = 1
    overlap: int = 0
    weights: Mapping[str, Weights] = field(default_factory=dict)
    paper: str = ""
    license: str = "Apache-2.0"
    recipe: str | None = None
    pretraining: Mapping[str, str] = field(default_factory=dict)
    classes: ClassTable | None = None
    stand_ins: tuple[str, ...] = ()
    dials: Mapping[str, str] = field(default_factory=dict)
    code_version: int = 1
    explain: str | None = None
    stretch: bool = False
    variants: Mapping[str, Method] = field(default_factory=dict)

    @property
    def default_tag(self) -> str:
        """Weights tag used when none is named."""
        return next(iter(self.weights), NO_WEIGHTS)

    @property
    def pair(self) -> str:
        """Which of `PAIRS` it takes; empty if its inputs are none of them."""
        return next((name for name, roles in PAIRS.items() if set(roles) == set(self.inputs)), "")

    @property
    def forms(self) -> Mapping[str, Method]:
        """This entry and its variants by task, the default first."""
        return {self.pair: self, **self.variants}

    def form(self, task: str) -> Method:
        """The variant for a task; UnknownNameError if there is none."""
        if task not in self.forms:
            known = ", ".join(filter(None, self.forms)) or "none of the pairs by name"
            raise UnknownNameError(f"no variant for the task '{task}': there is {known}")
        return self.forms[task]

    def task_for(self, offered: Iterable[str]) -> str | None:
        """Task of the first form whose inputs are all among the roles offered; None: no form."""
        roles = set(offered)
        return next((task for task, form in self.forms.items() if roles >= set(form.inputs)), None)

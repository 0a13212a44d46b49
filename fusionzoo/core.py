"""The few types that every part of the zoo shares, and the errors a person may see.

Building any of them costs nothing: no file is read, no network is made, and torch is not imported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fusionzoo.errors import (
    DataError as DataError,
)
from fusionzoo.errors import (
    FusionZooError as FusionZooError,
)
from fusionzoo.errors import (
    ImageError as ImageError,
)
from fusionzoo.errors import (
    MetricError as MetricError,
)
from fusionzoo.errors import (
    OutputError as OutputError,
)
from fusionzoo.errors import (
    PluginError as PluginError,
)
from fusionzoo.errors import (
    UnknownNameError as UnknownNameError,
)
from fusionzoo.errors import (
    WeightsError as WeightsError,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

Role = Literal[
    "visible", "infrared", "under", "over", "near", "far", "scan", "mri", "panorama", "depth"
]
Task = Literal["fuse", "restore", "segment"]
Colour = Literal["luma", "blend", "rgb", "copy"]
Reference = Literal["none", "sources", "target", "labels"]
Status = Literal["ok", "undefined", "infinite", "too_small"]


def hash_of(*parts: object) -> str:
    """Short hash of anything JSON can hold; equal parts give equal hashes on every machine."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


NO_WEIGHTS = "-"
"""Stands where a weights tag would, for methods that have nothing to load."""


PAIRS: Mapping[str, tuple[str, str]] = {
    "vif": ("visible", "infrared"),
    "mef": ("under", "over"),
    "mff": ("near", "far"),
    "medical": ("scan", "mri"),
}
"""Fusion tasks by the roles they join; a scan is a CT, PET or SPECT picture."""


@dataclass(frozen=True)
class Sample:
    """One scene: pictures by role, and what they should become if that is known.

    Attributes:
        name: Stem of the picture files; unique within a dataset.
        images: Role to tensor, each (C, H, W) float32 in [0, 1], RGB or grey, all of one size.
        target: Clean picture (3, H, W) float32 in [0, 1], or label map (H, W) int64 with
            255 = ignore, or None.
    """

    name: str
    images: Mapping[str, Tensor]
    target: Tensor | None = None


@dataclass(frozen=True)
class Item:
    """A scene that a dataset has found but not opened yet.

    Attributes:
        name: Unique within the dataset; also the stem of every output file.
        load: Decodes (or draws) the scene.
        fingerprint: Hash of everything that `load` reads; a finished result is void if it changes.
        paths: Role to file, empty for scenes that are drawn in code.
    """

    name: str
    load: Callable[[], Sample]
    fingerprint: Callable[[], str]
    paths: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """What a dataset found under a root.

    Attributes:
        items: Usable scenes, sorted by name.
        problems: One line per scene that cannot be used, naming it and saying why.
        root: Folder that was recognised; None for scenes drawn in code.
        split: Name of the split listed.
    """

    items: tuple[Item, ...]
    problems: tuple[str, ...] = ()
    root: Path | None = None
    split: str = ""


@dataclass(frozen=True)
class ClassTable:
    """Names and colours of a label map's ids 0..n-1, and the document they come from.

    `miou` is the preset that is standard for these labels; `ignored` ids mean "not labelled", are
    never trained on and never predicted; `weights` are published loss weights per id, by name.
    """

    names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    source: str
    miou: str = "mrfs"
    ignored: tuple[int, ...] = ()
    weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Where scenes lie, how they are split, and under which terms.

    Attributes:
        title: Full name for tables.
        roles: Roles each sample offers.
        splits: Split name to a one-line description; the first is the default.
        listing: Lists one split under a data root (None: the default places) without decoding.
            Raises DataError, with where it looked and how to get the data, if nothing is there.
        source: Where users obtain the pictures.
        terms: What is known of their licence.
        paper: Citation.
        target: What `Sample.target` holds in this dataset.
        classes: Class table of its label maps.
        drawn: True if scenes are drawn in code, so that no file is needed.
    """

    title: str
    roles: tuple[str, ...]
    splits: Mapping[str, str]
    listing: Callable[[Path | None, str], Listing]
    source: str
    terms: str
    paper: str = ""
    target: Literal["clean", "labels"] | None = None
    classes: ClassTable | None = None
    drawn: bool = False

    @property
    def default_split(self) -> str:
        """The split used when none is named."""
        return next(iter(self.splits))


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
        recipe: "module:Class" that trains it, if it can be trained (see `fusionzoo.recipe`).
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


@dataclass(frozen=True)
class Observation:
    """What a metric saw in one picture.

    Attributes:
        value: The number; None when undefined or too small, infinity when infinite.
        status: Whether `value` may enter a mean.
        reason: Why not, for people.
        terms: Parts of a two-source value by role, so that sum and mean can both be printed.
        table: Confusion matrix, rows = ground truth (mIoU only).
    """

    value: float | None
    status: Status = "ok"
    reason: str = ""
    terms: Mapping[str, float] = field(default_factory=dict)
    table: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Metric:
    """A quality measure: one observation per picture, one number per dataset.

    Attributes:
        symbol: Column heading, for example "MS-SSIM".
        title: Full name.
        observe: Output and references to an Observation; the arguments are planes of pictures,
            for reference "sources" infrared then visible (or under, over; near, far); label arrays
            for "labels". Keyword arguments are what conventions differ in; their defaults are the
            standard.
        summarize: Observations of a dataset -> one number, or None if no picture counted.
        reference: What it compares with.
        higher_is_better: Direction.
        range: Smallest and largest possible value (None: unbounded).
        unit: "bit", "dB", "level", or empty for a ratio.
        minimum_side: Below this the status is too_small.
        aliases: Other names it is asked for by.
        paper: Source of the definition.
        tensor: "module:function" of its differentiable form on torch tensors, if it has one.
        version: Raised when values change, so that older results are recomputed.
    """

    symbol: str
    title: str
    observe: Callable[..., Observation]
    summarize: Callable[[Sequence[Observation]], float | None]
    reference: Reference
    higher_is_better: bool
    range: tuple[float | None, float | None] = (None, None)
    unit: str = ""
    minimum_side: int = 1
    aliases: tuple[str, ...] = ()
    paper: str = ""
    tensor: str | None = None
    version: int = 1


@dataclass(frozen=True)
class Benchmark:
    """A named grid: which methods, on which datasets, by which metrics."""

    title: str
    methods: tuple[str, ...]
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]

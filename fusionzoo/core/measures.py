"""Metrics, what they observe, and the grids they are computed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Reference = Literal["none", "sources", "target", "labels"]
Status = Literal["ok", "undefined", "infinite", "too_small"]


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

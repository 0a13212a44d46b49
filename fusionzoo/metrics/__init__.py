"""The catalogue of metrics, and the three functions that use it: select, observe, evaluate.

Every value follows the definition in its module, on 8-bit grey levels; sums over two sources keep
both terms. See metrics/README.md for what differs in published programs.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fusionzoo import catalog
from fusionzoo.core import Metric, MetricError, Observation, UnknownNameError
from fusionzoo.metrics._plane import Plane

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CORE", "Plane", "evaluate", "find", "names", "observe", "select", "summary"]

names = partial(catalog.names, __name__)
summary = partial(catalog.summary, __name__)

CORE = ("EN", "SD", "SF", "AG", "SCD", "SSIM", "MS-SSIM", "mIoU")
"""The metrics of the group "core", in the order of tables."""


def _by_symbol() -> dict[str, Metric]:
    """Lower-case symbol to metric, core ones first."""
    found = {m.symbol: m for m in (catalog.find(__name__, name) for name in names())}
    order = [*CORE, *sorted(set(found) - set(CORE), key=str.lower)]
    return {symbol.lower(): found[symbol] for symbol in order}


def find(name: str) -> Metric:
    """A metric by symbol ("MS-SSIM") or module name ("ms_ssim"); capitals do not matter.

    Raises:
        UnknownNameError: No such metric; near names are shown.
    """
    if name.lower().replace("-", "_") in names():
        entry: Metric = catalog.find(__name__, name)
        return entry
    known = _by_symbol()
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.4)
    hint = "did you mean " + " or ".join(known[n].symbol for n in near) + "?" if near else (
        "known are " + ", ".join(m.symbol for m in known.values())
    )  # fmt: skip
    raise UnknownNameError(f"unknown metric '{name}': {hint}")


def select(spec: str | Sequence[str]) -> tuple[Metric, ...]:
    """Metrics by "all", "core", or names, separated by commas or in a sequence; each once.

    Raises:
        UnknownNameError: No such metric, or nothing was named.
    """
    parts = spec.split(",") if isinstance(spec, str) else list(spec)
    chosen: dict[str, Metric] = {}
    for part in (part.strip() for part in parts):
        if part.lower() == "all":
            group = list(_by_symbol().values())
        elif part.lower() == "core":
            group = [_by_symbol()[symbol.lower()] for symbol in CORE]
        elif part:
            group = [find(part)]
        else:
            continue
        chosen |= {metric.symbol: metric for metric in group}
    if not chosen:
        raise UnknownNameError("no metric was named: use all, core, or names such as EN,SSIM")
    return tuple(chosen.values())


def observe(chosen: Sequence[Metric], output: Plane, **references: Plane) -> dict[str, Observation]:
    """What each metric sees in one picture.

    Args:
        chosen: Metrics; those whose reference is not given are left out, and so are metrics of
            label maps.
        output: Fused or restored picture.
        **references: `infrared` and `visible` sources, `target` for restoration. Keep these planes
            while scoring many outputs of one pair: what belongs to them is then computed once.

    Raises:
        MetricError: Sizes differ.
    """
    shapes = {"output": output.shape} | {role: plane.shape for role, plane in references.items()}
    if len(set(shapes.values())) > 1:
        shown = ", ".join(f"{role} {h}x{w}" for role, (h, w) in shapes.items())
        raise MetricError(f"pictures differ in size: {shown}; metrics never resize")
    sources = tuple(references[role] for role in ("infrared", "visible") if role in references)
    seen = {}
    for metric in chosen:
        arguments = {
            "none": (output,),
            "sources": (output, *sources) if len(sources) == 2 else None,
            "target": (output, references["target"]) if "target" in references else None,
            "labels": None,
        }[metric.reference]
        if arguments is not None:
            seen[metric.symbol] = _observe_one(metric, arguments)
    return seen


def _observe_one(metric: Metric, arguments: tuple[Plane, ...]) -> Observation:
    side = min(arguments[0].shape)
    if side < metric.minimum_side:
        reason = f"smallest side {side}, needs {metric.minimum_side}"
        return Observation(None, "too_small", reason)
    return metric.observe(*arguments)


def evaluate(
    fused: Any,
    *,
    visible: Any = None,
    infrared: Any = None,
    target: Any = None,
    metrics: str | Sequence[str] = "core",
    data_range: float | None = None,
) -> dict[str, Observation]:
    """Measure one picture.

    Args:
        fused: uint8 levels (H, W) or (H, W, 3), or floats (H, W), (C, H, W) with `data_range`;
            arrays or tensors.
        visible: Visible source, likewise.
        infrared: Infrared source, likewise.
        target: Clean picture, for restoration metrics.
        metrics: "all", "core", or names; those whose reference is missing are left out.
        data_range: Largest possible value of float or 16-bit input; never guessed.

    Raises:
        MetricError: Sizes differ, values are NaN or outside the range, or no range is given.

    Example:
        >>> import numpy as np
        >>> flat = np.full((32, 32), 128, np.uint8)
        >>> evaluate(flat, metrics="EN,SD")["EN"].value
        0.0
    """
    given = {"visible": visible, "infrared": infrared, "target": target}
    planes = {
        role: Plane(to_levels(picture, data_range, role))
        for role, picture in given.items()
        if picture is not None
    }
    return observe(select(metrics), Plane(to_levels(fused, data_range, "fused")), **planes)


def to_levels(picture: Any, data_range: float | None, role: str = "picture") -> NDArray[np.uint8]:
    """8-bit levels (H, W) or (H, W, 3) of an array or tensor, rounded half up.

    Raises:
        MetricError: NaN, values outside [0, data_range], or a missing `data_range`.
    """
    import numpy as np

    array = np.asarray(picture.detach().cpu() if hasattr(picture, "detach") else picture)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype == np.uint8:
        return array
    if data_range is None:
        raise MetricError(
            f"{role} is {array.dtype}: say its data_range (1 for [0, 1], 65535 for 16 bit)"
        )
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise MetricError(f"{role} holds NaN or infinity")
    if values.size and (values.min() < 0 or values.max() > data_range):
        found = f"{values.min():g} to {values.max():g}"
        raise MetricError(f"{role} runs from {found}: expected 0 to {data_range:g}")
    return np.floor(values * (255 / data_range) + 0.5).astype(np.uint8)

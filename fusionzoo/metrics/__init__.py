"""The catalogue of metrics, and the three functions that use it: select, observe, evaluate.

Every value follows the definition in its module, on 8-bit grey levels, or a named convention of
published programs (`_conventions`); sums over two sources keep both terms. See metrics/README.md.
"""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fusionzoo import catalog
from fusionzoo.core import Metric, MetricError, Observation, PluginError, UnknownNameError
from fusionzoo.metrics._conventions import CONVENTIONS, Convention, Definition
from fusionzoo.metrics._conventions import find as find_convention
from fusionzoo.metrics._measure import SOURCES, observe
from fusionzoo.metrics._plane import Plane

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

__all__ = [
    "CONVENTIONS",
    "CORE",
    "GROUPS",
    "SOURCES",
    "Convention",
    "Definition",
    "Plane",
    "evaluate",
    "find",
    "find_convention",
    "names",
    "observe",
    "select",
    "summary",
    "tensor_form",
    "to_levels",
]

names = partial(catalog.names, __name__)
summary = partial(catalog.summary, __name__)

CORE = ("EN", "SD", "SF", "AG", "SCD", "SSIM", "MS-SSIM", "mIoU")
"""The metrics of the group "core", in the order of tables."""

_FMI = ("FMI_pixel", "FMI_dct", "FMI_gradient", "FMI_w", "FMI_edge")
GROUPS: dict[str, tuple[str, ...]] = {
    "core": CORE,
    "information": ("EN", "MI", "NMI", "CE", "QNCIE", "TE", *_FMI),
    "fmi": _FMI,
    "structure": ("SSIM", "MS-SSIM", "MEF-SSIM", "QY", "QC", "QE"),
    "edges": ("SF", "AG", "EI", "Qabf", "Nabf"),
    "perception": ("VIFp", "VIFF", "QCB", "QCV"),
    "difference": ("MSE", "RMSE", "PSNR", "CC", "SCD"),
    "focus": ("NMI", "MI", "QNCIE", "TE", "Qabf", "QY", "QCB"),
    "exposure": ("MEF-SSIM", "EN", "SF", "AG", "Qabf", "QCB", "QCV"),
    "restoration": ("PSNR-T", "SSIM-T"),
}
"""Names that stand for several metrics; `all` stands for every one."""


def _by_symbol() -> dict[str, Metric]:
    """Lower-case symbol to metric, core ones first; no plug-in takes the symbol of another."""
    found: dict[str, Metric] = {}
    for name, metric in catalog.usable(__name__).items():
        if other := _owner(metric, found):
            catalog.warn_once(f"left out: {_taken(name, metric, other)}")
        else:
            found[metric.symbol] = metric
    order = [*CORE, *sorted(set(found) - set(CORE), key=str.lower)]
    return {symbol.lower(): found[symbol] for symbol in order}


def _owner(metric: Metric, others: Mapping[str, Metric]) -> Metric | None:
    """Which of the others already has the metric's symbol or one of its aliases."""
    wanted = {text.lower() for text in (metric.symbol, *metric.aliases)}
    return next((o for o in others.values()
                 if wanted & {text.lower() for text in (o.symbol, *o.aliases)}), None)  # fmt: skip


def _taken(name: str, metric: Metric, other: Metric) -> str:
    return (
        f"metric '{name}' calls itself {', '.join((metric.symbol, *metric.aliases))}, which is "
        f"'{other.title}': give it a symbol of its own"
    )


def find(name: str) -> Metric:
    """A metric by symbol ("MS-SSIM"), alias or module name ("ms_ssim"); capitals do not matter.

    Raises:
        UnknownNameError: No such metric; near names are shown.
        PluginError: A plug-in's that is broken, or whose symbol is taken.
    """
    own = catalog.spelling(__name__, name)
    if own is None:
        return _named(name, _by_symbol())
    entry: Metric = catalog.find(__name__, own)
    if not catalog.built_in(__name__, own):
        other = _owner(entry, _by_symbol())
        if other is not None and other is not entry:
            raise PluginError(_taken(name, entry, other))
    return entry


def _named(name: str, known: Mapping[str, Metric]) -> Metric:
    """A metric by symbol or alias, or an error that shows near names."""
    for metric in known.values():
        if name.lower() in (metric.symbol.lower(), *(alias.lower() for alias in metric.aliases)):
            return metric
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.4)
    hint = "did you mean " + " or ".join(known[n].symbol for n in near) + "?" if near else (
        "known are " + ", ".join(m.symbol for m in known.values())
    )  # fmt: skip
    raise UnknownNameError(f"unknown metric '{name}': {hint}")


def select(spec: str | Sequence[str], convention: str = "standard") -> tuple[Metric, ...]:
    """Metrics by group (`all`, `core`, ...) or name, separated by commas or in a sequence.

    Args:
        spec: Groups and names; each metric is taken once.
        convention: Groups leave out what it does not define.

    Raises:
        UnknownNameError: No such metric or convention, a name that the convention does not define,
            or nothing was named.
    """
    rule = find_convention(convention)
    parts = spec.split(",") if isinstance(spec, str) else list(spec)
    chosen: dict[str, Metric] = {}
    known = _by_symbol()
    for part in (part.strip() for part in parts if part.strip()):
        if part.lower() == "all":
            group = list(known.values())
        elif part.lower() in GROUPS:
            group = [known[symbol.lower()] for symbol in GROUPS[part.lower()]]
        else:
            group = [_defined(find(part), convention, rule)]
        chosen |= {m.symbol: m for m in group if _takes(rule, m)}
    if not chosen:
        raise UnknownNameError("no metric was named: use all, core, or names such as EN,SSIM")
    return tuple(chosen.values())


def _takes(rule: Convention, metric: Metric) -> bool:
    """Metrics of label maps have presets instead; those of clean targets are in every one."""
    return metric.reference in ("labels", "target") or rule.defines(metric.symbol)


def _defined(metric: Metric, convention: str, rule: Convention) -> Metric:
    if not _takes(rule, metric):
        known = ", ".join(rule.metrics or ())
        hint = f"it has {known}" if known else "it exists in the convention mefb"
        raise UnknownNameError(f"the convention {convention} has no {metric.symbol}: {hint}")
    return metric


def tensor_form(name: str) -> Callable[..., Tensor]:
    """A metric as a differentiable function of tensors, for GPUs and for losses.

    Args:
        name: Metric with such a form: SD, SF, AG, EI, SCD, CC, MSE, PSNR, SSIM, MS-SSIM or VIFp.

    Returns:
        Function of fused, or of fused and both sources, (B, 1, H, W) floats in [0, 1], to (B,).

    Raises:
        UnknownNameError: No such metric, or it has no such form.
    """
    entry = find(name)
    if entry.tensor is None:
        having = ", ".join(m.symbol for m in _by_symbol().values() if m.tensor)
        raise UnknownNameError(f"{entry.symbol} has no form on tensors; these have one: {having}")
    module, _, function = entry.tensor.partition(":")
    form: Callable[..., Tensor] = getattr(importlib.import_module(module), function)
    return form


def evaluate(
    fused: Any,
    *,
    metrics: str | Sequence[str] = "core",
    convention: str = "standard",
    data_range: float | None = None,
    **references: Any,
) -> dict[str, Observation]:
    """Measure one picture.

    Args:
        fused: uint8 levels (H, W) or (H, W, 3), or floats (H, W), (C, H, W) with `data_range`;
            arrays or tensors.
        metrics: "all", "core", or names; those whose reference is missing are left out.
        convention: Named convention; of "all" and "core", what it does not define is left out.
        data_range: Largest possible value of float or 16-bit input; never guessed.
        **references: What is compared with, likewise: both sources by role (`visible` and
            `infrared`, or another pair of `SOURCES`), and `target`, the clean picture, for
            restoration metrics. None counts as absent.

    Raises:
        MetricError: Sizes differ, values are NaN or outside the range, or no range is given.
        TypeError: No metric compares with a picture of that role.
        UnknownNameError: No such metric or convention, or one that the convention lacks.

    Example:
        >>> import numpy as np
        >>> flat = np.full((32, 32), 128, np.uint8)
        >>> evaluate(flat, metrics="EN,SD")["EN"].value
        0.0
    """
    roles = {role for pair in SOURCES for role in pair} | {"target"}
    if unknown := sorted(set(references) - roles):
        raise TypeError(f"no metric compares with {', '.join(unknown)}: use {sorted(roles)}")
    planes = {
        role: Plane(to_levels(picture, data_range, role))
        for role, picture in references.items()
        if picture is not None
    }
    chosen = select(metrics, convention)
    return observe(chosen, Plane(to_levels(fused, data_range, "fused")), convention, **planes)


def to_levels(picture: Any, data_range: float | None, role: str = "picture") -> NDArray[np.uint8]:
    """8-bit levels (H, W) or (H, W, 3) of an array or tensor, rounded half up.

    Raises:
        MetricError: NaN, values outside [0, data_range], or a missing or useless `data_range`.
    """
    import numpy as np

    if hasattr(picture, "detach"):
        picture = picture.detach().cpu()
        picture = picture.float() if str(picture.dtype) == "torch.bfloat16" else picture
    array = np.asarray(picture)
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
    if not 0 < data_range < math.inf:
        raise MetricError(f"data_range is {data_range}: expected a number above 0, such as 1")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise MetricError(f"{role} holds NaN or infinity")
    if values.size and (values.min() < 0 or values.max() > data_range):
        found = f"{values.min():g} to {values.max():g}"
        raise MetricError(f"{role} runs from {found}: expected 0 to {data_range:g}")
    return np.floor(values * (255 / data_range) + 0.5).astype(np.uint8)

"""Apply metrics to one picture under a convention."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from fusionzoo.core import Metric, MetricError, Observation
from fusionzoo.metrics._conventions import Definition
from fusionzoo.metrics._conventions import find as find_convention
from fusionzoo.metrics._plane import Plane

SOURCES = (("infrared", "visible"), ("under", "over"), ("near", "far"), ("scan", "mri"))
"""Pairs of roles that are fused, in the order in which metrics take them."""


def observe(
    chosen: Sequence[Metric], output: Plane, convention: str = "standard", **references: Plane
) -> dict[str, Observation]:
    """What each metric sees in one picture.

    Args:
        chosen: Metrics; those whose reference is not given are left out, and so are metrics of
            label maps.
        output: Fused or restored picture.
        convention: Named convention.
        **references: Both sources by role (`SOURCES`), `target` for restoration. Keep these planes
            while scoring many outputs of one pair: what belongs to them is then computed once.

    Raises:
        MetricError: Sizes differ.
        UnknownNameError: No such convention.
    """
    rule = find_convention(convention)
    _same_size({"output": output, **references})
    roles = next((pair for pair in SOURCES if set(pair) <= set(references)), ())
    seen = {}
    for metric in chosen:
        planes = {
            "none": (output,),
            "sources": (output, *(references[role] for role in roles)) if roles else None,
            "target": (output, references["target"]) if "target" in references else None,
            "labels": None,
        }[metric.reference]
        if planes is None:
            continue
        definition = rule.definition(metric.symbol)
        measured = _instead(metric, definition)
        side = min(output.shape)
        if side < measured.minimum_side:
            reason = f"smallest side {side}, needs {measured.minimum_side}"
            seen[metric.symbol] = Observation(None, "too_small", reason)
            continue
        colour = "grey" if metric.reference == "target" else definition.colour or rule.colour
        found = _mean_of(
            [measured.observe(*part, **definition.options) for part in _parts(planes, colour)]
        )
        seen[metric.symbol] = _with_roles(found, roles)
    return seen


def _instead(metric: Metric, definition: Definition) -> Metric:
    if definition.of is None:
        return metric
    from fusionzoo.metrics import find

    return find(definition.of)


def _same_size(planes: Mapping[str, Plane]) -> None:
    shapes = {role: plane.shape for role, plane in planes.items()}
    if len(set(shapes.values())) > 1:
        shown = ", ".join(f"{role} {w}x{h}" for role, (h, w) in shapes.items())
        raise MetricError(f"pictures differ in size: {shown}; metrics never resize")


def _parts(planes: tuple[Plane, ...], colour: str) -> list[tuple[Plane, ...]]:
    """What the metric is run on: once, or once per channel (a grey source stands for all three)."""
    output, *sources = planes
    grey_output = output.picture.ndim == 2
    if colour == "grey" or grey_output:
        return [planes]
    if colour == "joined":
        return [tuple(plane.joined for plane in planes)]
    if colour == "first" and all(source.picture.ndim == 2 for source in sources):
        return [(output.channels[0], *sources)]
    return [
        tuple(plane.channels[i if len(plane.channels) > 1 else 0] for plane in planes)
        for i in range(3)
    ]


def _mean_of(seen: Sequence[Observation]) -> Observation:
    """The mean over channels; the first that has no value stands for all."""
    if len(seen) == 1:
        return seen[0]
    for one in seen:
        if one.status != "ok":
            return one
    terms = {key: fmean(one.terms[key] for one in seen) for key in seen[0].terms}
    return Observation(fmean(one.value or 0.0 for one in seen), terms=terms)


def _with_roles(one: Observation, roles: tuple[str, ...]) -> Observation:
    """Terms by role instead of "first" and "second"; a value that is no number is undefined."""
    if one.status == "ok" and not math.isfinite(one.value or 0.0):
        return Observation(None, "undefined", "no number results")
    names = dict(zip(("first", "second"), roles, strict=False))
    return replace(one, terms={names.get(key, key): value for key, value in one.terms.items()})

"""Settings of a recipe from `name=value` texts; unknown names and wrong types fail."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from fusionzoo.core import FusionZooError, UnknownNameError

COUNTS = ("steps", "batch", "height", "width", "input_height", "input_width", "channels", "shrink")
"""Settings that no recipe can do with less than 1 of."""
SEEDS = 2**63
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def build(kind: type, texts: Sequence[str]) -> Any:
    """An instance of the settings dataclass with the given fields replaced.

    Args:
        kind: Frozen dataclass whose fields all have defaults.
        texts: `name=value`; tuples are comma-separated, "none" stands for None.

    Raises:
        UnknownNameError: No such setting; near names are shown.
        FusionZooError: A value of the wrong type, or one the recipe refuses.
    """
    hints = get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind)]
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise FusionZooError(f"'{text}' is not a setting: expected name=value")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
            raise UnknownNameError(f"unknown setting '{name}': {hint}")
        values[name] = parse(name, value, hints[name])
    _check(values)
    try:
        return kind(**values)
    except ValueError as error:
        raise FusionZooError(str(error)) from None


def _check(values: Mapping[str, Any]) -> None:
    """Bounds that hold in every recipe, before any of them computes with the values."""
    for name in COUNTS:
        if name in values and values[name] < 1:
            raise FusionZooError(f"setting {name}={values[name]}: expected 1 or more")
    if not 0 <= values.get("seed", 0) < SEEDS:
        raise FusionZooError(f"setting seed={values['seed']}: expected 0 to 2^63 - 1")
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise FusionZooError(f"setting {name}={value}: expected a number")


def parse(name: str, text: str, hint: Any) -> Any:
    """A text as the annotated type.

    Raises:
        FusionZooError: It is not one.
    """
    origin, inner = get_origin(hint), get_args(hint)
    try:
        if origin in (Union, UnionType):
            if type(None) in inner and text.lower() == "none":
                return None
            return parse(name, text, next(kind for kind in inner if kind is not type(None)))
        if origin is Literal:
            return {str(choice): choice for choice in inner}[text]
        if origin is tuple:
            kinds = inner[:1] * text.count(",") + inner[:1] if inner[-1] is Ellipsis else inner
            parts = text.split(",")
            return tuple(parse(name, p, k) for p, k in zip(parts, kinds, strict=True))
        return TRUTH[text.lower()] if hint is bool else hint(text)
    except (ValueError, KeyError):
        expected = " or ".join(map(str, inner)) if origin is Literal else getattr(
            hint, "__name__", str(hint)
        )  # fmt: skip
        raise FusionZooError(f"setting {name}={text}: expected {expected}") from None

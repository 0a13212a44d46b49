"""How observations of a dataset become one number, and how those of two sources become one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from fusionzoo.core import Observation

Combination = Literal["sum", "mean"]


def mean(observations: Sequence[Observation]) -> float | None:
    """Mean of the values that exist; None if there is none."""
    values = [o.value for o in observations if o.status == "ok" and o.value is not None]
    return math.fsum(values) / len(values) if values else None


def two_sources(both: Iterable[float], combine: Combination = "sum") -> Observation:
    """The sum of two sources' values, or its half, with its terms."""
    first, second = both
    terms = {"first": first, "second": second}
    return Observation((first + second) / (2 if combine == "mean" else 1), terms=terms)


def undefined(reason: str, terms: Mapping[str, float | None] | None = None) -> Observation:
    """No value, with those terms that exist."""
    known = {role: value for role, value in (terms or {}).items() if value is not None}
    return Observation(None, "undefined", reason, known)

"""What a method costs, beside what it is worth: the axes of the quality-against-cost plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fusionzoo import costs
from fusionzoo.costs import Profile
from fusionzoo.store import Result


@dataclass(frozen=True)
class Axis:
    """A cost; less of it is better."""

    key: str
    title: str
    unit: str
    note: str


@dataclass(frozen=True)
class Costs:
    """The profiles of a results folder, at the size that most of them have.

    Attributes:
        profiles: Label to profile.
        size: Width and height; None without profiles.
    """

    profiles: Mapping[str, Profile]
    size: tuple[int, int] | None

    def axes(self) -> list[Axis]:
        """Costs that some method has, the run's own times last."""
        run = Axis("seconds", "Time in the run", "s", "median per picture, on the run's machine")
        if self.size is None:
            return [run]
        width, height = self.size
        where = costs.caption_of(self.profiles.values(), width, height).rstrip(".")
        return [
            Axis("parameters", "Parameters", "", "numbers stored in the network"),
            Axis("macs", "MACs", "", f"torch's operator counter, one {width}x{height} picture"),
            Axis("latency", "Latency", "s", f"median of a call. {where}"),
            Axis("memory", "Peak memory", "B", f"of the process, on a GPU of tensors. {where}"),
            run,
        ]

    def of(self, result: Result) -> dict[str, float]:
        """Axis to number, of what is known of a cell's method."""
        known: dict[str, float | None] = {"seconds": result.seconds}
        profile = self.profiles.get(result.label)
        if profile is not None:
            known["parameters"] = profile.parameters
        if profile is not None and self.size and (one := profile.at(*self.size)):
            known["macs"] = one.macs.get("torch") if one.macs else None
            known["latency"] = one.seconds["median"]
            known["memory"] = one.memory.get("cuda") or one.memory["process"]
        return {key: value for key, value in known.items() if value is not None}


def read(folder: Path) -> tuple[Costs, list[str]]:
    """The costs that `fusionzoo profile` wrote beside results, and what could not be read."""
    profiles, problems = costs.read_all(folder)
    sizes = Counter((m.width, m.height) for p in profiles.values() for m in p.measurements)
    size = max(sizes, key=lambda one: (sizes[one], one), default=None)
    return Costs(profiles, size), problems

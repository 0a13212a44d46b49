"""From names to a grid: which methods and datasets a benchmark takes, and why not others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fusionzoo import catalog, datasets, methods, predictor, weights
from fusionzoo.core import Benchmark, DataError, Dataset, FusionZooError, Listing, Method
from fusionzoo.predictor import Precision, Predictor

ALL = "all"
FALLBACK = "demo"
"""Taken when no dataset is on this machine: it is drawn in code."""


def named(name: str | None) -> Benchmark:
    """A benchmark by name; without one, everything that is on this machine.

    Raises:
        UnknownNameError: No such benchmark.
    """
    if name is None:
        return Benchmark("everything at hand", (ALL,), (ALL,), (ALL,))
    entry: Benchmark = catalog.find("fusionzoo.benchmarks", name)
    return entry


def split_names(spec: str) -> list[str]:
    """Comma-separated names, in order, once each.

    Raises:
        FusionZooError: There is none.
    """
    names = list(dict.fromkeys(part.strip() for part in spec.split(",") if part.strip()))
    if not names:
        raise FusionZooError("an empty list of names was given: use 'all' or leave the option out")
    return names


def chosen_methods(
    spec: str, device: str = "auto", precision: Precision = "float32"
) -> tuple[list[Predictor], list[str]]:
    """Methods ready to run, and one line for each that "all" had to leave out.

    Args:
        spec: "all" (every fusion method that needs no weights or has them at hand), or names,
            each optionally with a weights tag or file: "sage@official".
        device: Where networks run.
        precision: Of the networks.

    Raises:
        UnknownNameError: A name no method has.
        WeightsError: A method was named whose weights are not at hand.
    """
    if spec != ALL:
        named = split_names(spec)
        return [predictor.load(name, device=device, precision=precision) for name in named], []
    ready, skipped = [], []
    for name in methods.names():
        try:
            entry: Method = methods.find(name)
            if entry.task != "fuse":
                continue
            if not weights.at_hand(entry, weights.default_tag(entry)):
                tag = entry.default_tag
                raise weights.missing(name, tag, entry.weights[tag])
            ready.append(predictor.load(name, device=device, precision=precision))
        except FusionZooError as error:
            skipped.append(f"method {name}: {error}")
    return ready, skipped


def chosen_datasets(
    spec: str, data: Path | None = None, limit: int | None = None
) -> tuple[list[tuple[str, Dataset, Listing]], list[str]]:
    """Datasets with their scenes, and one line for each that "all" had to leave out.

    Args:
        spec: "all" (every dataset found; `demo` if there is none), or names with optional splits.
        data: Data root.
        limit: Only the first scenes of each.

    Raises:
        UnknownNameError: A name or split no dataset has.
        DataError: A dataset was named that is not on this machine.
    """
    if spec != ALL:
        return [_open(name, data, limit) for name in split_names(spec)], []
    found, skipped = [], []
    for name in _real_datasets():
        try:
            found.append(_open(name, data, limit))
        except DataError as error:
            skipped.append(f"dataset {name}: {error}")
    return found or [_open(FALLBACK, data, limit)], skipped


def _real_datasets() -> Iterator[str]:
    for name in datasets.names():
        entry: Dataset = catalog.find("fusionzoo.datasets", name)
        if not entry.drawn:
            yield name


def _open(name: str, data: Path | None, limit: int | None) -> tuple[str, Dataset, Listing]:
    entry, split = datasets.parse(name)
    listing = entry.listing(data, split)
    if limit is not None and limit < len(listing.items):
        cut = f"{split}-first{limit}"
        listing = replace(listing, items=listing.items[:limit], split=cut)
    return name.partition(":")[0].lower().replace("-", "_"), entry, listing

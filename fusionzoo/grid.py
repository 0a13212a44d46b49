"""From names to a grid: which methods and datasets a benchmark takes, and why not others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fusionzoo import catalog, datasets, methods, pipeline, predictor, weights
from fusionzoo.core import PAIRS, Benchmark, DataError, Dataset, FusionZooError, Listing, Method
from fusionzoo.predictor import Precision, Predictor

ALL = "all"
CUT = "-first"
"""Between a split and its limit, in the name of a split that was cut."""
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
    spec: str,
    device: str = "auto",
    precision: Precision = "float32",
    offers: Sequence[Collection[str]] = (PAIRS["vif"],),
) -> tuple[list[Predictor], list[str]]:
    """Methods ready to run, each once for every pair it can fuse, and one line for those left out.

    Args:
        spec: "all" (every fusion method that needs no weights or has them at hand), or names,
            each optionally with a weights tag or file ("sage@official"), and chains of them
            ("mitnet+sage").
        device: Where networks run.
        precision: Of the networks.
        offers: Roles of each dataset; a method is loaded in every form that one of them needs.

    Raises:
        UnknownNameError: A name no method has.
        WeightsError: A method was named whose weights are not at hand.
    """
    if spec != ALL:
        return _named_methods(split_names(spec), device, precision, offers)
    ready, skipped = [], []
    for name in methods.names():
        try:
            entry: Method = methods.find(name)
            if entry.task != "fuse":
                continue
            for task in _tasks(entry, offers):
                form = entry.form(task)
                if not weights.at_hand(form, weights.default_tag(form)):
                    tag = form.default_tag
                    raise weights.missing(predictor.title(name, form), tag, form.weights[tag])
                ready.append(predictor.load(name, None, device, precision, task=task))
        except FusionZooError as error:
            skipped.append(f"method {name}: {error}")
    return ready, skipped


def _named_methods(
    names: Sequence[str], device: str, precision: Precision, offers: Sequence[Collection[str]]
) -> tuple[list[Predictor], list[str]]:
    ready, skipped = [], []
    for name in names:
        entry = pipeline.entry(name)
        tasks = _tasks(entry, offers)
        ready += [pipeline.load(name, None, device, precision, task=task) for task in tasks]
        if not tasks:
            skipped.append(
                f"method {name}: it takes {' and '.join(entry.inputs)}, which no dataset offers"
            )
    return ready, skipped


def _tasks(entry: Method, offers: Sequence[Collection[str]]) -> list[str]:
    """Tasks of the forms that the datasets need, once each."""
    found = (entry.task_for(roles) for roles in offers)
    return list(dict.fromkeys(task for task in found if task is not None))


def baselines(offers: Sequence[Collection[str]], device: str = "auto") -> list[Predictor]:
    """What every table must contain: the mean of the sources, and each source as it is.

    Args:
        offers: Roles of each dataset.
        device: Where they run.
    """
    tasks = [task for task, pair in PAIRS.items() if any(set(pair) <= set(o) for o in offers)]
    roles = [role for task in tasks for role in PAIRS[task]]
    if any("visible" in offer for offer in offers) and "visible" not in roles:
        roles.append("visible")
    known = set(methods.names())
    found = [predictor.load("average", device=device, task=task) for task in tasks]
    return found + [predictor.load(role, device=device) for role in roles if role in known]


def fitting(predictors: Sequence[Predictor], roles: Collection[str]) -> list[Predictor]:
    """Those whose inputs a dataset offers, one form of each method: the first one that fits."""
    found: dict[str, Predictor] = {}
    for one in predictors:
        if set(one.method.inputs) <= set(roles):
            found.setdefault(one.label, one)
    return list(found.values())


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
        return [open_dataset(name, data, limit) for name in split_names(spec)], []
    found, skipped = [], []
    for name in _real_datasets():
        try:
            found.append(open_dataset(name, data, limit))
        except DataError as error:
            skipped.append(f"dataset {name}: {error}")
    return found or [open_dataset(FALLBACK, data, limit)], skipped


def _real_datasets() -> Iterator[str]:
    for name in datasets.names():
        entry: Dataset = catalog.find("fusionzoo.datasets", name)
        if not entry.drawn:
            yield name


def open_dataset(
    name: str, data: Path | None = None, limit: int | None = None
) -> tuple[str, Dataset, Listing]:
    """Catalogue name, entry and scenes of "name" or "name:split", cut to the first `limit`.

    Raises:
        UnknownNameError: A name or split no dataset has.
        DataError: It is not on this machine.
    """
    entry, split = datasets.parse(name)
    listing = entry.listing(data, split)
    if limit is not None and limit < len(listing.items):
        cut = f"{split}{CUT}{limit}"
        listing = replace(listing, items=listing.items[:limit], split=cut)
    return name.partition(":")[0].lower().replace("-", "_"), entry, listing

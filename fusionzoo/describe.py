"""Facts about catalogue entries as text; nothing here imports torch."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fusionzoo import catalog, datasets, metrics, weights
from fusionzoo.core import (
    Benchmark,
    DataError,
    Dataset,
    FusionZooError,
    Method,
    Metric,
    UnknownNameError,
    Weights,
    hash_of,
)

PACKAGES = ("fusionzoo.methods", "fusionzoo.metrics", "fusionzoo.datasets", "fusionzoo.benchmarks")


def describe(name: str) -> str:
    """Everything the zoo knows of what is called `name`: "vifb" is a dataset and a convention.

    Raises:
        UnknownNameError: No catalogue has it; the message lists near names of all of them.
    """
    found = list(_entries(name))
    if found:
        return "\n\n".join(found)
    known = sorted({n for package in PACKAGES for n in catalog.names(package)})
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `fusionzoo list`"
    raise UnknownNameError(f"nothing in the zoo is called '{name}': {hint}")


def _entries(name: str) -> Iterator[str]:
    """Facts of the catalogue entries and the metric convention of that name, else of the symbol."""
    facts: dict[type, Callable[[Any], list[tuple[str, str]]]] = {
        Method: _method, Metric: _metric, Dataset: _dataset, Benchmark: _benchmark,
    }  # fmt: skip
    known = False
    for package in PACKAGES:
        with contextlib.suppress(UnknownNameError):
            entry = catalog.find(package, name)
            known = True
            summary = catalog.summary(package, catalog.spelled(package, name))
            yield _facts(name, summary, facts[type(entry)](entry))
    with contextlib.suppress(UnknownNameError):
        rule = metrics.find_convention(name)
        known = True
        yield _facts(name, rule.title, _convention(name))
    if not known:
        with contextlib.suppress(UnknownNameError):
            entry = metrics.find(name)
            yield _facts(entry.symbol, entry.title, _metric(entry))


def _facts(name: str, summary: str, lines: list[tuple[str, str]]) -> str:
    width = max(len(key) for key, _ in lines)
    shown = (f"  {key:<{width}}  {value}" for key, value in lines if value)
    return "\n".join([f"{name}: {summary}", *shown])


def _convention(name: str) -> list[tuple[str, str]]:
    rule = metrics.find_convention(name)
    columns = rule.metrics or {}
    return [
        ("kind", "metric convention"),
        ("used by", rule.papers),
        ("colour", rule.colour),
        ("leaves out", ", ".join(rule.without)),
        *((symbol, _differs(column)) for symbol, column in columns.items()),
    ]


def _differs(column: metrics.Definition) -> str:
    """What a convention does to one metric."""
    parts = [f"{key} {value}" for key, value in column.options.items()]
    parts += [f"is {column.of}"] if column.of else []
    parts += [f"colour {column.colour}"] if column.colour else []
    text = ", ".join(parts) or "as standard"
    return f"{text} ({column.note})" if column.note else text


def _method(entry: Method) -> list[tuple[str, str]]:
    return [
        ("kind", "method"),
        ("task", entry.task),
        ("takes", _takes(entry)),
        ("colour", entry.colour),
        ("paper", entry.paper),
        ("licence", entry.license),
        ("trains by", f"fusionzoo train ({entry.recipe})" if entry.recipe else ""),
        *((f"--dial {name}=", meaning) for name, meaning in entry.dials.items()),
        *_weights(entry),
    ]


def _takes(entry: Method) -> str:
    """Inputs of every form, with its task if there are several."""
    forms = entry.forms.items()
    return "; ".join(
        ", ".join(form.inputs) + (f" ({task})" if len(forms) > 1 else "") for task, form in forms
    )


def _weights(entry: Method) -> Iterator[tuple[str, str]]:
    if not entry.weights:
        yield "weights", "none needed"
    for task, form in entry.forms.items():
        suffix = f" ({task})" if entry.variants else ""
        for tag, spec in form.weights.items():
            yield f"weights '{tag}'{suffix}", _one_weight(spec)


def _one_weight(spec: Weights) -> str:
    seen = ", ".join(spec.trained_on) or "nothing known"
    place = weights.locate(spec)
    state = f"at hand ({place})" if place else f"not on this machine; get it from {spec.source}"
    sha256 = spec.sha256 or ("of the shipped file" if spec.file else "not published")
    return f"licence {spec.license}; trained on {seen}; sha256 {sha256}; {state}"


def _metric(entry: Metric) -> list[tuple[str, str]]:
    low, high = ("" if bound is None else f"{bound:g}" for bound in entry.range)
    compares = {"none": "the output alone", "sources": "the output with both sources"}
    return [
        ("kind", "metric"),
        ("symbol", entry.symbol),
        ("title", entry.title),
        ("measures", compares.get(entry.reference, f"the output with the {entry.reference}")),
        ("better", "higher" if entry.higher_is_better else "lower"),
        ("range", f"{low or 'unbounded'} .. {high or 'unbounded'} {entry.unit}".strip()),
        ("smallest side", f"{entry.minimum_side} pixels"),
        ("source", entry.paper),
        ("version", str(entry.version)),
        *(
            (f"under {name}", _differs(rule.definition(entry.symbol)))
            for name, rule in metrics.CONVENTIONS.items()
            if rule.metrics and rule.defines(entry.symbol)
        ),
    ]


def _dataset(entry: Dataset) -> list[tuple[str, str]]:
    classes = entry.classes
    return [
        ("kind", "dataset"),
        ("title", entry.title),
        ("offers", ", ".join(entry.roles) + (f", {entry.target}" if entry.target else "")),
        *((f"split '{split}'", text) for split, text in entry.splits.items()),
        ("classes", f"{len(classes.names)}: {', '.join(classes.names)}" if classes else ""),
        ("shares scenes with", ", ".join(entry.shares)),
        ("paper", entry.paper),
        ("data from", entry.source),
        ("terms", entry.terms),
    ]


def _benchmark(entry: Benchmark) -> list[tuple[str, str]]:
    return [
        ("kind", "benchmark"),
        ("title", entry.title),
        ("methods", ", ".join(entry.methods)),
        ("datasets", ", ".join(entry.datasets)),
        ("metrics", ", ".join(entry.metrics)),
    ]


def data_table(root: Path | None) -> str:
    """One line per dataset: how many scenes were found where, or where to get them."""
    lines = []
    for name in datasets.names():
        entry: Dataset = datasets.find(name)
        try:
            listing = entry.listing(root, entry.default_split)
        except DataError:
            lines.append(f"{name:<10} not found   {entry.source}")
            continue
        place = listing.root or "drawn in code"
        faults = f", {len(listing.problems)} unusable" if listing.problems else ""
        lines.append(f"{name:<10} {len(listing.items):>5} scenes{faults}   {place}")
    return "\n".join(lines)


def check(text: str, root: Path | None) -> tuple[str, int]:
    """Facts of a dataset on this machine, and how many of its scenes are faulty.

    Every picture is decoded. Known misalignments are in the dataset's own description.

    Args:
        text: "name" (all its splits) or "name:split".
        root: Data root.

    Raises:
        DataError: It is not on this machine.
    """
    entry, chosen = datasets.parse(text)
    lines, faults, seen = [f"{text}: {entry.title}"], 0, set()
    for split in [chosen] if ":" in text else entry.splits:
        try:
            listing = entry.listing(root, split)
        except DataError as error:
            if split == entry.default_split:
                raise
            lines.append(f"  {split}: {error}")
            continue
        sizes: dict[tuple[int, int], int] = {}
        problems = list(listing.problems)
        for item in listing.items:
            try:
                picture = next(iter(item.load().images.values()))
                size = (int(picture.shape[-1]), int(picture.shape[-2]))
                sizes[size] = sizes.get(size, 0) + 1
            except FusionZooError as error:
                problems.append(f"{item.name}: {error}")
        common = sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))
        shown = ", ".join(f"{w}x{h} ({n})" for (w, h), n in common[:4])
        rest = f" and {len(common) - 4} more sizes" if len(common) > 4 else ""
        lines.append(
            f"  {split}: {sum(sizes.values())} scenes in {listing.root or 'code'}; {shown}{rest}; "
            f"list hash {hash_of(*sorted(item.name for item in listing.items))}"
        )
        fresh = [problem for problem in problems if problem not in seen]
        seen.update(fresh)
        faults += len(fresh)
        lines += [f"    {problem}" for problem in fresh]
    lines += [f"  known: {line}" for line in _known_faults(text.partition(":")[0])]
    return "\n".join(lines), faults


def _known_faults(name: str) -> list[str]:
    """Sentences of a dataset's description that speak of misalignment."""
    module = catalog.documentation("fusionzoo.datasets", name.lower().replace("-", "_"))
    sentences = " ".join(module.split()).split(". ")
    return [s.strip().rstrip(".") + "." for s in sentences if "misalign" in s.lower()]

"""Facts about catalogue entries as text; nothing here imports torch."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from fusionzoo import catalog, weights
from fusionzoo.core import Benchmark, Dataset, Method, Metric, UnknownNameError, Weights

PACKAGES = ("fusionzoo.methods", "fusionzoo.metrics", "fusionzoo.datasets", "fusionzoo.benchmarks")


def describe(name: str) -> str:
    """Everything the zoo knows of a method, metric, dataset or benchmark called `name`.

    Raises:
        UnknownNameError: No catalogue has it; the message lists near names of all of them.
    """
    for package in PACKAGES:
        try:
            entry = catalog.find(package, name)
        except UnknownNameError:
            continue
        facts = {Method: _method, Metric: _metric, Dataset: _dataset, Benchmark: _benchmark}
        lines = facts[type(entry)](entry)
        heading = f"{name}: {catalog.summary(package, name.lower().replace('-', '_'))}"
        width = max(len(key) for key, _ in lines)
        return "\n".join(
            [heading, *(f"  {key:<{width}}  {value}" for key, value in lines if value)]
        )
    known = sorted({n for package in PACKAGES for n in catalog.names(package)})
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `fusionzoo list`"
    raise UnknownNameError(f"nothing in the zoo is called '{name}': {hint}")


def _method(entry: Method) -> list[tuple[str, str]]:
    return [
        ("kind", "method"),
        ("task", entry.task),
        ("takes", ", ".join(entry.inputs)),
        ("colour", entry.colour),
        ("paper", entry.paper),
        ("licence", entry.license),
        ("trains by", f"fusionzoo train ({entry.recipe})" if entry.recipe else ""),
        *_weights(entry),
    ]


def _weights(entry: Method) -> Iterator[tuple[str, str]]:
    if not entry.weights:
        yield "weights", "none needed"
    for tag, spec in entry.weights.items():
        yield f"weights '{tag}'", _one_weight(spec)


def _one_weight(spec: Weights) -> str:
    seen = ", ".join(spec.trained_on) or "nothing known"
    place = weights.locate(spec)
    state = f"at hand ({place})" if place else f"not on this machine; get it from {spec.source}"
    return f"licence {spec.license}; trained on {seen}; sha256 {spec.sha256}; {state}"


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
    ]


def _dataset(entry: Dataset) -> list[tuple[str, str]]:
    classes = entry.classes
    return [
        ("kind", "dataset"),
        ("title", entry.title),
        ("offers", ", ".join(entry.roles) + (f", {entry.target}" if entry.target else "")),
        *((f"split '{split}'", text) for split, text in entry.splits.items()),
        ("classes", f"{len(classes.names)}: {', '.join(classes.names)}" if classes else ""),
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

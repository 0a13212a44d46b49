"""Scenes as work: decoded ahead by a thread, and turned into what metrics compare with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from fusionzoo import image, metrics
from fusionzoo.core import FusionZooError, Item, Metric, Sample

AHEAD = 2


def load(item: Item) -> Sample | FusionZooError:
    """The decoded sample, or the error that opening it raised."""
    try:
        return item.load()
    except FusionZooError as error:
        return error


def samples(items: Iterable[Item]) -> Iterator[tuple[Item, Sample | FusionZooError]]:
    """Each item with its decoded sample, in order, or with the error that opening it raised.

    Items are asked for when they are needed, `AHEAD` scenes ahead.
    """
    pending: deque[tuple[Item, Future[Sample | FusionZooError]]] = deque()
    rest = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="decode") as pool:
        try:
            for item in rest:
                pending.append((item, pool.submit(load, item)))
                if len(pending) > AHEAD:
                    first, future = pending.popleft()
                    yield first, future.result()
            while pending:
                first, future = pending.popleft()
                yield first, future.result()
        finally:
            for _, future in pending:
                future.cancel()


def reference_planes(sample: Sample) -> dict[str, metrics.Plane]:
    """What metrics compare with: the 8-bit sources, and the clean picture if there is one."""
    clean = sample.images if sample.references is None else sample.references
    roles = {role for pair in metrics.SOURCES for role in pair} & set(clean)
    planes = {role: metrics.Plane(image.to_levels(clean[role])) for role in sorted(roles)}
    if sample.target is not None and sample.target.ndim == 3:
        planes["target"] = metrics.Plane(image.to_levels(sample.target))
    return planes


def applicable(chosen: Sequence[Metric], references: Iterable[str]) -> list[Metric]:
    """The metrics whose reference is among `references`: roles, and "target"."""
    present = set(references)
    pair = any(set(roles) <= present for roles in metrics.SOURCES)
    offered = {"none"} | ({"sources"} if pair else set())
    offered |= present & {"target"}
    return [metric for metric in chosen if metric.reference in offered]

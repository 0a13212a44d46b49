"""Decode ahead: the next scene is opened by a thread while the current one is being worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from fusionzoo.core import FusionZooError, Item, Sample

AHEAD = 2


def _load(item: Item) -> Sample | FusionZooError:
    try:
        return item.load()
    except FusionZooError as error:
        return error


def samples(items: Sequence[Item]) -> Iterator[tuple[Item, Sample | FusionZooError]]:
    """Each item with its decoded sample, in order, or with the error that opening it raised."""
    pending: deque[tuple[Item, Future[Sample | FusionZooError]]] = deque()
    rest = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="decode") as pool:
        try:
            for item in rest:
                pending.append((item, pool.submit(_load, item)))
                if len(pending) > AHEAD:
                    first, future = pending.popleft()
                    yield first, future.result()
            while pending:
                first, future = pending.popleft()
                yield first, future.result()
        finally:
            for _, future in pending:
                future.cancel()

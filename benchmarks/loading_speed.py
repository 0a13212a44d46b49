"""Batches a second of Trans4PASS's training beside a thread that launches kernels all the time.

    python benchmarks/loading_speed.py [seconds]

A thread that drives a GPU hardly ever lets go of Python's interpreter; here it adds to four numbers
without end, so no GPU is needed. What the launching thread itself achieves is printed too.
"""

from __future__ import annotations

import sys
import threading
import time

import torch
from tabulate import tabulate

from fusionzoo import datasets
from fusionzoo.methods.trans4pass.recipe import Recipe, SupervisedSettings
from fusionzoo.train.batches import Batches, Stream


def launches(until: threading.Event) -> int:
    """Operations begun until the event is set."""
    count, x = 0, torch.zeros(4)
    while not until.is_set():
        for _ in range(20):
            x.add(1)
        count += 20
    return count


def rates(batches: Batches, threads: int, seconds: float) -> tuple[float, float]:
    """Batches and launches per second, the batches made by so many threads."""
    enough = threading.Event()
    made = 0

    def take() -> None:
        nonlocal made
        began = time.perf_counter()
        supply = batches.ahead(0, 10**9, threads)
        while time.perf_counter() - began < seconds:
            next(supply)
            made += 1
        enough.set()
        supply.close()  # type: ignore[attr-defined]

    taker = threading.Thread(target=take)
    taker.start()
    begun = launches(enough)
    taker.join()
    return made / seconds, begun / seconds


def main(seconds: float) -> None:
    """Measure, interleaved."""
    torch.set_num_threads(1)
    recipe = Recipe(SupervisedSettings(), torch.device("cpu"))
    items = datasets.find("demo").listing(None, "test").items[:6]
    batches = Batches([Stream("", items, recipe, (480, 640), 0)], batch=6)
    batches.at(0)
    kinds = (1, 2, 4)
    found = [[rates(batches, threads, seconds) for threads in kinds] for _ in range(3)]
    rows = []
    for number, threads in enumerate(kinds):
        made, begun = zip(*(row[number] for row in found), strict=True)
        rows.append((threads, sorted(made)[1], sorted(begun)[1]))
    print(tabulate(rows, ("threads", "batches/s", "launches/s"), "github", floatfmt=".1f"))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3)

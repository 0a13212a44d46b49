"""How well a benchmark uses two cores: overlap of its stages, two workers, and memory.

1. Overlap: decoding, networks and metrics of RoadScene's 221 pairs, each alone and then together,
   with one thread per stage, so that no stage alone fills two cores. The aim is a total of at most
   1.25x the slowest stage alone.
2. Workers: work whose time is in the metrics, by one worker process and by two, one thread each;
   processes are started beforehand. The aim is 1.5x.
3. Memory: peak of a process that measures 200 and 2,000 synthetic pairs of 480x640.

Run it on an otherwise idle machine with the pictures under FUSIONZOO_DATA:

    python benchmarks/bench_throughput.py [overlap] [workers] [memory] [--limit N]
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

import fusionzoo
from fusionzoo import bench, grid, image, metrics, scenes
from fusionzoo.core import Item, Listing, Sample, hash_of
from fusionzoo.engines.job import limit_threads, processors
from fusionzoo.engines.local import Local

PARTS = ("overlap", "workers", "memory")
SEVERAL = ("average", "laplacian", "guided_filter")
SIZE = (480, 640)


def cells(methods: tuple[str, ...], out: Path, limit: int | None) -> bench.Grid:
    name, entry, listing = grid.open_dataset("roadscene", None, limit)
    loaded = [fusionzoo.load(method, device="cpu") for method in methods]
    return bench.Grid(name, entry, listing, loaded, metrics.select("core"), out, keep=0)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def stages(one: bench.Grid) -> dict[str, float]:
    """Seconds of each stage alone, over all scenes, in one thread."""
    times = dict.fromkeys(("decode", "networks", "metrics"), 0.0)
    chosen = one.applicable()
    for item in one.listing.items:
        begun = time.perf_counter()
        sample = item.load()
        decoded = time.perf_counter()
        outputs = [image.to_levels(method.fuse(sample)[0]) for method in one.predictors]
        fused = time.perf_counter()
        references = scenes.reference_planes(sample)
        for levels in outputs:
            metrics.observe(chosen, metrics.Plane(levels), **references)
        measured = time.perf_counter()
        times["decode"] += decoded - begun
        times["networks"] += fused - decoded
        times["metrics"] += measured - fused
    return times


def overlap(limit: int | None) -> None:
    for methods in (SEVERAL, ("sage",), ("sage", *SEVERAL)):
        with tempfile.TemporaryDirectory() as folder:
            one = cells(methods, Path(folder), limit)
            bench.run(cells(methods, Path(folder) / "warm", 2))
            alone = stages(one)
            total = seconds(partial(bench.run, one))
        slowest = max(alone, key=lambda stage: alone[stage])
        parts = ", ".join(f"{stage} {value:.1f} s" for stage, value in alone.items())
        print(f"{' + '.join(methods)}, {len(one.listing.items)} pairs: {parts}; together "
              f"{total:.1f} s = {total / alone[slowest]:.2f}x {slowest} alone, "
              f"{total / sum(alone.values()):.2f}x their sum", flush=True)  # fmt: skip


def workers(limit: int | None) -> None:
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 2):
            with Local(count, 1) as machine:
                warm = cells(SEVERAL, Path(folder) / f"warm{count}", 4 * count)
                bench.run(warm, compute=machine.compute)
                one = cells(SEVERAL, Path(folder) / str(count), limit)
                times[count] = seconds(partial(bench.run, one, compute=machine.compute))
    print(f"{' + '.join(SEVERAL)}, {len(one.listing.items)} pairs: one worker {times[1]:.1f} s, "
          f"two {times[2]:.1f} s: {times[1] / times[2]:.2f}x", flush=True)  # fmt: skip


def drawn(number: int) -> Sample:
    generator = torch.Generator().manual_seed(number)
    images = {role: torch.rand(channels, *SIZE, generator=generator)
              for role, channels in (("visible", 3), ("infrared", 1))}  # fmt: skip
    return Sample(f"{number:05}", images)


def peak(count: int) -> None:
    """Measure synthetic pairs and print this process's peak in MiB."""
    items = tuple(
        Item(f"{i:05}", partial(drawn, i), partial(hash_of, "synthetic", i)) for i in range(count)
    )
    entry = grid.open_dataset("demo", None, 1)[1]
    methods = [fusionzoo.load(method, device="cpu") for method in ("average", "max")]
    chosen = metrics.select("EN,SD,SF,AG,SCD")
    with tempfile.TemporaryDirectory() as folder:
        listing = Listing(items, (), None, "synthetic")
        bench.run(bench.Grid("synthetic", entry, listing, methods, chosen, Path(folder), keep=0))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def memory(_limit: int | None) -> None:
    peaks = {}
    for count in (200, 2000):
        command = [sys.executable, __file__, "--peak", str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[count] = float(done.stdout)
    held = 2000 * 4 * 4 * SIZE[0] * SIZE[1] / 2**20
    print(f"peak {peaks[200]:.0f} MiB with 200 pairs, {peaks[2000]:.0f} MiB with 2,000 (holding "
          f"their sources would take {held:.0f} MiB)", flush=True)  # fmt: skip


def chosen(options: argparse.Namespace) -> Iterator[Callable[[int | None], None]]:
    for name in options.parts or PARTS:
        yield {"overlap": overlap, "workers": workers, "memory": memory}[name]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--limit", type=int, help="Only the first pairs of RoadScene.")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    limit_threads(1)
    if options.peak:
        peak(options.peak)
        return
    print(f"{processors()} processors, load before the start {os.getloadavg()[0]:.1f}")
    for part in chosen(options):
        part(options.limit)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

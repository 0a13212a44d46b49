"""A 3840x2160 pair through TC-MoA's shipped weights: seconds, peak memory, and what tiles change.

Tiles cannot give what the whole picture gives: positions and windows are those of the tile. What
counts is that no seam shows, so the second line compares steps between neighbouring pixels where
tiles begin or end with the same steps of the picture that went through whole.
"""

import resource
import time

import numpy as np
import torch

import fusionzoo
from fusionzoo import datasets, tiling

TILE, OVERLAP = 280, 112


def borders(length: int) -> list[int]:
    """Where tiles begin or end inside a side of `length` pixels."""
    starts = tiling.blended_starts(length, TILE, OVERLAP)
    edges = {*starts, *(start + TILE for start in starts)}
    return sorted(edge for edge in edges if 0 < edge < length)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    size = (2160, 3840)
    start = time.process_time()
    method = fusionzoo.load("tc_moa@zoo", device="cpu")
    method(visible=torch.rand(3, *size), infrared=torch.rand(1, *size))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"3840x2160 in tiles: {seconds:.1f} s of one core, peak {peak:.2f} GiB", flush=True)
    pair = datasets.find("demo").listing(None, "test").items[0].load().images
    whole, tiled = (
        fusionzoo.load("tc_moa@zoo", device="cpu", tile=tile)(**pair).mean(0).numpy() * 255
        for tile in (0, TILE)
    )
    at = np.array(borders(whole.shape[1])) - 1
    steps = [float(np.abs(np.diff(p, axis=1))[:, at].mean()) for p in (tiled, whole)]
    off = np.abs(whole - tiled)
    print(
        f"{whole.shape[1]}x{whole.shape[0]}, tiles of {TILE} against one piece: mean "
        f"{off.mean():.3f}, max {off.max():.2f} levels; steps at "
        f"tiles' borders {steps[0]:.3f}, there in one piece {steps[1]:.3f}"
    )


if __name__ == "__main__":
    main()

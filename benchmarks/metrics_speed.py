"""Metrics on a 1024x768 triple, one thread, against public implementations; cost by size.

Processor time (`time.process_time`), so that other work on the machine disturbs it little; what is
compared takes turns in one process. The peers are what a user would combine today: scikit-image's
Gaussian SSIM and torchmetrics' MS-SSIM on both sources, the other five straight from their formulas
in NumPy.
"""

import statistics
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim

from fusionzoo import metrics
from fusionzoo.core import Metric

Levels = NDArray[np.uint8]
SEVEN = metrics.select("EN,SD,SF,AG,SCD,SSIM,MS-SSIM")
EVERY = [m for m in metrics.select("all") if m.reference in ("none", "sources")]
WITHOUT_FMI = [m for m in EVERY if not m.symbol.startswith("FMI")]
FMI = [m for m in EVERY if m.symbol.startswith("FMI")]
SIZES = ((192, 256), (384, 512), (768, 1024), (1536, 2048))
TURNS = 7


def triple(height: int = 768, width: int = 1024) -> list[Levels]:
    """Smooth random pictures; contents do not matter for the time."""
    generator = np.random.default_rng(0)
    noise = [generator.normal(0, 1, (height, width)).astype(np.float32) for _ in range(2)]
    smooth = [cv2.GaussianBlur(n, (0, 0), s) for n, s in zip(noise, (2, 9), strict=True)]
    first, second = (np.clip(128 + 60 * p / p.std(), 0, 255).astype(np.uint8) for p in smooth)
    return [np.maximum(first, second), first, second]


def score(chosen: Sequence[Metric], pictures: Sequence[Levels], methods: int = 1) -> None:
    """Several fused pictures of one pair: the last two pictures are the sources."""
    first, second = (metrics.Plane(levels) for levels in pictures[1:])
    for _ in range(methods):
        metrics.observe(chosen, metrics.Plane(pictures[0]), infrared=first, visible=second)


def peers(fused: Levels, infrared: Levels, visible: Levels) -> None:
    image, first, second = (p.astype(np.float64) for p in (fused, infrared, visible))
    share = np.bincount(fused.ravel(), minlength=256) / fused.size
    -np.sum(share[share > 0] * np.log2(share[share > 0]))
    image.std()
    np.sqrt(np.mean(np.diff(image, axis=0) ** 2) + np.mean(np.diff(image, axis=1) ** 2))
    down, across = np.gradient(image)
    np.mean(np.sqrt((down**2 + across**2) / 2))
    np.corrcoef((image - second).ravel(), first.ravel())
    np.corrcoef((image - first).ravel(), second.ravel())
    tensor = torch.from_numpy(image)[None, None].float()
    for source in (infrared, visible):
        structural_similarity(
            fused, source, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=255,
        )  # fmt: skip
        other = torch.from_numpy(source)[None, None].float()
        ms_ssim(tensor, other, data_range=255.0)


def turns(runs: dict[str, Callable[[], object]], count: int = TURNS) -> dict[str, float]:
    """Median milliseconds of each, taking turns; the first turn warms up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(count + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values[1:]) * 1e3 for name, values in times.items()}


def main() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    pictures = triple()
    spent = turns({
        "seven core metrics": lambda: score(SEVEN, pictures),
        "their peers": lambda: peers(*pictures),
        f"all {len(WITHOUT_FMI)} but FMI": lambda: score(WITHOUT_FMI, pictures),
    })  # fmt: skip
    spent |= turns({f"FMI, {len(FMI)} features": lambda: score(FMI, pictures)}, 1)
    for name, value in spent.items():
        print(f"{name:<22} {value:7.0f} ms")
    print(f"peers / seven: {spent['their peers'] / spent['seven core metrics']:.1f}x")

    print("\nmilliseconds per megapixel    seven    all but FMI")
    scaled = {size: triple(*size) for size in SIZES}
    by_size = turns({
        f"{kind} {size}": lambda chosen=chosen, size=size: score(chosen, scaled[size])
        for kind, chosen in (("seven", SEVEN), ("all", WITHOUT_FMI)) for size in SIZES
    }, 3)  # fmt: skip
    for size in SIZES:
        million = size[0] * size[1] / 1e6
        cells = (by_size[f"{kind} {size}"] / million for kind in ("seven", "all"))
        print(f"{size[1]:>5}x{size[0]:<5}              " + "".join(f"{c:>12.0f}" for c in cells))

    print("\nfused pictures on one pair    all but FMI, ms    each alone, ms")
    counts = (1, 2, 4, 8)
    by_count = turns({str(n): lambda n=n: score(WITHOUT_FMI, pictures, n) for n in counts}, 3)
    for n in counts:
        print(f"{n:>3} {by_count[str(n)]:>32.0f} {n * by_count['1']:>17.0f}")
    each = (by_count["8"] - by_count["1"]) / 7
    print(
        f"a further picture costs {each:.0f} ms; the sources, once, {by_count['1'] - each:.0f} ms"
    )


if __name__ == "__main__":
    main()

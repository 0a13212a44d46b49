"""The seven image metrics on a 1024x768 triple, one thread, against public implementations.

The peers are what a user would combine today: scikit-image's Gaussian SSIM and torchmetrics'
MS-SSIM on both sources, and the other five straight from their formulas in NumPy.
"""

import statistics
import time

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim

from fusionzoo import metrics

Levels = NDArray[np.uint8]


def triple() -> list[Levels]:
    """Smooth random pictures; contents do not matter for the time."""
    generator = np.random.default_rng(0)
    noise = [generator.normal(0, 1, (768, 1024)).astype(np.float32) for _ in range(2)]
    smooth = [cv2.GaussianBlur(n, (0, 0), s) for n, s in zip(noise, (2, 9), strict=True)]
    first, second = (np.clip(128 + 60 * p / p.std(), 0, 255).astype(np.uint8) for p in smooth)
    return [np.maximum(first, second), first, second]


def ours(fused: Levels, infrared: Levels, visible: Levels) -> None:
    chosen = metrics.select("EN,SD,SF,AG,SCD,SSIM,MS-SSIM")
    planes = [metrics.Plane(levels) for levels in (infrared, visible)]
    metrics.observe(chosen, metrics.Plane(fused), infrared=planes[0], visible=planes[1])


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


def main() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    pictures = triple()
    times: dict[str, list[float]] = {"fusionzoo": [], "peers": []}
    for _ in range(7):
        for name, run in (("fusionzoo", ours), ("peers", peers)):
            start = time.perf_counter()
            run(*pictures)
            times[name].append(time.perf_counter() - start)
    mine, theirs = (statistics.median(values[1:]) * 1e3 for values in times.values())
    print(f"fusionzoo {mine:.0f} ms, peers {theirs:.0f} ms per triple: {theirs / mine:.1f}x")


if __name__ == "__main__":
    main()

"""Agreement with live public references, on random and on real pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr
from skimage.measure import shannon_entropy
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import (
    structural_similarity_index_measure,
    visual_information_fidelity,
)

from fusionzoo import image, metrics
from tests.metrics.pictures import synthetic

Pictures = list[np.ndarray]
REAL = ("00000", "00001")


@pytest.fixture(params=["random", "noise", *REAL])
def pictures(request: pytest.FixtureRequest) -> Pictures:
    """Fused, infrared, visible."""
    if request.param == "random":
        return synthetic(140, 171, 5)
    if request.param == "noise":
        return list(np.random.default_rng(3).integers(0, 256, (3, 96, 111), np.uint8))
    shared: Path = request.getfixturevalue("shared")
    folder = shared / "data" / "M3FD_Detection"
    paths = [shared / "golden" / "sage_results", folder / "Ir", folder / "Vis"]
    whole = [image.grey(image.read(path / f"{request.param}.png")) for path in paths]
    return [np.ascontiguousarray(picture[256:456, 300:551]) for picture in whole]


def both(compare: Callable[[np.ndarray, np.ndarray], float], pictures: Pictures) -> float:
    fused, *sources = pictures
    return float(sum(compare(fused, source) for source in sources))


def gaussian_ssim(one: np.ndarray, two: np.ndarray) -> float:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(one, two, data_range=255, **options))


def uniform_ssim(one: np.ndarray, two: np.ndarray) -> float:
    return float(structural_similarity(one, two, data_range=2))


def double(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.astype(np.float64))[None, None]


def torchmetrics_ssim(one: np.ndarray, two: np.ndarray) -> float:
    """Its map where the window lies inside; its own mean also counts mirrored borders."""
    _, full = structural_similarity_index_measure(
        double(one), double(two), data_range=255.0, return_full_image=True
    )
    return float(full[..., 5:-5, 5:-5].mean())


def torchmetrics_vif(one: np.ndarray, two: np.ndarray) -> float:
    return float(visual_information_fidelity(double(one), double(two)))


REFERENCES: dict[tuple[str, str], tuple[Callable[[Pictures], float], float]] = {
    ("EN", "standard"): (lambda p: float(shannon_entropy(p[0])), 1e-9),
    ("CC", "standard"): (
        lambda p: both(lambda f, x: pearsonr(f.ravel(), x.ravel()).statistic, p) / 2, 1e-9),
    ("MSE", "standard"): (lambda p: both(mean_squared_error, p) / 2, 1e-9),
    ("SSIM", "standard"): (lambda p: both(gaussian_ssim, p), 1e-6),
    ("SSIM", "cddfuse"): (lambda p: both(uniform_ssim, [x.astype(float) for x in p]), 1e-6),
    ("VIFp", "standard"): (lambda p: both(torchmetrics_vif, p), 1e-6),
}  # fmt: skip


@pytest.mark.parametrize(("symbol", "convention"), REFERENCES)
def test_equal_to_the_reference(pictures: Pictures, symbol: str, convention: str) -> None:
    reference, tolerance = REFERENCES[symbol, convention]
    planes = [metrics.Plane(p) for p in pictures]
    chosen = metrics.select(symbol, convention)
    seen = metrics.observe(chosen, planes[0], convention, infrared=planes[1], visible=planes[2])
    assert seen[symbol].value == pytest.approx(reference(pictures), rel=tolerance)


def test_ssim_equals_torchmetrics(pictures: Pictures) -> None:
    seen = metrics.evaluate(pictures[0], infrared=pictures[1], visible=pictures[2], metrics="SSIM")
    assert seen["SSIM"].value == pytest.approx(both(torchmetrics_ssim, pictures), rel=1e-6)


def test_restoration_equals_scikit_image() -> None:
    rng = np.random.default_rng(4)
    clean = rng.integers(0, 256, (40, 57, 3), np.uint8)
    output = (clean.astype(int) + rng.integers(-9, 10, clean.shape)).clip(0, 255).astype(np.uint8)
    seen = metrics.evaluate(output, target=clean, metrics="restoration")
    assert seen["PSNR-T"].value == pytest.approx(peak_signal_noise_ratio(clean, output), rel=1e-9)
    expected = structural_similarity(
        clean, output, channel_axis=2, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, data_range=255,
    )  # fmt: skip
    assert seen["SSIM-T"].value == pytest.approx(expected, rel=1e-6)
    published = metrics.evaluate(output, target=clean, metrics="SSIM-T", convention="mitnet")
    uniform = structural_similarity(clean / 255, output / 255, channel_axis=2, data_range=1)
    assert published["SSIM-T"].value == pytest.approx(uniform, rel=1e-6)

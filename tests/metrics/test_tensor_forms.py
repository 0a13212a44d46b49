"""Metrics on tensors: equal to the files' metrics, in both precisions, with finite gradients."""

import numpy as np
import pytest
import torch

from fusionzoo import metrics
from fusionzoo.core import UnknownNameError
from tests.metrics.pictures import synthetic

SYMBOLS = [m.symbol for m in metrics.select("all") if m.tensor]
FLAT = torch.full((1, 1, 176, 180), 0.5, dtype=torch.float64)


def tensors(pictures: list[np.ndarray], dtype: torch.dtype) -> list[torch.Tensor]:
    return [torch.from_numpy(p / 255.0).to(dtype)[None, None] for p in pictures]


def value(symbol: str, pictures: list[torch.Tensor]) -> torch.Tensor:
    alone = metrics.find(symbol).reference == "none"
    return metrics.tensor_form(symbol)(*(pictures[:1] if alone else pictures))


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("size", [(192, 256, 7), (177, 213, 11)])
def test_equal_to_the_metric_of_files(symbol: str, size: tuple[int, int, int]) -> None:
    pictures = synthetic(*size)
    planes = [metrics.Plane(p) for p in pictures]
    seen = metrics.observe([metrics.find(symbol)], planes[0], infrared=planes[1], visible=planes[2])
    exact = value(symbol, tensors(pictures, torch.float64)).item()
    assert exact == pytest.approx(seen[symbol].value, rel=1e-6)
    rough = value(symbol, tensors(pictures, torch.float32)).item()
    assert rough == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_batch_is_its_pictures(symbol: str) -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = list(torch.rand(3, 4, 1, 170, 162, generator=generator, dtype=torch.float64))
    whole = value(symbol, pictures)
    assert whole.shape == (4,)
    single = torch.cat([value(symbol, [p[i : i + 1] for p in pictures]) for i in range(4)])
    assert torch.allclose(whole, single, rtol=1e-9)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("case", ["noise", "flat", "identical", "opposite"])
def test_gradients_are_finite(symbol: str, case: str) -> None:
    noise = torch.rand(FLAT.shape, generator=torch.Generator().manual_seed(1), dtype=FLAT.dtype)
    fused, source = {
        "noise": (noise.flip(2), noise),
        "flat": (FLAT, noise),
        "identical": (noise, noise),
        "opposite": (1 - noise, noise),
    }[case]
    fused = fused.clone().requires_grad_()
    value(symbol, [fused, source, noise.flip(3)]).sum().backward()
    assert fused.grad is not None
    assert torch.isfinite(fused.grad).all()
    if case == "noise":
        assert fused.grad.abs().max() > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_gpu_agrees(symbol: str) -> None:
    pictures = tensors(synthetic(192, 256, 7), torch.float32)
    here = value(symbol, pictures).item()
    there = value(symbol, [p.cuda() for p in pictures]).item()
    assert there == pytest.approx(here, rel=1e-4)


def test_a_metric_of_counts_has_no_tensor_form() -> None:
    with pytest.raises(UnknownNameError, match=r"EN has no form on tensors; .*SSIM"):
        metrics.tensor_form("EN")

"""MACs by three rules: hand-made layers, the numbers papers print, and what must not be missed."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from fusionzoo import macs, methods, predictor
from fusionzoo.methods.mitnet.network import Mitnet

GOLDEN = Path(__file__).parent / "golden" / "trans4pass" / "model_facts.json"


def published(name: str) -> nn.Module:
    network: nn.Module = predictor.build(methods.find(name))
    return network


def test_layers_by_hand() -> None:
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),  # 8 x 10 x 10 outputs of 27 products and a bias
        nn.BatchNorm2d(8),
        nn.LeakyReLU(),
        nn.Conv2d(8, 8, 3, 2, 1, groups=4, bias=False),  # 8 x 5 x 5 outputs of 18
        nn.AvgPool2d(5),  # 8 outputs
        nn.Upsample(scale_factor=2, mode="bilinear"),  # 32 outputs
        nn.Flatten(),
        nn.Linear(32, 6),
    )
    products = 800 * 27 + 200 * 18 + 32 * 6
    assert macs.count(layers, [torch.zeros(1, 3, 10, 10)]) == {
        "torch": products,
        "thop": products + 800 + 2 * 800 + 800 + 8 + 32 * 11,
        "thop_0.1": products + 4 * 800 + 8 + 32 * 11,
    }


def test_a_transposed_convolution_counts_too_often_by_thop() -> None:
    found = macs.count(nn.ConvTranspose2d(4, 6, 2, 2), [torch.zeros(1, 4, 5, 5)])
    assert found["torch"] == 25 * 4 * 6 * 4
    assert found["thop_0.1"] == 4 * found["torch"]
    assert found["thop"] == 4 * found["torch"] + 6 * 10 * 10


def test_attention_is_counted_on_every_device() -> None:
    class Attention(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.scaled_dot_product_attention(x, x, x)

    shape = (1, 2, 16, 8)
    for device in ("cpu", "meta"):
        found = macs.count(Attention(), [torch.zeros(shape, device=device)])
        assert found == {"torch": 2 * 2 * 16 * 16 * 8, "thop": 0, "thop_0.1": 0}


def test_sage_as_published() -> None:
    found = macs.of_size(published("sage"), (1, 1), 768, 1024)
    assert found["torch"] / 1e9 == pytest.approx(51.162, abs=5e-4)
    assert found["thop"] / 1e9 == pytest.approx(52.063, abs=5e-4)
    # What the package thop 0.1.1 gives for this network.
    assert found["thop_0.1"] == 52_061_798_400


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(600, 800, 31.23), (576, 768, 28.78), (480, 640, 19.99)]
)
def test_sage_at_other_sizes(height: int, width: int, expected: float) -> None:
    found = macs.of_size(published("sage"), (1, 1), height, width)
    assert found["torch"] / 1e9 == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("name", "thop", "newer", "printed"),
    [  # by the packages thop 0.0.31 and 0.1.1 for these networks; 0.1.1 for the authors' code
        ("trans4pass_t", 12_026_689_280, 12_072_402_944, 12.07),
        ("trans4pass_s", 20_030_879_488, 20_091_977_728, 20.09),
        ("trans4pass_plus_t", 11_695_307_776, 11_729_879_040, 11.74),
        ("trans4pass_plus_s", 19_699_497_984, 19_749_453_824, 19.76),
    ],
)
def test_trans4pass_as_published(name: str, thop: int, newer: int, printed: float) -> None:
    facts = json.loads(GOLDEN.read_text())
    title = name.replace("_plus", "plus").replace("_t", "_T").replace("_s", "_S")
    found = macs.of_size(published(name), (3,), 512, 512)
    assert found["torch"] / 1e9 == pytest.approx(facts[title]["GMACs_512_total"], abs=0.006)
    assert found["thop"] == thop
    assert found["thop_0.1"] == newer
    # The authors' four heads of the second decoder pool by a module, ours by a function.
    pooled = 4 * 128 * 128 * 128 if "plus" in name else 0
    assert (newer + pooled) / 1e9 == pytest.approx(printed, abs=0.005)


def test_refusion_as_the_packages_count_it() -> None:
    found = macs.of_size(published("refusion"), (1, 1), 256, 256)
    assert (found["thop"], found["thop_0.1"]) == (3_886_022_656, 3_884_974_080)


def test_mitnet_as_published() -> None:
    network = Mitnet(20, decoder_amplitude=False)
    found = macs.of_size(network, (3,), 256, 256)
    # The authors' code evaluates the shortcut of three decoder blocks twice, and pools the
    # channels' means by a module in three filters: a sum over the plane and a division.
    sides = {20: 256, 40: 128, 80: 64}
    twice = sum(2 * width * width * side**2 for width, side in sides.items())
    pooled = sum(width * (side**2 + 1) for width, side in sides.items())
    assert (found["torch"] + twice) / 1e9 == pytest.approx(15.38, abs=0.005)
    assert (found["thop_0.1"] + twice + pooled) / 1e9 == pytest.approx(16.418, abs=5e-4)


def test_the_network_stays_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    macs.of_size(network, (1,), 8, 8)
    assert {p.device.type for p in network.parameters()} == {"cpu"}
    assert not any(module._forward_hooks for module in network.modules())

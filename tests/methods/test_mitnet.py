"""MITNet against reference values, at any size, in any precision."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

import fusionzoo
from fusionzoo import datasets
from fusionzoo.methods.mitnet.carry import carry, reduced
from fusionzoo.methods.mitnet.convert import convert
from fusionzoo.methods.mitnet.layers import phase_of, swap_amplitude, with_amplitude
from fusionzoo.methods.mitnet.network import OFFICIAL_WIDTH, STRENGTH, Mitnet, Stages, TwoStage

GOLDEN = Path(__file__).parent.parent / "golden" / "mitnet"
VALUES = json.loads((GOLDEN / "golden.json").read_text())
SHAPES = json.loads((GOLDEN / "state_dict_shapes.json").read_text())
UNUSED = json.loads((GOLDEN / "unused_params.json").read_text())


def filled() -> dict[str, Tensor]:
    """The authors' state dict with the reference values' sine pattern."""
    tensors = {}
    for index, key in enumerate(sorted(SHAPES)):
        shape = SHAPES[key]
        count = math.prod(shape)
        wave = torch.sin(0.7 * torch.arange(count, dtype=torch.float64) + 1.3 * index)
        if len(shape) == 1:
            wave = 0.1 * wave + (1.0 if key.endswith("weight") else 0.0)
        else:
            wave = wave / math.sqrt(count / shape[0])
        tensors[key] = wave.float().reshape(shape)
    return tensors


def pattern(height: int, width: int) -> Tensor:
    """The reference values' picture (1, 3, H, W)."""
    y = torch.arange(height, dtype=torch.float64)[:, None]
    x = torch.arange(width, dtype=torch.float64)[None, :]
    planes = [
        0.5 + 0.25 * torch.sin(0.11 * x * (i + 1) + 0.07 * y)
        + 0.2 * torch.cos(0.05 * y * (i + 1) - 0.13 * x)
        for i in range(3)
    ]  # fmt: skip
    return torch.stack(planes)[None].float()


@pytest.fixture(scope="module")
def released() -> Mitnet:
    network = Mitnet(OFFICIAL_WIDTH, decoder_amplitude=False)
    network.load_state_dict(convert(filled()))
    return network.eval()


def check(plane: Tensor, expected: dict, tolerance: float) -> None:
    assert list(plane.shape) == expected["shape"]
    flat = plane.double().flatten()
    for index, value in expected["samples"].items():
        assert flat[int(index)].item() == pytest.approx(value, abs=tolerance, rel=1e-6)
    for name in ("mean", "std", "min", "max"):
        found = getattr(flat, name)().item()
        assert found == pytest.approx(expected[name], abs=2 * tolerance, rel=1e-5), name


@torch.inference_mode()
def both(network: TwoStage) -> Stages:
    picture = pattern(64, 96)
    return network.stages(picture, picture)


def test_the_released_form(released: Mitnet) -> None:
    expected = VALUES["mitnet_64x96_float32_canonical_pi"]
    stages = both(released)
    check(stages.first, expected["out_1"], 1e-6)
    check(stages.second, expected["out_2"], 1e-6)
    amplitude = torch.fft.rfft2(stages.first).abs()
    # Rounding of a transform grows with its largest value, here 3,604.
    check(amplitude, VALUES["mitnet_64x96_float32"]["out_1_amp"], 5e-4)
    assert torch.equal(released(pattern(64, 96)), stages.second)


def test_the_papers_form() -> None:
    network = Mitnet(OFFICIAL_WIDTH, decoder_amplitude=True)
    network.load_state_dict(convert(filled(), keep_unused=True))
    expected = VALUES["mitnet_64x96_float32_stage1_decoder_amp_ON"]
    stages = both(network.eval())
    check(stages.first, expected["out_1"], 1e-6)
    check(stages.second, expected["out_2"], 1e-6)


def test_parameters(released: Mitnet) -> None:
    assert sum(map(math.prod, SHAPES.values())) == 2_764_078
    unused = sum(math.prod(SHAPES[key]) for key in UNUSED)
    assert unused == 34_020
    assert sum(p.numel() for p in released.parameters()) == 2_764_078 - unused
    assert sum(p.numel() for p in Mitnet(OFFICIAL_WIDTH).parameters()) == 2_764_078
    kept = set(convert({key: torch.empty(0) for key in set(SHAPES) - set(UNUSED)}))
    assert kept == set(released.state_dict())


def test_no_parameter_is_dead() -> None:
    network = Mitnet(2)
    stages = network.stages(pattern(16, 24), pattern(16, 24))
    (stages.first.square().mean() + stages.second.square().mean()).backward()
    dead = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


def test_networks_of_other_widths_are_recognised(released: Mitnet) -> None:
    for network in (
        released,
        Mitnet(4, stretched=True, side=32),
        Mitnet(6, decoder_amplitude=False),
    ):
        tensors = network.state_dict()
        adapted = Mitnet(2)
        adapted.adapt(tensors)
        adapted.load_state_dict(tensors)


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (37, 61)])
def test_any_size(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = Mitnet(4).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_half_precision_keeps_the_frequency_domain_in_float32() -> None:
    torch.manual_seed(0)
    network, picture = Mitnet(4).eval(), pattern(48, 64)
    with torch.inference_mode():
        exact = network(picture)
        with torch.autocast("cpu", torch.bfloat16):
            cast = network(picture)
        half = network.bfloat16()(picture.bfloat16())
    assert (cast - exact).abs().max() < 0.03
    assert (half.float() - exact).abs().max() < 0.03


@pytest.mark.parametrize("fill", ["zeros", "half", "random"])
def test_gradients_are_finite(fill: str) -> None:
    torch.manual_seed(0)
    shape = (1, 3, 16, 16)
    picture = {"zeros": torch.zeros(shape), "half": torch.full(shape, 0.5),
               "random": torch.rand(shape)}[fill]  # fmt: skip
    network = Mitnet(3)
    stages = network.stages(picture, picture)
    (stages.first.abs().mean() + stages.second.abs().mean()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


def test_the_sign_of_pi_does_not_depend_on_the_sign_of_zero() -> None:
    spectrum = torch.complex(torch.tensor([-1.0, -1.0]), torch.tensor([0.0, -0.0]))
    assert phase_of(spectrum).tolist() == pytest.approx([math.pi, math.pi])


def test_swapping_amplitudes() -> None:
    torch.manual_seed(0)
    one, other = torch.rand(2, 1, 3, 9, 11)
    torch.testing.assert_close(swap_amplitude(one, one), one, rtol=0, atol=1e-6)
    mixed = torch.fft.rfft2(swap_amplitude(one, other))
    torch.testing.assert_close(mixed.abs(), torch.fft.rfft2(one).abs(), rtol=1e-4, atol=1e-4)
    assert with_amplitude(torch.ones(1), torch.zeros(1, dtype=torch.complex64)).real.item() == 1


def test_the_authors_files_are_converted(tmp_path: Path, released: Mitnet) -> None:
    torch.save({"model": filled()}, tmp_path / "mitnet_indoor_best.pt")
    ready = fusionzoo.load("mitnet", weights=tmp_path / "mitnet_indoor_best.pt", device="cpu")
    assert ready.tag == "mitnet_indoor_best"
    expected = released(pattern(30, 41)).detach().clamp(0, 1)
    torch.testing.assert_close(ready(visible=pattern(30, 41)), expected, rtol=0, atol=1e-5)


def test_a_stretched_network_undoes_uniform_haze_before_it_starts() -> None:
    torch.manual_seed(0)
    clean = pattern(40, 48)
    hazy = 0.3 * clean + 0.6
    network = Mitnet(2, stretched=True).eval()
    base = network.scaled(clean, clean)
    torch.testing.assert_close(network.scaled(hazy, hazy), base, rtol=0, atol=1e-5)
    low, high = base.quantile(torch.tensor([0.002, 0.998]))
    assert (low.item(), high.item()) == pytest.approx((0, 1), abs=0.01)
    flat = torch.full((1, 3, 8, 8), 0.4)
    assert network.scaled(flat, flat).abs().max() == 0
    torch.nn.init.zeros_(network.tail.weight)
    torch.nn.init.zeros_(network.tail.bias)
    torch.testing.assert_close(network(hazy), base, rtol=0, atol=1e-5)


def test_the_shipped_weights_remove_haze() -> None:
    ready = fusionzoo.load("mitnet", device="cpu")
    assert ready.label == "mitnet@zoo"
    sample = datasets.find("demo_haze").listing(None, "test").items[2].load()
    clean, hazy = sample.target, sample.images["visible"]
    even = 0.35 * clean + 0.55
    errors = [(p - clean).square().mean() for p in (hazy, ready(visible=hazy), even)]
    errors.append((ready(visible=even) - clean).square().mean())
    assert errors[1] < 0.8 * errors[0]
    assert errors[3] < 0.4 * errors[2]


def test_strength_leads_from_the_stretched_picture_to_the_networks() -> None:
    ready, hazy = fusionzoo.load("mitnet", device="cpu"), 0.4 * pattern(64, 96)[0] + 0.5
    none, usual, full = (ready.turned(strength=s)(visible=hazy) for s in (0, STRENGTH, 1))
    stretched = fusionzoo.load("contrast_stretch", device="cpu")(visible=hazy)
    torch.testing.assert_close(none, stretched, rtol=0, atol=1e-6)
    assert torch.equal(usual, ready(visible=hazy))
    assert (full - none).abs().mean() > (usual - none).abs().mean() > 0.001


def test_a_correction_is_carried_to_the_large_picture() -> None:
    large = pattern(61, 90)
    small = reduced(large, 15)
    assert small.shape[-2:] == (16, 23)
    # One contrast for all channels, a brightness for each: what haze is.
    wanted = 1.7 * large - torch.tensor([0.4, 0.3, 0.5])[:, None, None]
    restored = carry(large, small, 1.7 * small - torch.tensor([0.4, 0.3, 0.5])[:, None, None])
    torch.testing.assert_close(restored, wanted, rtol=0, atol=1e-3)
    assert reduced(large, 100) is large


def test_faint_detail_is_raised_as_much_as_its_neighbourhood() -> None:
    grain = 0.01 * torch.rand(1, 3, 80, 160, generator=torch.Generator().manual_seed(0))
    large = pattern(80, 160)
    large[..., 60:100] = 0.5 + grain[..., 60:100]
    small = reduced(large, 40)
    restored = carry(large, small, 2 * small - 0.5)
    slope = restored[..., 70:90].std() / large[..., 70:90].std()
    assert slope.item() == pytest.approx(2, abs=0.1)


def test_a_network_for_small_pictures_takes_large_ones() -> None:
    torch.manual_seed(0)
    network = Mitnet(2, side=16).eval()
    with torch.inference_mode():
        assert network(pattern(70, 33)).shape == (1, 3, 70, 33)
        tiny = pattern(16, 24)
        assert torch.equal(network(tiny), network.stages(tiny, tiny).second)


def test_tiles_are_pictures_of_their_own() -> None:
    hazy = datasets.find("demo_haze").listing(None, "test").items[0].load().images["visible"]
    whole, tiled = (fusionzoo.load("mitnet", device="cpu", tile=t)(visible=hazy) for t in (0, 320))
    difference = (tiled - whole).abs().mean().item()
    # Stated in methods/mitnet.md: another range, another spectrum, another picture, but no failure.
    assert 0.005 < difference < 0.2


def test_a_large_picture_is_restored_whole() -> None:
    hazy = 0.3 * pattern(64, 64)[0].repeat_interleave(27, 1).repeat_interleave(27, 2) + 0.5
    whole, usual = (fusionzoo.load("mitnet", device="cpu", tile=t)(visible=hazy) for t in (0, None))
    assert torch.equal(whole, usual)
    small = fusionzoo.load("mitnet", device="cpu")(visible=hazy[:, 13::27, 13::27])
    assert (whole[:, 13::27, 13::27] - small).abs().mean() < 0.1

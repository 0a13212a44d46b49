"""MITNet's haze, losses and recipe."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fusionzoo.core import Sample
from fusionzoo.methods.mitnet import haze, losses
from fusionzoo.methods.mitnet.data import held_out
from fusionzoo.methods.mitnet.network import Mitnet, Stages
from fusionzoo.methods.mitnet.recipe import Recipe
from fusionzoo.methods.mitnet.settings import RestoreSettings
from fusionzoo.metrics import evaluate

GOLDEN = Path(__file__).parent.parent / "golden" / "mitnet"
SMALL = RestoreSettings(
    steps=20, batch=2, height=32, width=48, shrink=2, channels=2, warm_up=1, mutual=1e-3, side=16
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator(seed))


def test_scattering_has_its_limits() -> None:
    clean, air = drawn(0, 3, 8, 9), torch.full((3, 1, 1), 0.8)
    ones = torch.ones(1, 8, 9)
    assert torch.equal(haze.scatter(clean, ones, air), clean)
    assert torch.equal(haze.scatter(clean, 0 * ones, air), air.expand(3, 8, 9))


def test_haze_along_a_measured_depth_grows_with_it() -> None:
    metres = torch.linspace(1, 100, 60)[None, :, None].expand(1, 60, 40)
    for seed in range(5):
        through = haze.measured_transmission(metres, generator(seed))
        assert (through.diff(dim=1) < 0).all()
        assert 0 < through.min() < through.max() < 1


def test_plausible_depths_are_smooth_and_of_mean_one() -> None:
    for seed in range(20):
        depth = haze.plausible_depth(60, 80, generator(seed))
        assert depth.shape == (1, 60, 80)
        assert depth.min() > 0
        assert depth.mean() == pytest.approx(1, abs=0.05)
        assert depth.diff(dim=2).abs().max() < 0.5


def test_dense_haze_is_as_dense_as_documented() -> None:
    clean = drawn(0, 3, 60, 80)
    kept = torch.tensor(
        [(haze.add_haze(clean, generator(seed)).std() / clean.std()) for seed in range(200)]
    )
    assert 0.02 < kept.min() < 0.15
    assert 0.85 < kept.max() < 1
    assert 0.45 < (kept < 0.5).float().mean() < 0.75
    hazy = haze.add_haze(clean, generator(3))
    torch.testing.assert_close(hazy * 255, (hazy * 255).round(), rtol=0, atol=1e-4)
    assert torch.equal(hazy, haze.add_haze(clean, generator(3)))


def test_the_depth_of_a_pair_is_found_again() -> None:
    clean = drawn(0, 3, 40, 60)
    metres = torch.linspace(0.2, 1.5, 60).expand(1, 40, 60)
    hazy = haze.scatter(clean, torch.exp(-metres), torch.tensor(1.0))
    found = haze.optical_depth(hazy, clean)
    assert (found - metres).abs().max() < 0.06
    denser = haze.add_haze(clean, generator(), optical=found)
    assert denser.shape == clean.shape


def test_whole_scenes_are_held_out() -> None:
    names = [f"{scene}_{haze}" for scene in range(1400, 1410) for haze in (2, 8)]
    held = held_out("reside_in:train", names, 5)
    assert len(held) == 4
    assert {name[:4] + "_2" for name in held} | {name[:4] + "_8" for name in held} == held
    assert held == held_out("reside_in:train", names[::-1], 5)
    assert held_out("reside_in:train", names, 0) == set()
    assert len(held_out("msrs:train_allowed", [f"{n:05d}D" for n in range(50)], 5)) == 10


def test_a_perfect_output_costs_nothing() -> None:
    hazy, clean = drawn(0, 2, 3, 16, 24), drawn(1, 2, 3, 16, 24)
    best = losses.swap_amplitude(clean, hazy)
    perfect = Stages(best, clean, [], [])
    assert losses.pixels(perfect, hazy, clean) < 1e-6
    assert losses.fourier(perfect, clean) < 1e-4
    assert losses.dissimilarity(clean, clean).item() == pytest.approx(0, abs=1e-6)
    assert losses.pixels(Stages(hazy, hazy, [], []), hazy, clean) > 0.2


def test_the_fourier_terms_are_those_of_the_definition() -> None:
    first, second, clean = (drawn(s, 1, 3, 8, 12) for s in range(3))
    one, two, goal = (torch.fft.rfft2(p) for p in (first, second, clean))
    difference = two - goal
    expected = (one.abs() - goal.abs()).abs().mean() + (
        difference.real.abs().mean() + difference.imag.abs().mean()
    ) / 2
    stages = Stages(first, second, [], [])
    torch.testing.assert_close(losses.fourier(stages, clean), expected)


def test_dissimilarity_agrees_with_the_metric_inside() -> None:
    # The loss pads with zeros, the metric keeps to whole windows: compare on a wide picture.
    clean = drawn(0, 1, 1, 200, 200)
    other = (clean + 0.1 * drawn(1, 1, 1, 200, 200)).clamp(0, 1)
    measured = evaluate(other[0, 0], target=clean[0, 0], metrics="SSIM-T", data_range=1)
    value = measured["SSIM-T"].value
    assert 1 - losses.dissimilarity(other, clean).item() == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize("size", [(16, 24), (72, 40)])
def test_mutual_information_takes_crops_of_any_size(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network, term = Mitnet(2), losses.MutualInformation(2)
    picture = drawn(0, 1, 3, *size)
    value = term(network.stages(picture, picture))
    value.backward()
    assert value.isfinite()
    blocks = network.phase_encoder.blocks
    assert any(p.grad is not None and p.grad.any() for p in blocks.parameters())


def test_the_divergence_is_that_of_two_gaussians() -> None:
    from torch.distributions import Normal, kl_divergence

    one, other = ((drawn(s, 5, 4), drawn(s + 2, 5, 4)) for s in range(2))
    expected = kl_divergence(Normal(one[0], one[1].exp()), Normal(other[0], other[1].exp()))
    torch.testing.assert_close(losses._divergence(one, other), expected.mean())


def test_a_step_uses_every_kind_of_scene() -> None:
    recipe = Recipe(SMALL, torch.device("cpu"))
    clean, hazy = drawn(0, 3, 32, 48), drawn(1, 3, 32, 48)
    scenes = [
        Sample("a", {"visible": clean}),
        Sample("b", {"visible": hazy}, clean),
        Sample("c", {"visible": hazy, "depth": drawn(2, 1, 32, 48)}, clean),
    ]
    prepared = [recipe.prepare(scene) for scene in scenes]
    assert [sorted(planes) for planes in prepared] == [
        ["clean"], ["clean", "hazy", "optical"], ["clean", "depth"],
    ]  # fmt: skip
    crops = [recipe.augment(planes, generator(seed)) for seed, planes in enumerate(prepared)]
    batch = {name: torch.stack([crop[name] for crop in crops]) for name in ("hazy", "clean")}
    assert batch["hazy"].shape == (3, 3, 16, 24)
    start = [p.clone() for p in recipe.network.parameters()]
    fixed = [p.clone() for p in recipe.mutual.parameters()]
    seen = [recipe.update(batch, step) for step in range(12)]
    assert seen[-1]["pixels"] < seen[0]["pixels"]
    moved = zip(start, recipe.network.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in moved)
    kept = zip(fixed, recipe.mutual.parameters(), strict=True)
    assert all(torch.equal(old, new) for old, new in kept)
    assert set(recipe.pictures(batch)) == {"hazy", "amplitude", "phase", "clean"}
    adapted = Mitnet(1)
    adapted.adapt(recipe.weights())
    adapted.load_state_dict(recipe.weights())


def test_the_projectors_can_be_trained() -> None:
    settings = RestoreSettings(
        channels=2, height=32, width=32, shrink=2, train_projector=True, mutual=1e-3
    )
    recipe = Recipe(settings, torch.device("cpu"))
    before = [p.clone() for p in recipe.mutual.parameters()]
    recipe.update({"hazy": drawn(0, 1, 3, 16, 16), "clean": drawn(1, 1, 3, 16, 16)}, 0)
    after = zip(before, recipe.mutual.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in after)


def test_crops_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 16"):
        RestoreSettings(height=250)


def psnr(one: Tensor, other: Tensor) -> float:
    return float(-10 * torch.log10((one.clamp(0, 1) - other).square().mean()))


def test_haze_lives_in_the_amplitude(shared: Path) -> None:
    """The premise: clean amplitude with hazy phase is nearly clean, the reverse is not."""
    from fusionzoo import datasets

    rows = json.loads((GOLDEN / "haze_swap_aod_msrs20.json").read_text())
    expected = {row["name"].removesuffix(".png"): row for row in rows}
    items = datasets.find("msrs_haze").listing(shared / "data", "test").items
    samples = [item.load() for item in items if item.name in expected]
    assert len(samples) >= 2
    for sample in samples:
        hazy, clean, row = sample.images["visible"], sample.target, expected[sample.name]
        assert clean is not None
        amplitude = psnr(losses.swap_amplitude(clean[None], hazy[None])[0], clean)
        phase = psnr(losses.swap_amplitude(hazy[None], clean[None])[0], clean)
        assert psnr(hazy, clean) == pytest.approx(row["hazy"], abs=1e-3)
        assert amplitude == pytest.approx(row["AgtPhz"], abs=1e-3)
        assert phase == pytest.approx(row["AhzPgt"], abs=1e-3)
        assert amplitude > phase + 12


def test_haze_lives_in_the_amplitude_of_drawn_scenes() -> None:
    from fusionzoo import datasets

    sample = datasets.find("demo_haze").listing(None, "test").items[2].load()
    hazy, clean = sample.images["visible"], sample.target
    assert clean is not None
    amplitude = psnr(losses.swap_amplitude(clean[None], hazy[None])[0], clean)
    phase = psnr(losses.swap_amplitude(hazy[None], clean[None])[0], clean)
    assert amplitude > phase + 5

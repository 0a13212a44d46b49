"""The frequency fusion head: its target, its phase loss and its recipe."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

import fusionzoo
from fusionzoo import colour, datasets
from fusionzoo.core import Sample
from fusionzoo.methods.mitnet_fuse import losses
from fusionzoo.methods.mitnet_fuse.network import FrequencyFusion
from fusionzoo.methods.mitnet_fuse.recipe import FusionSettings, Recipe
from fusionzoo.methods.mitnet_fuse.target import composite


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_the_target_of_equal_sources_is_the_source() -> None:
    plane = drawn(0, 2, 1, 40, 48)
    torch.testing.assert_close(composite(plane, plane), plane, rtol=0, atol=1e-6)


def test_the_target_has_the_edges_of_both_sources() -> None:
    visible, infrared = torch.full((2, 1, 1, 64, 64), 0.5)
    visible, infrared = visible.clone(), infrared.clone()
    visible[..., :20] = 0.8
    infrared[..., 44:, :] = 0.2
    made = composite(visible, infrared)
    assert (made[..., 20, 18] - made[..., 20, 21]).item() > 0.2
    assert (made[..., 42, 40] - made[..., 45, 40]).item() > 0.1


def test_the_phase_loss_knows_phase_alone() -> None:
    picture = drawn(0, 1, 1, 32, 40)
    assert losses.phase(picture, picture).item() == pytest.approx(0, abs=1e-6)
    assert losses.phase(0.3 * picture + 0.2, picture).item() == pytest.approx(0, abs=1e-5)
    assert losses.phase(1 - picture, picture).item() == pytest.approx(2, abs=1e-4)
    assert losses.phase(drawn(1, 1, 1, 32, 40), picture).item() == pytest.approx(1, abs=0.1)


def test_the_phase_loss_moves_phase() -> None:
    goal, made = drawn(0, 1, 1, 16, 16), drawn(1, 1, 1, 16, 16).requires_grad_()
    optimiser = torch.optim.Adam([made], 0.02)
    before = losses.phase(made, goal).item()
    for _ in range(60):
        optimiser.zero_grad()
        losses.phase(made, goal).backward()
        optimiser.step()
    assert losses.phase(made, goal).item() < 0.3 * before


def test_phase_differences_are_angles() -> None:
    picture = drawn(0, 1, 1, 16, 16)
    assert losses.phase_difference(picture, picture).abs().max() < 1e-5
    shifted = losses.phase_difference(picture.roll(1, -1), picture)[0, 0, 0]
    expected = -2 * math.pi * torch.arange(9) / 16
    wrapped = torch.atan2(expected.sin(), expected.cos())
    assert (torch.exp(1j * shifted) - torch.exp(1j * wrapped)).abs().max() < 1e-4


def test_gradients_take_the_stronger_edge() -> None:
    flat = torch.full((1, 1, 8, 8), 0.4)
    edge = flat.clone()
    edge[..., 4:] = 0.9
    assert losses.gradients(edge, flat, edge).item() == pytest.approx(0, abs=1e-7)
    assert losses.gradients(flat, flat, edge) > 0.01


@pytest.mark.parametrize("size", [(1, 1), (9, 50)])
def test_any_size(size: tuple[int, int]) -> None:
    with torch.inference_mode():
        fused = FrequencyFusion(3).eval()(drawn(0, 2, 1, *size), drawn(1, 2, 1, *size))
    assert fused.shape == (2, 1, *size)


def test_the_recipe_learns() -> None:
    settings = FusionSettings(
        steps=40, batch=2, height=32, width=48, channels=3, warm_up=1, rate=1e-3
    )
    torch.manual_seed(3)  # the start, which decides how far 40 steps lead
    recipe = Recipe(settings, torch.device("cpu"))
    # Smooth pictures: the phase of noise cannot be learned.
    coarse = {"visible": drawn(0, 1, 3, 4, 6), "infrared": drawn(1, 1, 1, 4, 6)}
    images = {k: interpolate(v, (32, 48), mode="bilinear")[0] for k, v in coarse.items()}
    sample = Sample("a", images)
    planes = recipe.prepare(sample)
    assert {name: tuple(plane.shape) for name, plane in planes.items()} == {
        "visible": (1, 32, 48), "infrared": (1, 32, 48),
    }  # fmt: skip
    crops = [recipe.augment(planes, torch.Generator().manual_seed(s)) for s in range(2)]
    batch = {name: torch.stack([crop[name] for crop in crops]) for name in crops[0]}
    seen = [recipe.update(batch, step) for step in range(40)]
    assert seen[-1]["phase"] < seen[0]["phase"]
    assert seen[-1]["pixels"] < seen[0]["pixels"]
    assert set(recipe.pictures(batch)) >= {"amplitude", "phase", "target"}
    adapted = FrequencyFusion(1)
    adapted.adapt(recipe.weights())
    adapted.load_state_dict(recipe.weights())


def test_the_shipped_phase_is_alive() -> None:
    """What collapsed in a published relative: the phase must differ, vary, and be right."""
    ready = fusionzoo.load("mitnet_fuse", device="cpu")
    items = datasets.find("demo").listing(None, "test").items[3:6]
    moved = []
    for item in items:
        images = item.load().images
        visible = colour.grey_plane(images["visible"][None])[..., 120:376, 160:480]
        infrared = images["infrared"][None, :, 120:376, 160:480]
        fused = ready(visible=visible, infrared=infrared)
        goal = composite(visible, infrared)
        assert losses.phase(fused, goal) < 0.6 * losses.phase(visible, goal)
        assert losses.phase(fused, goal) < 0.6 * losses.phase(infrared, goal)
        moved.append(losses.phase_difference(fused, visible).cos())
        right = losses.phase_difference(goal, visible).cos()
        assert moved[-1].std() > 0.5 * right.std()
    for plane in moved:
        assert plane.std() > 0.2
    first, second, third = (plane.flatten() for plane in moved)
    for one, other in ((first, second), (second, third), (first, third)):
        assert torch.corrcoef(torch.stack([one, other]))[0, 1].abs() < 0.5

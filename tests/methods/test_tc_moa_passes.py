"""Passes over a moved picture, blended so that no border of an attention window shows."""

import pytest
import torch
from torch import Tensor

import fusionzoo
from fusionzoo.core import FusionZooError
from fusionzoo.methods.tc_moa.configuration import PRESETS
from fusionzoo.methods.tc_moa.inference import Fuser, blending, extended, shifts
from fusionzoo.predictor import Predictor

PERIOD = 28


@pytest.fixture(scope="module")
def ready() -> Predictor:
    torch.set_num_threads(1)
    return fusionzoo.load("tc_moa@zoo", device="cpu", task="mff")


@pytest.fixture(scope="module")
def noise() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {role: torch.rand(2, 3, 31, 45, generator=generator) for role in ("far", "near")}


def border_steps(plane: Tensor) -> Tensor:
    """(28,) mean amount of steps, averaged along 28 pixels, at each place of the period."""
    means = []
    for turned in (plane, plane.T):
        count = len(turned) // PERIOD
        segments = turned.diff(dim=1)[: count * PERIOD].reshape(count, PERIOD, -1)
        means.append(segments.mean(1).abs().mean(0))
    steps = torch.cat(means)
    places = torch.cat([torch.arange(1, len(mean) + 1) % PERIOD for mean in means])
    return torch.stack([steps[places == place].mean() for place in range(PERIOD)]) * 255


def test_borders_of_windows_show_in_one_pass_and_not_when_blended(ready: Predictor) -> None:
    rows, columns = torch.meshgrid(torch.arange(112), torch.arange(168), indexing="ij")
    surface = (0.45 + 0.2 * (columns / 40).sin() * (rows / 50).cos())[None]
    once, blended = (
        border_steps(one(far=surface, near=surface)[0]) for one in (ready.turned(passes=1), ready)
    )
    assert int(once.argmax()) == 0
    assert blended.max() - blended.median() < (once.max() - once.median()) / 3


@pytest.mark.parametrize("passes", [3, 4, 5])
def test_weights_sum_to_one_and_vanish_at_the_borders_of_their_pass(passes: int) -> None:
    weights = blending(70, 101, PERIOD, passes)
    torch.testing.assert_close(torch.stack(weights).sum(0), torch.ones(70, 101))
    for weight, shift in zip(weights, shifts(PERIOD, passes), strict=True):
        for plane in (weight, weight.T):
            beside = (torch.arange(len(plane)) + shift + 1) % PERIOD < 2
            assert plane[beside].max() < 0.01
            assert plane[~beside].max() > 0.5
    # No pixel is left to chance where borders of two passes cross: weights are smooth.
    assert (
        max(float(weight.diff(dim=axis).abs().max()) for weight in weights for axis in (0, 1))
        < 0.25
    )


def test_one_pass_is_the_network_itself(noise: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    fuser = Fuser("mff").eval()
    far, near = noise.values()
    with torch.no_grad():
        padded = (extended(picture, 0, 0, 56) for picture in (far[:1], near[:1]))
        expected = fuser.network(*padded, "mff").picture[..., :31, :45]
        assert torch.equal(fuser(far[:1], near[:1], passes=1), expected)
        assert not torch.equal(fuser(far[:1], near[:1]), expected)


def test_released_behaviour_is_one_pass() -> None:
    assert {name: preset.passes for name, preset in PRESETS.items()} == {
        "zoo": 3, "paper": 1, "official": 1,
    }  # fmt: skip


def test_a_batch_is_fused_one_by_one_and_twice_the_same(
    ready: Predictor, noise: dict[str, Tensor]
) -> None:
    both = ready(**noise)
    assert both.shape == (2, 3, 31, 45)
    for index in range(2):
        alone = ready(**{role: pictures[index] for role, pictures in noise.items()})
        assert torch.equal(alone, both[index])
    grey = ready(**{role: pictures[0].mean(0, keepdim=True) for role, pictures in noise.items()})
    assert grey.shape == (1, 31, 45)


def test_an_extended_picture_is_all_there_and_fits() -> None:
    picture = torch.rand(1, 1, 37, 57)
    for shift in shifts(PERIOD, 3):
        start = PERIOD + shift
        large = extended(picture, start, PERIOD, 2 * PERIOD)
        assert [side % (2 * PERIOD) for side in large.shape[-2:]] == [0, 0]
        assert large.shape[1] == 3
        assert torch.equal(large[:, :1, start:-PERIOD, start:-PERIOD][..., :37, :57], picture)
        assert torch.equal(large[..., 0, start], picture[..., 0, 0].expand(-1, 3))


def test_the_top_knows_nothing_of_the_bottom(ready: Predictor) -> None:
    """Attention of shifted blocks joins opposite borders; blended passes keep them apart."""
    surface = torch.full((1, 168, 112), 0.5)
    darker = surface.clone()
    darker[:, -28:] = 0.1
    changes = []
    for one in (ready.turned(passes=1), ready):
        first, second = (one(far=plane, near=plane)[0, :14] for plane in (surface, darker))
        changes.append(float((first - second).abs().mean()))
    assert changes[1] < changes[0] / 4


@pytest.mark.parametrize("passes", [0, 1.5, -3])
def test_half_passes_are_refused(ready: Predictor, noise: dict[str, Tensor], passes: float) -> None:
    with pytest.raises(FusionZooError, match="expected a whole number"):
        ready.turned(passes=passes)(**noise)

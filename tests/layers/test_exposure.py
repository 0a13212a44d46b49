"""Exposures: physics that can be computed by hand, and repeatability."""

import pytest
import torch

from fusionzoo.layers.exposure import expose, exposure_pair, scene_light


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_scene_light_undoes_reinhards_curve() -> None:
    light = torch.linspace(0, 5, 50)[None, None]
    shown = (light / (1 + light * (1 - 1 / 5))) ** (1 / 2.2)
    torch.testing.assert_close(scene_light(shown, 5.0), light, rtol=1e-4, atol=1e-5)


def test_a_stop_doubles_the_light() -> None:
    light = torch.full((1, 4, 4), 0.2)
    one, two = (expose(light, stops, seeded(), noise=0) for stops in (0.0, 1.0))
    assert float(one[0, 0, 0]) == pytest.approx(0.2 ** (1 / 2.2), abs=1 / 255)
    assert float(two[0, 0, 0]) == pytest.approx(0.4 ** (1 / 2.2), abs=1 / 255)


def test_light_above_saturation_is_lost() -> None:
    light = torch.tensor([[[0.6, 0.9, 3.0]]])
    assert expose(light, 1.0, seeded(), noise=0).tolist() == [[[1.0, 1.0, 1.0]]]
    dark = expose(light, -2.0, seeded(), noise=0)[0, 0]
    assert dark[0] < dark[1] < dark[2] < 1


def test_noise_grows_with_the_light_that_is_counted() -> None:
    dim, bright = (torch.full((1, 200, 200), light) for light in (0.05, 0.5))
    deviation = [expose(x, 0.0, seeded(), gamma=1.0).std() for x in (dim, bright)]
    assert deviation[1] > 2 * deviation[0]


def test_a_pair_is_dark_and_bright_and_repeats() -> None:
    clean = torch.rand(3, 40, 56, generator=seeded(3))
    first, again = (exposure_pair(clean, seeded(7)) for _ in range(2))
    assert torch.equal(first.under, again.under)
    assert torch.equal(first.over, again.over)
    assert first.under.mean() < clean.mean() < first.over.mean()
    for picture in first:
        assert picture.shape == clean.shape
        torch.testing.assert_close(picture * 255, (picture * 255).round(), rtol=0, atol=1e-4)
    assert not torch.equal(first.under, exposure_pair(clean, seeded(8)).under)


def test_the_dark_exposure_keeps_what_the_bright_one_loses() -> None:
    clean = torch.linspace(0.85, 1.0, 64)[None, None].expand(3, 8, 64)
    pair = exposure_pair(clean, seeded(), under=(3.0, 3.01), white=(8.0, 8.01))
    assert pair.over[..., 20:].min() > 0.97
    assert pair.under[..., 20:].std() > 0.05

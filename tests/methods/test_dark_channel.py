"""The dark channel prior and contrast stretching on scenes whose haze is known."""

import numpy as np
import pytest
import torch

import fusionzoo
from fusionzoo.methods import dark_channel


def scene() -> np.ndarray:
    """(96, 120, 3) saturated and dark patches, as the prior assumes."""
    rng = np.random.default_rng(0)
    patches = rng.random((12, 15, 3)) * (rng.random((12, 15, 3)) < 0.6)
    return np.kron(patches, np.ones((8, 8, 1))).astype(np.float32)


def test_the_dark_channel_is_the_smallest_value_around() -> None:
    picture = np.full((40, 40, 3), 0.8, np.float32)
    picture[20, 20, 1] = 0.1
    dark = dark_channel.dark_channel(picture)
    inside = np.zeros((40, 40), bool)
    inside[13:28, 13:28] = True
    np.testing.assert_array_equal(dark == np.float32(0.1), inside)


@pytest.mark.parametrize("transmission", [0.4, 0.7])
def test_uniform_haze_is_removed(transmission: float) -> None:
    clean = torch.from_numpy(scene()).permute(2, 0, 1)
    clean[:, :16, :16] = 0.9  # something as bright as the air, as a sky would be
    hazy = clean * transmission + 0.9 * (1 - transmission)
    restored = fusionzoo.load("dark_channel", device="cpu")(visible=hazy)
    before, after = ((p - clean).square().mean() for p in (hazy, restored))
    assert after < before / 4


def test_a_picture_without_haze_stays_nearly_as_it_is() -> None:
    clean = torch.from_numpy(scene()).permute(2, 0, 1)
    restored = fusionzoo.load("dark_channel", device="cpu")(visible=clean)
    assert (restored - clean).abs().mean() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (3, 40)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    restored = fusionzoo.load("dark_channel", device="cpu")(visible=torch.rand(3, *size))
    assert restored.shape == (3, *size)


def test_contrast_stretching_inverts_grey_uniform_haze() -> None:
    clean = torch.from_numpy(scene()).permute(2, 0, 1)
    ready = fusionzoo.load("contrast_stretch", device="cpu")
    hazy = 0.3 * clean + 0.6
    torch.testing.assert_close(ready(visible=hazy), ready(visible=clean), rtol=0, atol=1e-5)
    assert ready(visible=clean).max() == 1

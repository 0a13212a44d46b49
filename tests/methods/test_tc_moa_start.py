"""TC-MoA's initial values, and that reduced precision leaves the pixels alone."""

import pytest
import torch
from torch import Tensor

from fusionzoo.methods.tc_moa.network import Network
from fusionzoo.methods.tc_moa.start import begin_as_autoencoder


@pytest.fixture(scope="module")
def begun() -> Network:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Network("tiny").eval()
    begin_as_autoencoder(network)
    return network


def phases(picture: Tensor) -> Tensor:
    """Mean (4, 4) at each place in a patch, without that of the picture."""
    plane = picture.mean((0, 1))
    height, width = plane.shape
    means = plane.reshape(height // 4, 4, width // 4, 4).mean((0, 2))
    return means - means.mean()


def test_tiny_begins_as_an_exact_autoencoder(begun: Network) -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = torch.rand(2, 1, 1, 112, 168, generator=generator).expand(-1, -1, 3, -1, -1)
    with torch.no_grad():
        tokens = begun.embed(x)
        placed = begun._positions(begun.table, tokens)
        alone = begun.picture(begun.pixels(tokens - placed))
        torch.testing.assert_close(alone, x, rtol=0, atol=1e-4)  # sharp, and without a tint
        fused = begun(x, y).picture
    mean = (x + y) / 2
    assert (fused - mean).abs().mean() < 0.35 * (x - mean).abs().mean()
    with pytest.raises(ValueError, match="cannot carry"):
        begin_as_autoencoder(Network("base"))


def test_it_begins_without_a_pattern_in_every_patch(begun: Network) -> None:
    for x, y in ((0.2, 0.7), (0.5, 0.5)):
        pictures = (torch.full((1, 3, 112, 112), level) for level in (x, y))
        with torch.no_grad():
            fused = begun(*pictures, "mef").picture
        assert phases(fused).abs().max() * 255 < 1


def test_autocast_does_not_coarsen_the_pixels(begun: Network) -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = torch.rand(2, 1, 1, 112, 112, generator=generator).expand(-1, -1, 3, -1, -1)
    with torch.no_grad():
        exact = begun(x, y).picture
        with torch.autocast("cpu", torch.bfloat16):
            coarse = begun(x, y).picture
    assert (coarse - exact).abs().max() * 255 < 0.5

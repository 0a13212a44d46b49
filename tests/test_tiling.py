"""Padding and tiles: nothing is lost, seams do not exist."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fusionzoo import tiling


@given(
    height=st.integers(1, 90), width=st.integers(1, 90), side=st.integers(5, 40),
    halo=st.integers(0, 9), origin=st.sampled_from([1, 2, 4]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_tiles_cover_every_pixel_once(
    height: int, width: int, side: int, halo: int, origin: int
) -> None:
    count = torch.zeros(height, width)
    for tile in tiling.tiles(height, width, side, halo, origin):
        count[tile.top : tile.bottom, tile.left : tile.right] += 1
        top, left, bottom, right = tile.outer
        assert top % origin == 0
        assert left % origin == 0
        assert top <= max(0, tile.top - halo)
        assert bottom >= min(height, tile.bottom + halo)
        assert 0 <= top < bottom <= height
        assert 0 <= left < right <= width
    assert torch.equal(count, torch.ones(height, width))


def test_tiled_equals_whole_for_a_strided_network() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1),
        nn.Upsample(scale_factor=2), nn.Conv2d(4, 1, 3, padding=1),
    ).double()  # fmt: skip
    first, second = torch.rand(2, 1, 1, 46, 58, dtype=torch.float64)

    def run(*planes: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return network(torch.cat(planes, 1))

    whole = run(first, second)
    tiled = tiling.run_tiled(run, (first, second), side=12, halo=8, origin=2)
    torch.testing.assert_close(tiled, whole.float(), rtol=0, atol=1e-6)


def test_too_small_a_halo_would_show() -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(1, 1, 7, padding=3)
    plane = torch.rand(1, 1, 40, 40)
    with torch.no_grad():
        whole = network(plane)
        tiled = tiling.run_tiled(network, (plane,), side=16, halo=1, origin=1)
    assert (whole - tiled).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("size", "multiple", "smallest", "expected"),
    [((57, 83), 8, 1, (64, 88)), ((64, 64), 8, 1, (64, 64)), ((1, 1), 1, 4, (4, 4))],
)
def test_padding_obeys_the_rules(
    size: tuple[int, int], multiple: int, smallest: int, expected: tuple[int, int]
) -> None:
    plane = torch.rand(1, 1, *size)
    padded = tiling.pad(plane, multiple, smallest)
    assert tuple(padded.shape[-2:]) == expected
    assert torch.equal(padded[..., : size[0], : size[1]], plane)


def test_blended_tiles_cover_and_overlap() -> None:
    assert tiling.blended_starts(100, 128, 32) == [0]
    for length in (129, 300, 1000):
        starts = tiling.blended_starts(length, 128, 32)
        assert starts[0] == 0
        assert starts[-1] == length - 128
        assert all(0 < b - a <= 96 for a, b in pairwise(starts))


def test_blending_is_exact_for_what_tiles_agree_on() -> None:
    picture = torch.rand(2, 3, 150, 211)
    calls = []

    def network(plane: torch.Tensor) -> torch.Tensor:
        calls.append(tuple(plane.shape[-2:]))
        return 2 * plane

    out = tiling.run_blended(network, [picture], 64, 16)
    torch.testing.assert_close(out, 2 * picture)
    assert set(calls) == {(64, 64)}


def test_blending_spreads_a_difference_between_tiles() -> None:
    values = iter(range(100))

    def network(plane: torch.Tensor) -> torch.Tensor:
        return torch.full_like(plane, float(next(values)))

    out = tiling.run_blended(network, [torch.zeros(1, 1, 64, 112)], 64, 16)[0, 0, 0]
    assert out[0] == 0
    assert out[-1] == 1
    assert float(out.diff().abs().max()) <= 1 / 15

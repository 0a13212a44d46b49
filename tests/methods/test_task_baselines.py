"""Baselines of multi-exposure and multi-focus fusion, on cases whose answer is known."""

import numpy as np
import torch

import fusionzoo
from fusionzoo.layers.focus import focus_pair
from fusionzoo.methods import focus_measure


def test_mertens_passes_over_a_useless_exposure() -> None:
    generator = torch.Generator().manual_seed(0)
    scene = 0.5 + 0.25 * torch.rand(3, 64, 64, generator=generator)
    black, white = torch.zeros_like(scene), torch.ones_like(scene)
    ready = fusionzoo.load("mertens", device="cpu")
    for fused in (ready(under=black, over=scene), ready(under=scene, over=white)):
        # Pixels on the grey axis have no saturation in either exposure and stay a mixture.
        assert (fused - scene).abs().mean() < 0.003


def test_mertens_of_grey_pictures_is_not_the_average() -> None:
    under, over = torch.full((1, 64, 64), 0.05), torch.full((1, 64, 64), 0.55)
    under[..., ::2] += 0.02
    over[..., ::2] += 0.1
    fused = fusionzoo.load("mertens", device="cpu")(under=under, over=over)
    assert fused.mean() > 0.5


def test_modified_laplacian_by_hand() -> None:
    plane = np.zeros((15, 15), np.float32)
    plane[7, 7] = 1
    # At the point |2| + |2|, at its four neighbours |-1|: 8 in all, in every window with them.
    measured = focus_measure.sum_modified_laplacian(plane) * focus_measure.WINDOW**2
    assert measured[7, 7] == np.float32(8)
    assert measured[0, 0] == 0


def test_specks_change_sides() -> None:
    winners = np.zeros((40, 40), bool)
    winners[:, 20:] = True
    marked = winners.copy()
    marked[5, 5] = True
    marked[10:12, 30:32] = False
    np.testing.assert_array_equal(focus_measure.without_specks(marked, 5), winners)


def test_focus_measure_finds_the_sharp_plane() -> None:
    generator = torch.Generator().manual_seed(1)
    clean = torch.rand(3, 96, 128, generator=generator)
    disparity = torch.zeros(1, 96, 128)
    disparity[..., 64:] = 1.0
    pair = focus_pair(clean, generator, disparity, (4.0, 4.01))
    fused = fusionzoo.load("focus_measure", device="cpu")(near=pair.near, far=pair.far)
    away = torch.ones(128, dtype=torch.bool)
    away[48:80] = False  # the border between the planes
    assert (fused - clean)[..., away].abs().mean() < 0.01
    assert (pair.near - clean)[..., away].abs().mean() > 0.08

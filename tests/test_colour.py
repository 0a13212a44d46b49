"""Luminance and chroma: exact inverse in float, OpenCV's integers and the published tint."""

import cv2
import numpy as np
import pytest
import torch

from fusionzoo import colour, image

PICTURE = torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))


def test_float_conversion_is_undone_exactly() -> None:
    luminance, chroma = colour.split_luma(PICTURE, "float")
    torch.testing.assert_close(colour.join_luma(luminance, chroma, "float"), PICTURE)
    expected = (PICTURE * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    torch.testing.assert_close(luminance, expected)


def test_neutral_pixels_keep_their_value() -> None:
    neutral = torch.rand(1, 1, 4, 4).expand(-1, 3, -1, -1)
    assert torch.equal(colour.grey_plane(neutral), neutral[:, :1])


def test_opencv_planes_are_opencvs() -> None:
    levels = PICTURE.mul(255).add(0.5).byte()
    luminance, chroma = colour.split_luma(PICTURE, "opencv_uint8")
    assert chroma is not None
    for index in range(2):
        expected = cv2.cvtColor(levels[index].permute(1, 2, 0).numpy(), cv2.COLOR_RGB2YCrCb)
        found = torch.cat([luminance, chroma], 1)[index].mul(255).round().byte()
        np.testing.assert_array_equal(found.permute(1, 2, 0).numpy(), expected)


def test_opencv_path_tints_neutral_pixels_as_published() -> None:
    grey = torch.full((1, 3, 1, 1), 128 / 255)
    _, chroma = colour.split_luma(grey, "opencv_uint8")
    tinted = colour.join_luma(torch.full((1, 1, 1, 1), 0.5), chroma, "opencv_uint8").flatten() * 255
    assert tinted.tolist() == pytest.approx([128.2015, 126.9710, 128.3865], abs=1e-4)


def test_grey_pictures_have_no_chroma() -> None:
    grey = torch.rand(1, 1, 3, 3)
    for luma in ("float", "opencv_uint8"):
        luminance, chroma = colour.split_luma(grey, luma)
        assert chroma is None
        assert torch.equal(colour.join_luma(luminance, chroma, luma), grey)


def test_levels_give_exactly_the_fused_luminance() -> None:
    generator = torch.Generator().manual_seed(1)
    picture = torch.randint(0, 256, (1, 3, 64, 64), generator=generator) / 255
    wanted = torch.rand(1, 1, 64, 64, generator=generator) * 1.2 - 0.1
    _, chroma = colour.split_luma(picture, "levels")
    joined = colour.join_luma(wanted, chroma, "levels")
    assert joined.min() >= 0
    assert joined.max() <= 1
    found = image.grey(image.to_levels(joined[0]))
    np.testing.assert_array_equal(found, (wanted * 255).round().clamp(0, 255)[0, 0].numpy())


def test_levels_leave_a_picture_as_it_is() -> None:
    levels = torch.randint(3, 252, (1, 3, 32, 32), generator=torch.Generator().manual_seed(2))
    picture = levels / 255
    luminance, chroma = colour.split_luma(picture, "levels")
    joined = colour.join_luma(luminance, chroma, "levels")
    inside = (picture.amax(1) < 253 / 255) & (picture.amin(1) > 2 / 255)
    assert ((joined - picture).abs().amax(1)[inside] * 255).max() < 0.5


def test_ties_round_to_even_in_spite_of_float_noise() -> None:
    dark, bright = torch.arange(0, 100) / 255, torch.arange(1, 101) / 255
    mean = ((dark + bright) / 2).view(1, 1, 1, -1)
    levels = colour.join_luma(mean, None, "levels") * 255
    assert (levels.round() % 2 == 0).all()

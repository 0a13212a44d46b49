"""Luminance and chroma: exact inverse in float, OpenCV's integers and the published tint."""

import cv2
import numpy as np
import pytest
import torch

from fusionzoo import colour

PICTURE = torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))


def test_float_conversion_is_undone_exactly() -> None:
    luminance, chroma = colour.split_luma(PICTURE, "float")
    torch.testing.assert_close(colour.join_luma(luminance, chroma), PICTURE)
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
    tinted = colour.join_luma(torch.full((1, 1, 1, 1), 0.5), chroma).flatten() * 255
    assert tinted.tolist() == pytest.approx([128.2015, 126.9710, 128.3865], abs=1e-4)


def test_grey_pictures_have_no_chroma() -> None:
    grey = torch.rand(1, 1, 3, 3)
    for luma in ("float", "opencv_uint8"):
        luminance, chroma = colour.split_luma(grey, luma)
        assert chroma is None
        assert torch.equal(colour.join_luma(luminance, chroma), grey)

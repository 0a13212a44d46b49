"""Pixel conventions: decoding by content, rounding, grey, whole-or-nothing writing."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from fusionzoo import image
from fusionzoo.core import ImageError, OutputError

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (9, 7, 3), dtype=np.uint8)
GREY = COLOUR[..., 0].copy()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
@pytest.mark.parametrize("levels", [GREY, COLOUR], ids=["grey", "colour"])
def test_lossless_formats_round_trip(tmp_path: Path, suffix: str, levels: np.ndarray) -> None:
    path = tmp_path / f"picture{suffix}"
    image.write(path, levels)
    np.testing.assert_array_equal(image.read(path), levels)
    assert image.size(path) == (9, 7)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_sixteen_bit_keeps_every_bit(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    deep = RANDOM.integers(0, 65536, shape, dtype=np.uint16)
    path = tmp_path / f"deep{suffix}"
    image.write(path, deep)
    read = image.read(path)
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, deep)
    assert image.to_plane(read).max() <= 1


def test_alpha_is_dropped_or_returned(tmp_path: Path) -> None:
    alpha = RANDOM.integers(0, 256, (9, 7), dtype=np.uint8)
    path = tmp_path / "thermal.png"
    Image.fromarray(np.dstack([COLOUR, alpha])).save(path)
    np.testing.assert_array_equal(image.read(path), COLOUR)
    np.testing.assert_array_equal(image.read(path, "alpha"), alpha)


def test_alpha_asked_for_but_absent(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    image.write(path, COLOUR)
    with pytest.raises(ImageError, match="no alpha channel"):
        image.read(path, "alpha")


def test_extension_may_lie(tmp_path: Path) -> None:
    path = tmp_path / "really_a.png"
    path.write_bytes(cv2.imencode(".bmp", GREY)[1].tobytes())
    np.testing.assert_array_equal(image.read(path), GREY)


@pytest.mark.parametrize("mode", ["1", "P", "LA", "CMYK"])
def test_unusual_modes_become_grey_or_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "unusual.tif"
    Image.fromarray(COLOUR).convert(mode).save(path)
    assert image.read(path).shape in ((9, 7), (9, 7, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"just text", "not a picture"), (None, "cannot read")],
)
def test_unreadable_files_are_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "broken.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        image.read(path)
    assert "broken.png" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_truncated_pictures_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"half{suffix}"
    image.write(path, RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-800])
    with pytest.raises(ImageError, match="damaged or truncated"):
        image.read(path)


def test_float_pictures_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    cv2.imwrite(str(path), GREY.astype(np.float32))
    with pytest.raises(ImageError, match="expected 8 or 16 bit"):
        image.read(path)


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match="cannot write"):
        image.write_bytes(target / "inside.png", b"new")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_rounding_is_half_up_and_clamped() -> None:
    plane = torch.tensor([[[-0.1, 0.0, 0.5 / 255, 1.49 / 255, 1.0, 1.3]]])
    assert image.to_levels(plane).tolist() == [[0, 0, 1, 1, 255, 255]]


def test_levels_survive_planes() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(image.to_levels(image.to_plane(every)), every)


def test_grey_is_the_integer_formula() -> None:
    red, green, blue = (COLOUR[..., c].astype(np.int64) for c in range(3))
    expected = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    np.testing.assert_array_equal(image.grey(COLOUR), expected)
    assert image.grey(GREY) is GREY


def test_eight_bit_rounds() -> None:
    assert image.eight_bit(np.array([0, 128, 129, 65535], np.uint16)).tolist() == [0, 0, 1, 255]

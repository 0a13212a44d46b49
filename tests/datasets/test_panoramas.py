"""Panoramas: drawn ones close to a circle and bend, and published layouts are recognised."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fusionzoo import datasets, image
from fusionzoo.core import DataError
from fusionzoo.datasets._demo.panorama import Panorama
from fusionzoo.datasets._demo.scene import SKY
from fusionzoo.datasets._demo.street import ROAD
from fusionzoo.datasets.cityscapes import IDS


@pytest.fixture(scope="module")
def drawn() -> Panorama:
    return Panorama("test", 0)


def test_a_panorama_keeps_the_contract(drawn: Panorama) -> None:
    entry = datasets.find("demo_panorama")
    items = entry.listing(None, "test").items
    assert [item.name for item in items[:3]] == ["000D", "001N", "002F"]
    sample = items[0].load()
    assert sample.images["panorama"].shape == (3, 400, 2048)
    assert sample.target.shape == (400, 2048)
    np.testing.assert_array_equal(sample.target.numpy(), drawn.labels)
    assert set(np.unique(drawn.labels)) <= set(range(1, 15))


def test_it_is_a_function_of_split_and_index(drawn: Panorama) -> None:
    np.testing.assert_array_equal(drawn.labels, Panorama("test", 0).labels)
    assert (drawn.labels != Panorama("train", 0).labels).any()


def test_its_two_ends_are_neighbours_and_its_middle_has_no_seam(drawn: Panorama) -> None:
    picture = drawn.visible().mean(-1)
    inside = np.abs(np.diff(picture, axis=1)).mean()
    closing = np.abs(picture[:, 0] - picture[:, -1]).mean()
    assert closing < 3 * inside
    same = (drawn.labels[:, 0] == drawn.labels[:, -1]).mean()
    assert same > 0.95


def test_straight_kerbs_bend(drawn: Panorama) -> None:
    """The road's edge is a straight line in space: its row is lowest beside the eye."""
    road = drawn.labels == ROAD
    top = np.argmax(road, axis=0)
    beside, ahead = top[1536 - 30 : 1536 + 30], top[1130:1190]
    assert np.median(beside) > np.median(ahead) + 20
    assert (drawn.labels[0] == SKY).any() or (drawn.labels[0] == 3).all()


def put(path: Path, size: tuple[int, ...] = (8, 16), value: int = 3) -> None:
    image.write(path, np.full(size, value, np.uint8))


def test_densepass_cityscapes_and_synpass_are_recognised(tmp_path: Path) -> None:
    put(tmp_path / "DensePASS/leftImg8bit/val/cs/1.png", (8, 16, 3))
    put(tmp_path / "DensePASS/gtFine/val/cs/1_labelTrainIds.png")
    put(tmp_path / "DensePASS/leftImg8bit/train/Amsterdam/1.png", (8, 16, 3))
    put(tmp_path / "Cityscapes/leftImg8bit/val/ulm/a_1_leftImg8bit.png", (8, 16, 3))
    put(tmp_path / "Cityscapes/gtFine/val/ulm/a_1_gtFine_labelIds.png", value=26)
    put(tmp_path / "SynPASS/img/fog/val/MAP_6/7.png", (8, 16, 3))
    put(tmp_path / "SynPASS/semantic/fog/val/MAP_6/7_trainID.png", value=22)
    expected = {"densepass:val": ("cs_1", 3), "cityscapes:val": ("ulm_a_1_leftImg8bit", 13),
                "synpass:val": ("fog_val_MAP_6_7", 22)}  # fmt: skip
    for spec, (name, label) in expected.items():
        (sample,) = datasets.samples(spec, tmp_path)
        assert sample.name == name
        assert sample.target.unique().tolist() == [label]
    (unlabelled,) = datasets.samples("densepass:train", tmp_path)
    assert unlabelled.target is None
    assert unlabelled.images["panorama"].shape == (3, 8, 16)


def test_wrong_labels_are_one_clear_line(tmp_path: Path) -> None:
    pictures, labels = (
        tmp_path / "DensePASS/leftImg8bit/val/cs",
        tmp_path / "DensePASS/gtFine/val/cs",
    )
    for name in "abcd":
        put(pictures / f"{name}.png", (8, 16, 3))
    put(labels / "a_labelTrainIds.png", (8, 15))
    put(labels / "c_labelTrainIds.png", value=19)
    put(labels / "d_labelTrainIds.png", (8, 16, 3))
    colour = np.random.default_rng(0).integers(0, 255, (8, 16, 3)).astype(np.uint8)
    image.write(labels / "d_labelTrainIds.png", colour)
    listing = datasets.find("densepass").listing(tmp_path, "val")
    assert [line[:15] for line in listing.problems] == ["cs_a: picture 1", "cs_b: no label "]
    for item, message in zip(listing.items, (r"ids \[19\]", "colour picture"), strict=True):
        with pytest.raises(DataError, match=message):
            item.load()


def test_labels_of_another_size_are_found_in_folder_layouts(tmp_path: Path) -> None:
    for role, size in (("Visible", (8, 16, 3)), ("Infrared", (8, 16)), ("Label", (8, 12))):
        put(tmp_path / "FMB/test" / role / "00001.png", size)
    listing = datasets.find("fmb").listing(tmp_path, "test")
    assert not listing.items
    assert "labels 12x8" in listing.problems[0]


def test_label_ids_of_cityscapes() -> None:
    assert (IDS[7], IDS[26], IDS[33], IDS[0], IDS[29]) == (0, 13, 18, 255, 255)
    assert sorted(i for i in IDS if i != 255) == list(range(19))


def test_pass_is_here(shared: Path) -> None:
    items = datasets.find("pass").listing(shared / "data", "panoramas").items
    assert [item.name for item in items] == ["1027U_0", "1210U_1", "7100U_1"]
    sample = items[0].load()
    assert sample.images["panorama"].shape == (3, 692, 2048)
    assert sample.images["panorama"].dtype == torch.float32
    assert sample.target is None

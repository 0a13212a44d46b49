"""MEFB and MFIFB in their official layout, and the drawn exposure and focus pairs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fusionzoo import datasets, image
from fusionzoo.core import DataError


def put(path: Path, level: int, size: tuple[int, int] = (24, 32)) -> None:
    image.write(path, np.full((*size, 3), level, np.uint8))


def test_pairs_are_found_by_scene_whatever_their_capitals(tmp_path: Path) -> None:
    base = tmp_path / "MEFB" / "input"
    put(base / "Sky" / "sKY_a.png", 20)
    put(base / "Sky" / "Sky_B.JPG", 200)
    put(base / "Sky" / "raw 1.png", 90)
    put(base / "Farm" / "Farm_A.tif", 20)
    put(base / "Farm" / "Farm_B.png", 200)
    put(base / "Farm" / "copy_B.png", 90)
    (base / "empty").mkdir()
    listing = datasets.find("mefb").listing(tmp_path, "all")
    assert listing.problems == ()
    assert [item.name for item in listing.items] == ["Farm", "Sky"]
    for item in listing.items:
        sample = item.load()
        assert sample.images["under"].mean() < 0.1
        assert sample.images["over"].mean() > 0.7


def test_faults_are_named(tmp_path: Path) -> None:
    base = tmp_path / "MFIFB"
    put(base / "good" / "good_A.png", 1)
    put(base / "good" / "good_B.png", 1)
    put(base / "half" / "half_A.png", 1)
    put(base / "size" / "size_A.png", 1)
    put(base / "size" / "size_B.png", 1, (20, 32))
    listing = datasets.find("mfifb").listing(tmp_path, "all")
    assert [item.name for item in listing.items] == ["good"]
    assert set(listing.items[0].load().images) == {"near", "far"}
    assert "half: expected one file half_B, found none" in listing.problems
    assert any("size: pictures differ in size (near 32x24, far 32x20)" in p for p in
               listing.problems)  # fmt: skip


def test_exchanged_exposures_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "MEFB" / "x" / "x_A.png", 200)
    put(tmp_path / "MEFB" / "x" / "x_B.png", 20)
    item = datasets.find("mefb").listing(tmp_path, "all").items[0]
    with pytest.raises(DataError, match="exchange the files"):
        item.load()


@pytest.mark.parametrize(("name", "count"), [("mefb", 12), ("mfifb", 16)])
def test_real_copies_are_whole(name: str, count: int, shared: Path) -> None:
    listing = datasets.find(name).listing(shared / "data", "all")
    assert len(listing.items) == count
    assert listing.problems == ()
    for item in listing.items:
        item.load()


def test_drawn_exposures() -> None:
    items = datasets.find("demo_exposure").listing(None, "test").items
    assert len(items) == 12
    first, again = items[1].load(), items[1].load()
    under, over = first.images["under"], first.images["over"]
    assert torch.equal(under, again.images["under"])
    assert under.shape == over.shape == (3, 480, 640)
    assert under.mean() + 0.2 < over.mean()
    assert (over == 1).float().mean() > 0.02


def test_drawn_focus() -> None:
    sample = datasets.find("demo_focus").listing(None, "test").items[0].load()
    near, far, clean = sample.images["near"], sample.images["far"], sample.target
    assert clean is not None
    assert near.shape == far.shape == clean.shape == (3, 480, 640)
    road, distance = np.s_[:, 420:], np.s_[:, 150:260, 200:440]
    for part, sharp, blurred in ((road, near, far), (distance, far, near)):
        error = [(picture[part] - clean[part]).abs().mean() for picture in (sharp, blurred)]
        assert error[0] < 0.5 * error[1]

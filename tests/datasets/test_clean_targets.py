"""Datasets of degraded pictures with clean originals: layouts, splits by scene, drawn haze."""

from pathlib import Path

import pytest
import torch

from fusionzoo import datasets, image
from fusionzoo.core import DataError
from fusionzoo.datasets._folder import id_list


def put(folder: Path, names: list[str], draw, channels: int = 3) -> None:
    for seed, name in enumerate(names):
        image.write(folder / f"{name}.png", draw(24, 32, channels, seed))


def test_sots_names_clean_pictures_by_scene(tmp_path: Path, draw) -> None:
    put(tmp_path / "SOTS/indoor/hazy", ["1400_1", "1402_1", "1402_2", "1449_3"], draw)
    put(tmp_path / "SOTS/indoor/gt", ["1400", "1402"], draw)
    entry = datasets.find("sots")
    listing = entry.listing(tmp_path, "test")
    assert [item.name for item in listing.items] == ["1402_1", "1402_2"]
    assert listing.problems == ("1449_3: no clean picture",)
    sample = listing.items[0].load()
    clean = image.to_plane(image.read(tmp_path / "SOTS/indoor/gt/1402.png"))
    assert sample.target is not None
    assert torch.equal(sample.target, clean)
    assert [item.name for item in entry.listing(tmp_path, "train").items] == ["1400_1"]


def test_reside_in_repeats_the_hazy_name(tmp_path: Path, draw) -> None:
    for folder in ("hazy", "GT"):
        put(tmp_path / "RESIDE-IN/test" / folder, ["1400_2", "1402_2"], draw)
    names = [i.name for i in datasets.find("reside_in").listing(tmp_path, "all").items]
    assert names == ["1400_2", "1402_2"]


@pytest.mark.parametrize("beside", [True, False])
def test_msrs_haze_finds_its_clean_pictures(tmp_path: Path, draw, beside: bool) -> None:
    put(tmp_path / "MSRS_haze_IASSF/test/hazy", ["00004N"], draw)
    base = tmp_path / ("MSRS_haze_IASSF/test" if beside else "MSRS/test")
    put(base / ("GT" if beside else "vi"), ["00004N", "00009D"], draw)
    put(base / ("IR" if beside else "ir"), ["00004N", "00009D"], draw, 1)
    listing = datasets.find("msrs_haze").listing(tmp_path, "test")
    assert [item.name for item in listing.items] == ["00004N"]
    assert set(listing.items[0].load().images) == {"visible", "infrared"}


def test_msrs_haze_needs_msrs(tmp_path: Path, draw) -> None:
    put(tmp_path / "MSRS_haze_IASSF/test/hazy", ["00004N"], draw)
    with pytest.raises(DataError, match="dataset msrs is not"):
        datasets.find("msrs_haze").listing(tmp_path, "test")


def test_awmm_keeps_names_apart(tmp_path: Path, draw) -> None:
    for weather in ("haze", "rain", "Snow"):
        base = tmp_path / "AWMM/Test_Image" / f"Test_{weather}"
        put(base / "vi", ["1"], draw)
        put(base / "ir", ["1"], draw, 1)
        put(base / "gt_vi", ["1", "2"], draw)
    entry = datasets.find("awmm")
    assert [i.name for i in entry.listing(tmp_path, "train").items] == ["rain_1", "snow_1"]
    assert [i.name for i in entry.listing(tmp_path, "haze").items] == ["haze_1"]


def test_training_scenes_are_never_tested(shared: Path) -> None:
    counts = {"sots:test": 2, "sots:train": 3, "reside_in:test": 9, "reside_in:train": 24,
              "msrs_haze": 30, "awmm": 5, "awmm:train": 6}  # fmt: skip
    found = {}
    for text, count in counts.items():
        entry, split = datasets.parse(text)
        listing = entry.listing(shared / "data", split)
        assert listing.problems == ()
        assert len(listing.items) == count, text
        found[text] = {item.name for item in listing.items}
    scenes = {k: {name.partition("_")[0] for name in v} for k, v in found.items()}
    assert not (scenes["sots:train"] | scenes["reside_in:train"]) & (
        scenes["sots:test"] | scenes["reside_in:test"]
    )
    assert not found["msrs_haze"] & set(id_list("msrs_train_allowed"))


def test_drawn_haze_follows_depth() -> None:
    sample = datasets.find("demo_haze").listing(None, "test").items[0].load()
    hazy, clear, depth = sample.images["visible"], sample.target, sample.images["depth"]
    assert hazy.shape == clear.shape == (3, 480, 640)
    assert depth.shape == (1, 480, 640)
    distances = {"far": (depth > 0.15) & (depth < 1), "near": depth < 0.03}
    kept = {name: (hazy[0, part[0]].std() / clear[0, part[0]].std()).item()
            for name, part in distances.items()}  # fmt: skip
    assert kept["far"] < 0.3 < kept["near"]
    again = datasets.find("demo_haze").listing(None, "test").items[0].load()
    assert torch.equal(again.images["visible"], hazy)

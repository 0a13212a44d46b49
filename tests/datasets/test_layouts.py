"""Datasets in their official layouts and dialects, drawn in temporary folders."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fusionzoo import datasets, describe, image
from fusionzoo.core import DataError, FusionZooError, UnknownNameError


def put(folder: Path, names: list[str], draw, channels: int = 1, suffix: str = ".png") -> None:
    for seed, name in enumerate(names):
        image.write(folder / f"{name}{suffix}", draw(24, 32, channels, seed))


LAYOUTS = [
    ("tno", "TNO/vi", "TNO/ir", "all"),
    ("tno", "tno/VIS", "tno/IR", "all"),
    ("roadscene", "RoadScene/crop_LR_visible", "RoadScene/cropinfrared", "all"),
    ("fmb", "FMB/test/Visible", "FMB/test/Infrared", "test"),
    ("fmb", "FMB/train/Visible", "FMB/train/Infrared", "train"),
    ("llvip", "LLVIP/visible/test", "LLVIP/infrared/test", "test"),
    ("vifb", "VIFB/VI", "VIFB/IR", "all"),
    ("vifb", "VIFB/input/VI", "VIFB/input/IR", "all"),
    ("m3fd", "M3FD_Detection/Vis", "M3FD_Detection/Ir", "all"),
    ("m3fd", "M3FD_Detection/Vis", "M3FD_Detection/Ir", "detection"),
]


@pytest.mark.parametrize(("name", "visible", "infrared", "split"), LAYOUTS)
def test_layouts(tmp_path: Path, draw, name: str, visible: str, infrared: str, split: str) -> None:
    put(tmp_path / visible, ["00002", "00001"], draw, 3)
    put(tmp_path / infrared, ["00001", "00002"], draw, 1, ".bmp")
    (tmp_path / visible / "Thumbs.db").write_bytes(b"x")
    (tmp_path / visible / ".DS_Store").write_bytes(b"x")
    (tmp_path / visible / ".ipynb_checkpoints").mkdir()
    listing = datasets.find(name).listing(tmp_path, split)
    assert [item.name for item in listing.items] == ["00001", "00002"]
    assert listing.problems == ()
    sample = listing.items[0].load()
    assert sample.images["visible"].shape == (3, 24, 32)
    assert sample.images["infrared"].shape == (1, 24, 32)


def test_a_root_that_is_the_dataset_itself(tmp_path: Path, draw) -> None:
    put(tmp_path / "TNO" / "vi", ["01"], draw)
    put(tmp_path / "TNO" / "ir", ["01"], draw)
    assert len(datasets.find("tno").listing(tmp_path / "TNO", "all").items) == 1


def test_the_environment_names_the_root(tmp_path: Path, draw, monkeypatch) -> None:
    put(tmp_path / "TNO" / "vi", ["01"], draw)
    put(tmp_path / "TNO" / "ir", ["01"], draw)
    monkeypatch.setenv("FUSIONZOO_DATA", str(tmp_path))
    assert [sample.name for sample in datasets.samples("tno")] == ["01"]


def test_every_bad_pair_is_named_and_the_rest_is_usable(tmp_path: Path, draw) -> None:
    visible, infrared = tmp_path / "TNO" / "vi", tmp_path / "TNO" / "ir"
    put(visible, ["01", "02", "03", "04"], draw)
    put(infrared, ["01", "03", "05"], draw)
    image.write(infrared / "03.png", draw(20, 32))
    (infrared / "04.png").write_text("text")
    listing = datasets.find("tno").listing(tmp_path, "all")
    assert [item.name for item in listing.items] == ["01"]
    reasons = {line.partition(":")[0]: line for line in listing.problems}
    assert "no infrared picture" in reasons["02"]
    assert "visible 32x24, infrared 32x20" in reasons["03"]
    assert "not a picture" in reasons["04"]
    assert "no visible picture" in reasons["05"]


def test_mfnet_keeps_thermal_in_alpha(tmp_path: Path, draw) -> None:
    folder = tmp_path / "MFNet" / "images"
    folder.mkdir(parents=True)
    pixels = np.dstack([draw(24, 32, 3), draw(24, 32, 1, 9)])
    Image.fromarray(pixels).save(folder / "01234N.png")
    Image.fromarray(pixels).save(folder / "01234N_flip.png")
    labels = tmp_path / "MFNet" / "labels"
    image.write(labels / "01234N.png", np.full((24, 32), 2, np.uint8))
    listing = datasets.find("mfnet").listing(tmp_path, "all")
    assert [item.name for item in listing.items] == ["01234N"]
    sample = listing.items[0].load()
    np.testing.assert_array_equal(image.to_levels(sample.images["infrared"]), pixels[..., 3])
    np.testing.assert_array_equal(image.to_levels(sample.images["visible"]), pixels[..., :3])
    assert sample.target.unique().tolist() == [2]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.full((24, 32), 77, np.uint8), r"ids \[77\]"),
        (np.dstack([np.zeros((24, 32)), np.ones((24, 32)), np.ones((24, 32))]).astype(np.uint8),
         "colour picture"),
    ],
)  # fmt: skip
def test_wrong_labels(tmp_path: Path, draw, label: np.ndarray, message: str) -> None:
    base = tmp_path / "FMB" / "test"
    put(base / "Visible", ["00001"], draw, 3)
    put(base / "Infrared", ["00001"], draw)
    image.write(base / "Label" / "00001.png", label)
    item = datasets.find("fmb").listing(tmp_path, "test").items[0]
    with pytest.raises(DataError, match=message):
        item.load()


def test_an_id_of_both_m3fd_sets_stays_unique(tmp_path: Path, draw) -> None:
    for base in ("M3FD_Detection", "M3FD_Fusion"):
        put(tmp_path / base / "Vis", ["00000"], draw, 3)
        put(tmp_path / base / "Ir", ["00000"], draw)
    names = [item.name for item in datasets.find("m3fd").listing(tmp_path, "all").items]
    assert names == ["00000", "fusion_00000"]


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"looked for .*TNO.*figshare.*--data.*works now"):
        datasets.find("tno").listing(tmp_path, "all")


def test_fingerprints_follow_the_files(tmp_path: Path, draw) -> None:
    put(tmp_path / "TNO" / "vi", ["01"], draw)
    put(tmp_path / "TNO" / "ir", ["01"], draw)
    item = datasets.find("tno").listing(tmp_path, "all").items[0]
    before = item.fingerprint()
    assert item.fingerprint() == before
    image.write(tmp_path / "TNO" / "ir" / "01.png", draw(24, 32, 1, 99))
    assert item.fingerprint() != before


@pytest.mark.parametrize(
    ("text", "message"),
    [("roadscen", "did you mean roadscene"), ("roadscene:test5", "did you mean test50")],
)
def test_near_names(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        datasets.parse(text)


COUNTS = {
    "tno": 42, "roadscene": 221, "roadscene:test50": 50, "roadscene:test44": 44,
    "roadscene:train_allowed": 132, "m3fd": 38, "m3fd:detection": 15, "m3fd:fusion300": 23,
    "msrs": 178, "msrs:train": 14, "msrs:train_allowed": 128, "mfnet": 2, "fmb": 5, "llvip": 12,
    "llvip:train": 6, "vifb": 21,
}  # fmt: skip


@pytest.mark.parametrize("text", COUNTS)
def test_real_copies_are_whole(text: str, shared: Path) -> None:
    entry, split = datasets.parse(text)
    listing = entry.listing(shared / "data", split)
    assert len(listing.items) == COUNTS[text]
    assert listing.problems == ()
    assert set(listing.items[0].load().images) == {"visible", "infrared"}


def test_training_and_test_ids_do_not_meet() -> None:
    from fusionzoo.datasets._folder import id_list

    allowed = set(id_list("roadscene_train_allowed"))
    assert not allowed & {*id_list("roadscene_test50"), *id_list("roadscene_test44")}
    assert not set(id_list("msrs_train_allowed")) & set(id_list("mfnet_test"))


@pytest.mark.parametrize("name", ["roadscene", "msrs"])
def test_held_out_scenes_are_the_rest_of_the_training_list(name: str, shared: Path) -> None:
    entry = datasets.find(name)
    whole, fit, held = (
        [item.name for item in entry.listing(shared / "data", f"train_{part}").items]
        for part in ("allowed", "fit", "held_out")
    )
    assert not set(fit) & set(held)
    assert sorted([*fit, *held]) == whole
    assert held == whole[::13]


def test_data_check_counts_faults(tmp_path: Path, draw) -> None:
    put(tmp_path / "TNO" / "vi", ["01", "02"], draw)
    put(tmp_path / "TNO" / "ir", ["01", "02"], draw)
    broken = tmp_path / "TNO" / "ir" / "02.png"
    broken.write_bytes(broken.read_bytes()[:-40])
    text, faults = describe.check("tno", tmp_path)
    assert faults == 1
    assert "32x24 (1)" in text
    assert "02: " in text
    assert "12 (-4, 2)" in text
    assert "2 scenes" in describe.data_table(tmp_path)


def test_importing_datasets_does_not_import_torch() -> None:
    import subprocess

    code = "import sys, fusionzoo.datasets as d; d.find('tno'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_own_files_need_no_common_stem(tmp_path: Path, draw) -> None:
    first, second = tmp_path / "x.png", tmp_path / "y.png"
    image.write(first, draw(24, 32, 3))
    image.write(second, draw(24, 32))
    listing = datasets.folder(visible=first, infrared=second).listing(None, "all")
    assert [item.name for item in listing.items] == ["x"]


def test_own_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FusionZooError, match="no picture"):
        datasets.folder(visible=tmp_path, infrared=tmp_path).listing(None, "all")

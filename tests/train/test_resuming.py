"""What a training refuses to go on from, or to begin with; equal trainings give equal files."""

import io
from pathlib import Path

import pytest
import torch

from fusionzoo import image
from fusionzoo.core import FusionZooError, WeightsError
from fusionzoo.train import run
from tests.train.toy import job


def test_other_settings_do_not_resume(tmp_path: Path) -> None:
    run.train(job(tmp_path / "run", stop_after=2))
    before = (tmp_path / "run" / "settings.json").read_text()
    with pytest.raises(
        WeightsError, match=r"made otherwise \(learning_rate 0.01 -> 0.5\).*another --out"
    ):
        run.train(job(tmp_path / "run", "learning_rate=0.5"))
    assert (tmp_path / "run" / "settings.json").read_text() == before


def test_changed_pictures_do_not_resume(tmp_path: Path, draw) -> None:
    run.train(job(tmp_path / "run", stop_after=2))
    image.write(tmp_path / "data" / "RoadScene" / "cropinfrared" / "1.png", draw(21, 30, 1, 99))
    with pytest.raises(WeightsError, match=r"made otherwise \(content_hash"):
        run.train(job(tmp_path / "run"))


def test_equal_trainings_give_equal_files(tmp_path: Path) -> None:
    contents = set()
    for folder in ("one", "two", "one"):
        run.train(job(tmp_path / folder))
        contents.add((tmp_path / folder / run.WEIGHTS).read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize(
    "change", ["steps=0", "batch=0", "height=-32", "seed=-1", "seed=99999999999999999999",
               "learning_rate=nan"]
)  # fmt: skip
def test_impossible_settings_are_refused(tmp_path: Path, change: str) -> None:
    name = change.partition("=")[0]
    with pytest.raises(FusionZooError, match=f"setting {name}=.*: expected"):
        run.train(job(tmp_path / "run", change))
    with pytest.raises(FusionZooError, match="precision 'float16' is unknown"):
        run.train(job(tmp_path / "run", precision="float16"))
    assert not (tmp_path / "run").exists()


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    run.train(job(tmp_path / "run", stop_after=2))
    path = tmp_path / "run" / "checkpoint.pt"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(b"data/0") + 200] ^= 1  # inside a tensor, where nothing else notices
    for data in (whole[:200], bytes(flipped)):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match="is damaged"):
            run.train(job(tmp_path / "run"))
    path.write_bytes(whole)
    for change in ({"step": 99}, {"state": {}}, {"identity": None}):
        torch.save(torch.load(io.BytesIO(whole), weights_only=True) | change, path)
        with pytest.raises(WeightsError, match="remove it"):
            run.train(job(tmp_path / "run"))
    short = torch.load(io.BytesIO(whole), weights_only=True)
    part = next(name for name, state in short["state"].items() if len(state) > 1)
    short["state"][part].popitem()
    torch.save(short, path)
    with pytest.raises(WeightsError, match="is damaged"):
        run.train(job(tmp_path / "run"))

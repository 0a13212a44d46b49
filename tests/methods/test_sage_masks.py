"""SAGE's mask providers: what they find, what is kept on disk, and what they refuse."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from fusionzoo import image
from fusionzoo.cli import cli
from fusionzoo.core import DataError, FusionZooError, WeightsError
from fusionzoo.methods.sage import masks, sam


def scene(height: int = 60, width: int = 83) -> np.ndarray:
    """A dark picture with a large bright rectangle, a grey one and a little noise."""
    levels = np.full((height, width), 20, np.uint8)
    levels[5:45, 8:50] = 220
    levels[10:50, 60:78] = 120
    return levels + np.random.default_rng(0).integers(0, 4, levels.shape, np.uint8)


def test_regions_are_the_objects_and_share_the_picture_out() -> None:
    found = masks.Felzenszwalb().find("a", "visible", scene())
    assert found.sum(0).max() == 1  # no pixel belongs to two regions
    assert found.sum() == found[0].size
    overlaps = [(one & (scene() > 200)).sum() / (one | (scene() > 200)).sum() for one in found]
    assert max(overlaps) > 0.85
    again = masks.Felzenszwalb().find("a", "visible", scene())
    assert (found == again).all()


class Counting:
    key = "counting"

    def __init__(self) -> None:
        self.calls = 0

    def find(self, _name: str, _role: str, levels: np.ndarray) -> np.ndarray:
        self.calls += 1
        planes = np.zeros((30, *levels.shape), bool)
        for index in range(30):
            planes[index, : index + 1] = True
        return planes


def test_the_cache_keeps_the_largest_bit_packed(tmp_path: Path) -> None:
    provider, levels = Counting(), np.zeros((40, 53), np.uint8)
    cache = masks.Cache(provider, tmp_path, kept=20)
    first = cache.masks("a", "visible", levels)
    again = masks.Cache(provider, tmp_path, kept=20).masks("a", "visible", levels)
    assert provider.calls == 1
    assert first.shape == (20, 40, 53)
    assert (first == again).all()
    assert first[0].sum() == 30 * 53  # largest first
    path = cache.path("a", "visible", levels)
    assert path.stat().st_size < 20 * 40 * 7 + 1000
    with np.load(path, allow_pickle=False) as stored:
        assert stored["bits"].dtype == np.uint8
    cache.masks("a", "visible", levels + 1)  # other pixels under the same name
    assert provider.calls == 2


def test_a_damaged_cache_file_is_named(tmp_path: Path) -> None:
    cache, levels = masks.Cache(Counting(), tmp_path), np.zeros((8, 8), np.uint8)
    cache.masks("a", "visible", levels)
    path = cache.path("a", "visible", levels)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="damaged"):
        cache.masks("a", "visible", levels)


def test_bits_carry_eight_masks() -> None:
    rng = np.random.default_rng(0)
    visible, infrared = rng.random((5, 6, 7)) > 0.5, rng.random((2, 6, 7)) > 0.5
    bits = masks.pack(visible, infrared)
    assert bits.shape == (1, 6, 7)
    assert bits.dtype == torch.uint8
    back = masks.unpack(bits[None])
    assert torch.equal(back[0][0], torch.from_numpy(visible[:4]).float())
    assert torch.equal(back[1][0, :2], torch.from_numpy(infrared).float())
    assert (back[1][0, 2:] == 1).all()  # what is missing is the whole picture


def test_precomputed_masks(tmp_path: Path) -> None:
    for index in range(2):
        plane = np.zeros((60, 83), np.uint8)
        plane[index:] = 255
        image.write(tmp_path / "visible" / "a" / f"{index}.png", plane)
    regions = np.repeat(np.arange(3, dtype=np.uint8), 20)[:, None].repeat(83, 1)
    image.write(tmp_path / "infrared" / "a.png", regions)
    provider = masks.provider("precomputed", tmp_path, None, "quick")
    assert provider.find("a", "visible", scene()).sum((1, 2)).tolist() == [60 * 83, 59 * 83]
    assert provider.find("a", "infrared", scene()).sum((1, 2)).tolist() == [20 * 83, 20 * 83]
    with pytest.raises(DataError, match="no masks of b"):
        provider.find("b", "visible", scene())
    with pytest.raises(DataError, match="83x60, the picture 83x30"):
        provider.find("a", "visible", scene(30))


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FusionZooError, match="--set mask_folder=FOLDER"):
        masks.provider("precomputed", tmp_path / "none", None, "quick")
    with pytest.raises(WeightsError, match="--set sam_checkpoint=FILE"):
        masks.provider("sam", None, None, "official")
    with pytest.raises(FusionZooError, match="known are official, quick"):
        masks.provider("sam", None, None, "best")


def checkpoint(path: Path, width: int) -> Path:
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 2, 2, width)}, path)
    return path


def test_a_checkpoint_that_is_not_sam_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="its width is 320"):
        sam.Sam(checkpoint(tmp_path / "small.pth", 320))
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"no image_encoder\.pos_embed"):
        sam.Sam(tmp_path / "other.pth")


def test_the_official_preset_costs_what_the_paper_pays() -> None:
    assert sam.PRESETS["official"].prompts == 32_768


def test_without_the_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segment_anything", None)
    with pytest.raises(FusionZooError, match=r"fusionzoo\[sam\]"):
        sam.Sam(checkpoint(tmp_path / "b.pth", 768))


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = torch.nn.Module()
        self.image_encoder.register_parameter(
            "pos_embed", torch.nn.Parameter(torch.ones(1, 2, 2, 1024))
        )


def test_sam_is_asked_as_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen = {}

    class Generator:
        def __init__(self, model: Model, **options: object) -> None:
            seen.update(options, model=model)

        def generate(self, picture: np.ndarray) -> list[dict[str, np.ndarray]]:
            seen["shape"] = picture.shape
            return [{"segmentation": picture[..., 0] > 128}]

    package = types.ModuleType("segment_anything")
    package.sam_model_registry = {"vit_l": Model}  # type: ignore[attr-defined]
    package.SamAutomaticMaskGenerator = Generator  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "segment_anything", package)
    provider = sam.Sam(checkpoint(tmp_path / "l.pth", 1024), "official", "cpu")
    assert "32768 prompts" in caplog.text
    found = provider.find("a", "infrared", scene())
    assert (found[0] == (scene() > 128)).all()
    assert seen["shape"] == (60, 83, 3)
    assert seen["points_per_side"] == 128
    assert seen["crop_n_layers"] == 1
    assert (seen["model"].image_encoder.pos_embed == 0).all()  # the checkpoint's, not the model's


def test_the_command_finds_masks_once(monkeypatch: pytest.MonkeyPatch, pairs: Path) -> None:
    monkeypatch.setenv("FUSIONZOO_DATA", str(pairs.parent))
    pairs.rename(pairs.parent / "RoadScene")
    command = ["masks", "--dataset", "roadscene"]
    first = CliRunner().invoke(cli, command)
    assert first.exit_code == 0, first.output
    assert "3 pairs" in first.output
    found = sorted(Path(first.output.split()[-1]).rglob("*.npz"))
    assert len(found) == 6
    times = [path.stat().st_mtime_ns for path in found]
    CliRunner().invoke(cli, command)
    assert [path.stat().st_mtime_ns for path in found] == times

"""Readers: a segmenter of any kind judges fused pictures; retraining resumes; bad labels."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from fusionzoo import catalog, classes, image, methods, metrics, predictor
from fusionzoo.cli import cli
from fusionzoo.core import DataError, Dataset, FusionZooError, Item, Listing, Method, Sample
from fusionzoo.methods.trans4pass.recipe import start_file
from fusionzoo.readers import judge, retrain


class Brightness(nn.Module):
    """A segmenter in one class: road where it is dark, car where it is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(self, picture: Tensor) -> Tensor:
        bright = picture.mean(1, keepdim=True)
        logits = torch.full((len(picture), 15, *picture.shape[-2:]), -20.0)
        logits[:, 9:10], logits[:, 1:2] = self.scale * bright, self.scale * (1 - bright)
        return logits


READER = Method(
    network=Brightness, inputs=("visible",), task="segment", colour="rgb", classes=classes.FMB
)


def scene(name: str, labels: np.ndarray) -> Item:
    """Cars are seen by heat only."""
    hot = torch.from_numpy((labels == 9) * 0.9).float()[None]
    dark = torch.full((3, *labels.shape), 0.2)
    sample = Sample(name, {"visible": dark, "infrared": hot}, torch.from_numpy(labels))
    return Item(name, lambda: sample, lambda: name)


def street(seed: int) -> np.ndarray:
    labels = np.ones((48, 64), np.int64)
    top, left = np.random.default_rng(seed).integers(0, 30, 2)
    labels[top : top + 12, left : left + 20] = 9
    labels[:2] = 255
    return labels


def dataset(items: list[Item], table: classes.ClassTable | None = classes.FMB) -> Dataset:
    return Dataset("streets", ("visible", "infrared"), {"test": ""},
                   lambda _r, _s: Listing(tuple(items)), "", "", target="labels",
                   classes=table)  # fmt: skip


@pytest.fixture
def reader() -> predictor.Predictor:
    return predictor.Predictor("brightness", READER, Brightness())


def bench(tmp_path: Path, items: list[Item]) -> judge.Bench:
    return judge.Bench("streets", dataset(items), Listing(tuple(items), split="test"), tmp_path)


def test_heat_shows_what_light_does_not(tmp_path: Path, reader: predictor.Predictor) -> None:
    items = [scene(f"s{i}", street(i)) for i in range(3)]
    grid = bench(tmp_path, items)
    found = [
        judge.run(grid, predictor.load(name, device="cpu"), reader)
        for name in ("visible", "infrared", "max")
    ]
    seen = {result.method: result.scores["mIoU"] for result in found}
    assert seen["infrared"] == seen["max"] == 1
    # All road: its union is every labelled pixel, the car's IoU is 0.
    labelled = 3 * 46 * 64
    cars = sum(int((street(i)[2:] == 9).sum()) for i in range(3))
    assert seen["visible"] == pytest.approx((1 - cars / labelled) / 2)
    table = judge.table(found, classes.FMB, "Test.")
    names = [column.name for column in table.columns]
    assert names == ["mIoU", "mIoU (ivif_zoo)", "Road", "Car", "n"]
    assert "preset fmb14" in table.caption
    some = judge.table(found, classes.FMB, "Test.", lambda name: name == "s1")
    assert [row.values[-1] for row in some.rows] == [1, 1, 1]


def test_finished_scenes_are_not_read_again(
    tmp_path: Path, reader: predictor.Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [scene(f"s{i}", street(i)) for i in range(3)]
    method = predictor.load("max", device="cpu")
    first = judge.run(bench(tmp_path, items[:2]), method, reader)
    read: list[int] = []
    original = judge.read_picture
    monkeypatch.setattr(judge, "read_picture", lambda *a: read.append(1) or original(*a))
    again = judge.run(bench(tmp_path, items), method, reader)
    assert len(read) == 1
    assert [r.image for r in again.records] == ["s0", "s1", "s2"]
    assert again.records[0].to_json() == first.records[0].to_json()


def bad(kind: str) -> Item:
    labels = street(0)
    if kind == "size":
        item = scene("bad", labels)
        sample = item.load()
        wrong = Sample("bad", sample.images, sample.target[:, :-1])
        return Item("bad", lambda: wrong, lambda: kind)
    if kind == "ids":
        labels[5, 5] = 77
    if kind == "ignored":
        labels[:] = 255
        labels[0] = 0
    if kind == "none":
        sample = scene("bad", labels).load()
        return Item("bad", lambda: Sample("bad", sample.images), lambda: kind)
    return scene("bad", labels)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("size", "labels are 63x48, the pictures 64x48"), ("ids", r"holds the ids [77]"),
     ("ignored", "every pixel is unlabelled"), ("none", "has no labels")],
)  # fmt: skip
def test_bad_labels_are_one_record_with_a_reason(
    kind: str, message: str, tmp_path: Path, reader: predictor.Predictor
) -> None:
    grid = bench(tmp_path, [scene("good", street(1)), bad(kind)])
    result = judge.run(grid, predictor.load("max", device="cpu"), reader)
    assert [record.image for record in result.failed] == ["bad"]
    assert message in result.failed[0].error
    assert result.scores["mIoU"] == 1


def test_a_reader_must_know_the_datasets_classes(
    tmp_path: Path, reader: predictor.Predictor
) -> None:
    other = dataset([scene("s", street(0))], classes.MFNET)
    grid = judge.Bench("streets", other, Listing(()), tmp_path)
    method = predictor.load("max", device="cpu")
    with pytest.raises(FusionZooError, match="knows other classes"):
        judge.run(grid, method, reader)
    with pytest.raises(FusionZooError, match="is no segmenter"):
        judge.check(method, classes.FMB)
    without = judge.Bench("streets", dataset([], None), Listing(()), tmp_path)
    with pytest.raises(DataError, match="has no labels"):
        judge.run(without, method, reader)


CHANGES = ("steps=3", "batch=2", "height=48", "width=64", "input_height=64", "input_width=64",
           "smallest_scale=1", "largest_scale=1", "loss=cross_entropy")  # fmt: skip


def test_a_reader_is_retrained_per_method_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [scene(f"s{i}", street(i)) for i in range(3)]
    method = predictor.load("max", device="cpu")

    def protocol(out: str, *more: str) -> retrain.Protocol:
        changes = (*CHANGES, *more)
        return retrain.Protocol("trans4pass", changes, items, classes.FMB, tmp_path / out, "cpu")

    whole = retrain.train(protocol("whole"), method)
    assert whole.weights.trained_on == ("max",)
    # Stopped by a failure after two steps, then started again.
    from fusionzoo.methods.trans4pass.recipe import Recipe

    update = Recipe.update

    def failing(self: Recipe, batch: dict, step: int) -> dict:
        if step == 2:
            raise FusionZooError("stopped")
        return update(self, batch, step)

    monkeypatch.setattr(Recipe, "update", failing)
    with pytest.raises(FusionZooError, match="stopped"):
        retrain.train(protocol("parts"), method)
    monkeypatch.setattr(Recipe, "update", update)
    resumed = retrain.train(protocol("parts"), method)
    assert resumed.weights.sha256 != ""
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[key]), key
    facts = json.loads((tmp_path / "parts" / "max" / "log.jsonl").read_text().splitlines()[-1])
    assert facts["step"] == 3
    result = judge.run(bench(tmp_path, items), method, whole)
    assert result.provenance["reader"] == "trans4pass@retrained"


def test_retraining_from_the_command_line_says_how(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("test", 1)):
        for seed in range(count):
            labels, name = street(seed), f"{seed}.png"
            folder = tmp_path / "FMB" / split
            image.write(folder / "Label" / name, labels.astype(np.uint8))
            image.write(folder / "Infrared" / name, (230 * (labels == 9)).astype(np.uint8))
            image.write(folder / "Visible" / name, np.full((48, 64, 3), 50, np.uint8))
    arguments = ["bench", "--methods", "max", "--datasets", "fmb", "--metrics", "EN", "--device"]
    arguments += ["cpu", "--reader", "trans4pass", "--retrain-reader", "train", "--data"]
    arguments += [str(tmp_path), "--out", str(tmp_path / "out"), "--reader-precision", "bfloat16"]
    start = tmp_path / "start.safetensors"
    start.write_bytes(start_file("zoo").read_bytes())
    changes = (*CHANGES, f"start={start}")
    found = CliRunner().invoke(cli, [*arguments, *(f"--reader-set={text}" for text in changes)])
    assert found.exit_code == 0, found.output
    assert "(n = 3, same seed and steps; bfloat16; steps=3, " in found.output
    folder = tmp_path / "out" / "fmb" / "readers"
    facts = json.loads((folder / "trans4pass@retrained" / "max.json").read_text())["provenance"]
    assert facts["reader_precision"] == "bfloat16"
    assert facts["reader_split"] == "train"
    assert facts["reader_scenes"] == 3
    # A file is named by what it holds, not by where it lay.
    assert facts["reader_settings"] == [*CHANGES, f"start=sha256:{image.digest(start)[:16]}"]
    checkpoint = folder / "retrained-trans4pass" / "max" / "checkpoint.pt"
    identity = torch.load(checkpoint, weights_only=True)["identity"]
    assert identity["precision"] == "bfloat16"
    # Fusion itself keeps its own precision.
    cell = json.loads((tmp_path / "out" / "fmb" / "max.json").read_text())
    assert cell["provenance"]["precision"] == "float32"


def test_reading_the_options(tmp_path: Path) -> None:
    def failing(*arguments: str) -> str:
        out = ("--out", str(tmp_path), "--limit", "1", "--metrics", "EN")
        found = CliRunner().invoke(cli, ["bench", "--methods", "max", *arguments, *out])
        return str(found.exception)

    assert "need --reader" in failing("--datasets", "demo", "--retrain-reader", "train")
    assert "is no segmenter" in failing("--datasets", "demo", "--reader", "average")


def test_plugged_in_segmenters_are_readers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One file with an ENTRY is all that a reader of one's own needs."""
    find, spelled = methods.find, catalog.spelled
    monkeypatch.setattr(methods, "find", lambda n: READER if n == "brightness" else find(n))
    monkeypatch.setattr(catalog, "spelled", lambda p, n: n if n == "brightness" else spelled(p, n))
    ready = predictor.load("brightness", device="cpu")
    result = judge.run(
        bench(tmp_path, [scene("s", street(0))]), predictor.load("max", device="cpu"), ready
    )
    assert result.scores["mIoU"] == 1
    assert metrics.find("mIoU").summarize(
        [r.observations["mIoU"] for r in result.records], "fmb14"
    ) == pytest.approx(1)

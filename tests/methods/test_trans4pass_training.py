"""Training Trans4PASS: the recipe learns, resumes exactly, and two processes equal one."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fusionzoo import classes, image
from fusionzoo.core import DataError, FusionZooError, Sample
from fusionzoo.methods.trans4pass import recipe, recipe_paper, views
from fusionzoo.methods.trans4pass.network import Trans4PASS

CPU = torch.device("cpu")
SMALL = {"steps": 6, "batch": 2, "height": 64, "width": 96, "input_height": 64, "input_width": 64,
         "loss": "cross_entropy", "warm_up": 1}  # fmt: skip


def scene(seed: int, **changes: object) -> Sample:
    """Brightness tells the class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.repeat(rng.integers(1, 4, (4, 6)), 16, 0), 16, 1)
    shade = (labels / 4 + rng.normal(0, 0.02, labels.shape)).clip(0, 1)
    picture = torch.from_numpy(shade).float()[None]
    images = {"visible": picture.expand(3, -1, -1), "infrared": 1 - picture}
    return Sample(f"s{seed}", images, changes.get("target", torch.from_numpy(labels)))


def made(**changes: object) -> recipe.Recipe:
    settings = recipe.SupervisedSettings(**{**SMALL, **changes})
    torch.manual_seed(settings.seed)
    return recipe.Recipe(settings, CPU)


def batch_of(trainer: recipe.Recipe, seeds: range) -> dict[str, torch.Tensor]:
    crops = [
        trainer.augment(
            {k: v[..., :64, :96] for k, v in trainer.prepare(scene(s)).items()},
            torch.Generator().manual_seed(s),
        )
        for s in seeds
    ]
    return {key: torch.stack([crop[key] for crop in crops]) for key in crops[0]}


@pytest.mark.parametrize("loss", ["cross_entropy", "ohem"])
def test_it_learns(loss: str) -> None:
    trainer = made(loss=loss, steps=30, learning_rate=3e-3, fused_share=0.0)
    batch = batch_of(trainer, range(2))
    logs = [trainer.update(batch, step) for step in range(12)]
    assert logs[-1]["loss"] < 0.6 * logs[0]["loss"]
    assert logs[-1]["accuracy"] > logs[0]["accuracy"]


def test_it_resumes_exactly() -> None:
    whole = made()
    batches = [batch_of(whole, range(s, s + 2)) for s in range(3)]
    for step in range(2):
        whole.update(batches[step], step)
    saved = {name: copy.deepcopy(part.state_dict()) for name, part in whole.state().items()}
    whole.update(batches[2], 2)
    again = made(seed=0)
    for name, part in again.state().items():
        part.load_state_dict(saved[name])
    again.update(batches[2], 2)
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[key]), key


WORKER = """
import sys, json, torch
sys.path.insert(0, {tests!r})
torch.set_num_threads(1)
from fusionzoo import parallel
import test_trans4pass_training as t
with parallel.group(torch.device("cpu")):
    trainer = t.made()
    first = 2 * parallel.rank()
    trainer.update(t.batch_of(trainer, range(first, first + 2)), 0)
    if parallel.is_main():
        torch.save(t.gradients_and_statistics(trainer), {out!r})
"""


def gradients_and_statistics(trainer: recipe.Recipe) -> dict[str, torch.Tensor]:
    """What an update is made of; parameters would show only signs after AdamW's first steps."""
    found = {name: p.grad for name, p in trainer.network.named_parameters() if p.grad is not None}
    return {**found, **{k: v for k, v in trainer.network.state_dict().items() if "running" in k}}


def test_two_processes_equal_one_with_a_doubled_batch(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    out = tmp_path / "state.pt"
    script.write_text(WORKER.format(tests=str(Path(__file__).parent), out=str(out)))
    root = str(Path(__file__).parent.parent.parent)
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
               "--master-port=0", "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0",
               str(script)]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    together = torch.load(out, weights_only=True)
    alone = made(batch=4)
    alone.update(batch_of(alone, range(4)), 0)
    found = gradients_and_statistics(alone)
    assert set(found) == set(together)
    # A bias in front of a normalisation has no gradient but rounding: it is measured by the rest.
    floor = 0.01 * max(float(value.abs().max()) for value in found.values())
    for key, value in found.items():
        scale = max(float(value.abs().max()), floor)
        torch.testing.assert_close(together[key], value, rtol=0, atol=1e-4 * scale, msg=key)


def test_the_shipped_form_is_half_as_large_and_the_same(tmp_path: Path) -> None:
    trainer = made()
    exported = trainer.weights()
    network = Trans4PASS("nano", 15)
    network.load_state_dict(exported)
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        a, b = network.eval()(x), trainer.network.eval()(x)
    assert (a - b).abs().max() < 0.02 * b.std()
    assert all(v.dtype != torch.float32 for v in exported.values())


def test_views_mix_luminance_and_heat() -> None:
    generator = torch.Generator().manual_seed(0)
    visible, infrared = torch.rand(3, 8, 9), torch.rand(1, 8, 9)
    seen = [views.random_view(visible, infrared, 0.5, generator) for _ in range(200)]
    plain = sum(torch.equal(v, visible) for v in seen)
    heat = sum(torch.equal(v, infrared.expand(3, -1, -1)) for v in seen)
    assert 70 < plain < 130
    assert 10 < heat < 45
    assert all(v.shape == (3, 8, 9) and 0 <= v.min() <= v.max() <= 1 for v in seen)
    assert torch.equal(views.random_view(visible, None, 1.0, generator), visible)


def test_scaling_keeps_picture_and_labels_together() -> None:
    labels = torch.zeros(1, 40, 60, dtype=torch.uint8)
    labels[:, 10:20, 20:50] = 9
    picture = (labels == 9).float().expand(3, -1, -1)
    for scale in (0.5, 1.0, 1.7):
        cut, ids = views.rescaled_crop(picture, labels, (48, 64), scale, (0.3, 0.8))
        assert cut.shape == (3, 48, 64)
        assert ids.shape == (1, 48, 64)
        assert ids.dtype == torch.uint8
        inside = ids != 255
        agree = ((cut[:1] > 0.5) == (ids == 9))[inside].float().mean()
        assert agree > 0.97
        assert (cut[:, ~inside[0]] == 0).all()


def test_windows_are_cut_around_rare_classes() -> None:
    labels = torch.full((1, 120, 160), 1, dtype=torch.uint8)
    labels[0, 5:7, 150:153] = 8
    labels[0, 60:, :80] = 255
    picture = torch.zeros(3, 120, 160)
    shown = {}
    for share in (0.0, 1.0):
        generator = torch.Generator().manual_seed(0)
        found = []
        for scale in (0.5, 1.0, 1.5) * 60:
            place = views.window_place(labels, (32, 48), scale, share, generator)
            assert all(0 <= value <= 1 for value in place)
            found.append(8 in views.rescaled_crop(picture, labels, (32, 48), scale, place)[1])
        shown[share] = sum(found) / len(found)
    assert shown[0.0] < 0.3
    assert shown[1.0] > 0.9
    empty = torch.full_like(labels, 255)
    place = views.window_place(empty, (32, 48), 1.0, 1.0, torch.Generator())
    assert all(0 <= value <= 1 for value in place)


def test_tones_are_disturbed_repeatably() -> None:
    picture = torch.rand(3, 8, 9)
    one, two = (views.disturbed(picture, 1.0, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, picture)
    assert torch.equal(views.disturbed(picture, 0.0, torch.Generator()), picture)


def bad(labels: torch.Tensor | None) -> Sample:
    return scene(0, target=labels)


def test_bad_labels_are_refused_before_training() -> None:
    trainer = made()
    good = scene(0).target
    assert trainer.prepare(scene(0))["labels"].dtype == torch.uint8
    unlabelled = good.clone()
    unlabelled[:8] = 0
    assert (trainer.prepare(bad(unlabelled))["labels"][0, :8] == 255).all()
    high = good.clone()
    high[0, 0] = 15
    cases = {"has no labels": None, "labels are 95x64, the picture 96x64": good[:, :-1],
             r"holds the ids \[15\]: expected 0 to 14": high}  # fmt: skip
    for message, labels in cases.items():
        with pytest.raises(DataError, match=message):
            trainer.prepare(bad(labels))


def test_a_batch_without_labels_changes_nothing_but_statistics() -> None:
    trainer = made(weight_decay=0.0)
    batch = batch_of(trainer, range(2))
    batch["labels"].fill_(255)
    before = trainer.network.dede_head.pred.weight.detach().clone()
    log = trainer.update(batch, 0)
    assert log == {"loss": 0.0, "accuracy": 0.0}
    assert torch.equal(before, trainer.network.dede_head.pred.weight)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        recipe.SupervisedSettings(input_height=32)
    with pytest.raises(ValueError, match="fmb has no weights 'ohem'"):
        recipe.SupervisedSettings(class_weights="ohem")
    with pytest.raises(FusionZooError, match="unknown class table"):
        recipe.SupervisedSettings(classes="ade")
    with pytest.raises(FusionZooError, match="is not a file"):
        made(start="nowhere.safetensors")
    weighted = recipe.Recipe(recipe_paper.PlusSettings(size="nano", steps=1), CPU)
    assert weighted.weight.tolist() == pytest.approx(classes.CITYSCAPES19.weights["ohem"], abs=1e-6)


def test_an_imagenet_encoder_of_another_size_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    other = Trans4PASS("t", 3).encoder.state_dict()
    plain = {k: v for k, v in other.items() if "offset" not in k and "modulator" not in k}
    save_file(plain, tmp_path / "mit_b1.safetensors")
    with pytest.raises(FusionZooError, match="not an ImageNet encoder of size nano"):
        made(encoder=str(tmp_path / "mit_b1.safetensors"))
    assert made(size="t", encoder=str(tmp_path / "mit_b1.safetensors")).network.classes == 15


def test_parameter_groups_hold_each_parameter_once() -> None:
    network = Trans4PASS("nano", 3)
    groups = recipe.parameter_groups(network, 10.0, 0.01)
    listed = [id(p) for group in groups for p in group["params"]]
    assert len(listed) == len(set(listed)) == len(list(network.parameters()))
    assert [group["scale"] for group in groups] == [1.0, 1.0, 10.0, 10.0]
    settings = recipe.SupervisedSettings(steps=100, warm_up=10, learning_rate=1.0)
    rates = [recipe.learning_rate(settings, step) for step in (0, 9, 50, 100)]
    assert rates == pytest.approx([0.1, 1.0, 0.5**0.9, 0.0])


def test_the_command_trains_and_goes_on(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from fusionzoo.cli import cli

    for i in range(2):
        sample = scene(i)
        place = tmp_path / "data" / "FMB" / "train"
        image.write(place / "Visible" / f"{i}.png", image.to_levels(sample.images["visible"]))
        image.write(place / "Infrared" / f"{i}.png", image.to_levels(sample.images["infrared"]))
        image.write(place / "Label" / f"{i}.png", sample.target.numpy().astype(np.uint8))
    sets = [f"--set={k}={v}" for k, v in {**SMALL, "steps": 2}.items()]
    command = ["train", "trans4pass", "--dataset", "fmb:train", "--data", str(tmp_path / "data"),
               "--device", "cpu", "--out", str(tmp_path / "run"), *sets]  # fmt: skip
    for extra in (["--stop-after", "1"], []):
        done = CliRunner().invoke(cli, [*command, *extra], catch_exceptions=False)
        assert done.exit_code == 0
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == 2
    assert (tmp_path / "run" / "weights.safetensors").exists()

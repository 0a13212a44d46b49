"""TC-MoA's trainings: what is trained, pairs made on the way, exact resuming, two processes."""

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import fusionzoo
from fusionzoo import image, parallel
from fusionzoo.core import FusionZooError, WeightsError
from fusionzoo.methods.tc_moa import pretraining, recipe
from fusionzoo.methods.tc_moa.configuration import SIZES
from fusionzoo.methods.tc_moa.network import Network
from fusionzoo.methods.tc_moa.recipe import FusionSettings, Recipe
from fusionzoo.train import run
from fusionzoo.train.batches import seed_of
from fusionzoo.train.settings import build

ROOT = Path(__file__).parent.parent.parent
CPU = torch.device("cpu")
SIDE = 56


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def data(tmp_path: Path, draw) -> Path:
    """A RoadScene of three pairs, smaller than a crop in one direction."""
    for seed in range(3):
        folder = tmp_path / "data" / "RoadScene"
        image.write(folder / "crop_LR_visible" / f"{seed}.png", draw(50, 70, 3, seed))
        image.write(folder / "cropinfrared" / f"{seed}.png", draw(50, 70, 1, seed + 9))
    return tmp_path / "data"


def job(data: Path, out: str, name: str = "tc_moa", stop: int | None = None, *more: str) -> run.Job:
    settings = ("steps=4", "batch=1", f"height={SIDE}", f"width={SIDE}", *more)
    return run.Job(name, "roadscene", settings, data.parent / out, data, "cpu", stop_after=stop)


def batch(trained: Recipe) -> dict[str, Tensor]:
    """Waves: structure that a few steps can learn."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    planes = {
        "visible": 128 + 80 * torch.sin(axis[:, None] / 9) * torch.cos(axis[None] / 7),
        "infrared": 100 + 60 * torch.cos(axis[:, None] / 5 + axis[None] / 11),
    }
    levels = {role: plane[None].byte() for role, plane in planes.items()}
    made = trained.augment(levels, torch.Generator().manual_seed(4))
    return {name: plane[None] for name, plane in made.items()}


def test_every_task_gets_its_pair() -> None:
    trained = Recipe(FusionSettings(height=SIDE, width=SIDE), CPU)
    made = batch(trained)
    assert set(made) == {"visible", "infrared", "under", "over", "near", "far"}
    assert made["under"].mean() < made["visible"].mean() < made["over"].mean()
    assert not torch.equal(made["near"], made["far"])
    alone = Recipe(FusionSettings(task="mff", height=SIDE, width=SIDE), CPU)
    assert set(batch(alone)) == {"near", "far"}


def test_steps_lower_the_losses() -> None:
    torch.manual_seed(0)
    settings = FusionSettings(height=SIDE, width=SIDE, steps=200, learning_rate=2e-4)
    trained = Recipe(settings, CPU)
    made = batch(trained)
    first = trained.update(made, 60)
    for step in range(61, 68):
        last = trained.update(made, step)
    losses = [sum(seen[f"{task}_loss"] for task in ("vif", "mef", "mff")) for seen in (first, last)]
    assert losses[1] < losses[0]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backbone") / "mae.safetensors"
    torch.manual_seed(5)
    save_file(pretraining.Autoencoder("tiny").network.state_dict(), path)
    return path


def test_adapters_leave_the_autoencoder_alone(backbone: Path) -> None:
    settings = FusionSettings(
        backbone=str(backbone), trainable="adapters", height=SIDE, width=SIDE, task="vif", steps=9
    )
    trained = Recipe(settings, CPU)
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    trained.update(batch(trained), 3)
    changed = {
        name for name, value in trained.network.state_dict().items()
        if not torch.equal(value, before[name])
    }  # fmt: skip
    assert changed
    assert all(".units." in name or ".relative." in name for name in changed)
    kept = load_file(backbone)
    assert torch.equal(before["encoder.blocks.3.mlp.fc1.weight"],
                       kept["encoder.blocks.3.mlp.fc1.weight"])  # fmt: skip
    with pytest.raises(WeightsError, match="adapters need a trained autoencoder"):
        Recipe(FusionSettings(trainable="adapters"), CPU)


def test_metas_weights_come_with_their_terms(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    meta = {f"x{index}": torch.zeros(1) for index in range(2)}
    save_file(meta, tmp_path / "meta.safetensors")
    with caplog.at_level(logging.WARNING), pytest.raises(WeightsError):
        recipe.load_backbone(Network("tiny"), str(tmp_path / "meta.safetensors"))
    assert "CC BY-NC 4.0" in caplog.text


def test_a_stopped_training_goes_on_with_the_same_numbers(data: Path) -> None:
    for name, more in (("tc_moa", ("average=0.5",)), ("mae", ())):
        whole, parts = f"{name}_whole", f"{name}_parts"
        run.train(job(data, whole, name, None, *more))
        assert run.train(job(data, parts, name, 2, *more)) == 2
        assert run.train(job(data, parts, name, None, *more)) == 4
        one, two = (load_file(data.parent / out / run.WEIGHTS) for out in (whole, parts))
        assert set(one) == set(two)
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_what_is_exported_runs(data: Path) -> None:
    run.train(job(data, "mae", "mae"))
    mae = data.parent / "mae" / run.WEIGHTS
    run.train(job(data, "all", "tc_moa", None, f"backbone={mae}"))
    path = data.parent / "all" / run.WEIGHTS
    assert all(tensor.dtype == torch.float16 for tensor in load_file(path).values())
    ready = fusionzoo.load("tc_moa", weights=path, device="cpu", task="mff")
    pictures = {role: torch.rand(3, 20, 33) for role in ("near", "far")}
    assert ready(**pictures).shape == (3, 20, 33)


def test_other_sizes_are_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SIZES["tiny"].__class__(48, 6, 4, 48, 2, 4, patch=16, tau=2)
    monkeypatch.setitem(SIZES, "base", small)
    save_file(Network("base").state_dict(), tmp_path / "base.safetensors")
    ready = fusionzoo.load("tc_moa", weights=tmp_path / "base.safetensors", device="cpu")
    assert ready.network.network.size == small
    assert ready.network.network.variant.mixture == "logsumexp"
    pictures = {"visible": torch.rand(3, 60, 50), "infrared": torch.rand(1, 60, 50)}
    assert ready(**pictures).shape == (3, 60, 50)


SCRIPT = """
import sys
from pathlib import Path
import torch
from fusionzoo.train import run
torch.set_num_threads(1)
out, data, *settings = sys.argv[1:]
run.train(run.Job("tc_moa", "roadscene", settings, Path(out), Path(data), "cpu", stop_after=1))
"""


def test_two_processes_average_their_gradients(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = ["steps=9", "batch=1", f"height={SIDE}", f"width={SIDE}", "task=vif"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, "-c", SCRIPT, str(data.parent / "two"), str(data), *changes]
    running = [
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, **shared, "RANK": str(r),
                                                 "LOCAL_RANK": str(r)})
        for r in (0, 1)
    ]  # fmt: skip
    # Meanwhile, the same here: each process's gradients, and one step along their mean.
    settings = FusionSettings(steps=9, batch=1, height=SIDE, width=SIDE, task="vif")
    gradients: list[list[Tensor]] = []

    def fresh() -> Recipe:
        torch.manual_seed(settings.seed)
        return Recipe(settings, CPU)

    def noted(parameters: list[torch.nn.Parameter]) -> None:
        gradients.append([p.grad.clone() for p in parameters if p.grad is not None])

    def averaged(parameters: list[torch.nn.Parameter]) -> None:
        moved = [p for p in parameters if p.grad is not None]
        for parameter, one, two in zip(moved, *gradients, strict=True):
            parameter.grad = (one + two) / 2

    items = next(iter(run.scenes("roadscene", Recipe.roles, data).values()))
    monkeypatch.setattr(parallel, "average_gradients", noted)
    for rank in (0, 1):
        trained = fresh()
        stream = run.Stream("", items, trained, (SIDE, SIDE), settings.seed)
        made = run.Batches([stream], 1, rank, 2).at(0)
        torch.manual_seed(seed_of(settings.seed, "update", 0, rank))
        trained.update(made, 0)
    monkeypatch.setattr(parallel, "average_gradients", averaged)
    trained = fresh()
    trained.update(made, 0)
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    saved = torch.load(data.parent / "two" / "checkpoint.pt", weights_only=True)
    assert saved["identity"]["processes"] == 2
    for name, value in trained.network.state_dict().items():
        torch.testing.assert_close(saved["state"]["network"][name], value, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("change", "message"), [("height=50", "multiples of"), ("average=2", "expected 0 to below 1")]
)
def test_settings_that_cannot_be_trained_are_refused(change: str, message: str) -> None:
    for kind in (FusionSettings, pretraining.MaskingSettings)[: 1 if "average" in change else 2]:
        with pytest.raises(FusionZooError, match=message):
            build(kind, [change])

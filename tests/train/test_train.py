"""Training: batches repeat, stopping loses nothing, several processes agree, bad input is told."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import load_file

from fusionzoo.cli import cli
from fusionzoo.core import DataError, FusionZooError, UnknownNameError
from fusionzoo.train import run
from fusionzoo.train.batches import Batches, Stream, threads_beside
from fusionzoo.train.settings import build
from tests.train import toy
from tests.train.toy import job

ROOT = Path(__file__).parent.parent.parent


def same(one: Path, two: Path) -> bool:
    left, right = (load_file(folder / run.WEIGHTS) for folder in (one, two))
    return all(torch.equal(left[key], right[key]) for key in left) and set(left) == set(right)


def test_batches_depend_on_seed_and_step_alone(tmp_path: Path) -> None:
    recipe = toy.Recipe(toy.Settings(), torch.device("cpu"))
    items = next(iter(run.scenes("roadscene", recipe.roles, tmp_path / "data").values()))

    def batches(seed: int = 3, **share: int) -> Batches:
        return Batches([Stream("", items, recipe, (16, 24), seed)], **{"batch": 2, **share})

    direct = [batches().at(step) for step in range(6)]
    assert direct[5]["visible"].shape == (2, 1, 16, 24)
    for threads in (1, 4):
        in_order = list(batches().ahead(0, 6, threads))
        for one, other in zip(direct, in_order, strict=True):
            assert all(torch.equal(one[name], other[name]) for name in one)
    direct = direct[5]
    assert not torch.equal(direct["visible"], batches(seed=4).at(5)["visible"])
    halves = [batches(rank=rank, world=2).at(5)["visible"] for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), batches(batch=4).at(5)["visible"])


def test_every_scene_is_seen_once_an_epoch(tmp_path: Path) -> None:
    recipe = toy.Recipe(toy.Settings(), torch.device("cpu"))
    items = next(iter(run.scenes("roadscene", recipe.roles, tmp_path / "data").values()))
    stream = Stream("", items, recipe, (16, 24), 0)
    for epoch in range(3):
        means = [stream.sample(4 * epoch + n)["infrared"].mean().item() for n in range(4)]
        assert len({round(mean, 6) for mean in means}) == 4
    assert len(stream._cache) == 4


def test_a_stopped_training_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run.train(job(whole)) == 6
    for stop in (1, 2, 5):
        assert run.train(job(parts, stop_after=stop)) == stop
        assert not (parts / run.WEIGHTS).exists()
    assert run.train(job(parts)) == 6
    assert same(whole, parts)
    lines = [json.loads(line) for line in (parts / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert {"loss", "seconds", "waiting"} <= set(lines[0])
    assert (parts / "sheets" / "step_000006.png").exists()
    with safe_open(parts / run.WEIGHTS, "pt") as stored:
        data = json.loads(stored.metadata()["data"])
    assert data["roadscene:all"]["scenes"] == 4


def test_an_interruption_ends_after_a_whole_step(tmp_path: Path) -> None:
    def interrupt(step: int, _losses: object) -> None:
        if step == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run.train(job(tmp_path / "cut"), interrupt)
    seen: list[int] = []
    assert run.train(job(tmp_path / "cut"), lambda step, _: seen.append(step)) == 6
    assert seen == [3, 4, 5]
    run.train(job(tmp_path / "whole"))
    assert same(tmp_path / "whole", tmp_path / "cut")


def test_the_command_trains_and_goes_on(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    arguments = ["train", "toy", "--dataset", "roadscene", "--data", str(tmp_path / "data"),
                 "--device", "cpu", "--out", out]  # fmt: skip
    done = CliRunner().invoke(cli, [*arguments, "--stop-after", "2"])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"toy: 2 steps done, in {out}\nstopped before the end")
    done = CliRunner().invoke(cli, arguments)
    assert (done.exit_code, done.stdout) == (0, f"toy: 6 steps done, in {out}\n")
    shown = CliRunner().invoke(cli, ["train", "toy", "--show-settings"]).stdout
    assert "learning_rate=0.01  (float)\n" in shown


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    run.train(job(tmp_path / "run"))
    seen: list[int] = []
    assert run.train(job(tmp_path / "run"), lambda step, _: seen.append(step)) == 6
    assert seen == []


def test_a_loss_that_is_not_finite_ends_it_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(FusionZooError, match="the loss 'loss' is nan at step 4"):
        run.train(job(tmp_path / "run", "breaks_at=4"))
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert saved["step"] == 4


def test_out_of_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def update(*_: object) -> dict[str, float]:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(toy.Recipe, "update", update)
    with pytest.raises(FusionZooError, match=r"out of memory at step 0: use a smaller"):
        run.train(job(tmp_path / "run"))


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean learning_rate"):
        run.train(job(tmp_path / "run", "learning_rat=1"))
    with pytest.raises(FusionZooError, match=r"average has nothing to train; .*toy"):
        run.recipe_class("average")
    with pytest.raises(UnknownNameError, match="unknown method 'saga'"):
        run.recipe_class("saga")
    with pytest.raises(DataError, match="has no hazy"):
        run.scenes("roadscene", ("hazy",), tmp_path / "data")
    assert run.recipe_class("toy_first") is toy.Recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps", "is not a setting: expected name=value"),
        ("steps=many", "setting steps=many: expected int"),
        ("batch=0", "setting batch=0: expected 1 or more"),
    ],
)
def test_values_that_do_not_fit(text: str, message: str) -> None:
    with pytest.raises(FusionZooError, match=message):
        build(toy.Settings, [text])


def test_settings_are_parsed_by_type() -> None:
    settings = build(toy.Settings, ["steps=9", "learning_rate=1e-3", "breaks_at=none"])
    assert settings == toy.Settings(steps=9, learning_rate=1e-3, breaks_at=None)
    assert build(toy.Settings, ["breaks_at=4"]).breaks_at == 4


SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from fusionzoo import methods
from fusionzoo.core import Method
from fusionzoo.train import run
methods.find = lambda name: Method(lambda: None, ("visible",), recipe="tests.train.toy:Recipe")
changes = [f"batch={sys.argv[1]}", "noise=0"]
run.train(run.Job("toy", "roadscene", changes, Path(sys.argv[2]), Path(sys.argv[3]), "cpu"))
"""


def test_two_processes_do_what_one_does_with_the_doubled_batch(tmp_path: Path) -> None:
    """Under the variables that torchrun sets; batch normalisation sees both processes too."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start(batch: int, out: str, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SCRIPT, str(batch), tmp_path / out, tmp_path / "data"]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **more})

    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [start(2, "two", RANK=str(r), LOCAL_RANK=str(r), **shared) for r in (0, 1)]
    running.append(start(4, "one"))
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    one, two = (load_file(tmp_path / name / run.WEIGHTS) for name in ("one", "two"))
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=1e-4, atol=1e-5)
    curves = [
        [
            json.loads(line)["loss"]
            for line in (tmp_path / name / "log.jsonl").read_text().split("\n")[:-1]
        ]
        for name in ("one", "two")
    ]
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)


def test_more_threads_make_batches_beside_a_gpu_only() -> None:
    assert threads_beside(torch.device("cpu")) == 1
    assert 1 <= threads_beside(torch.device("cuda")) <= 4


def test_batches_are_made_while_the_network_works(tmp_path: Path) -> None:
    """Making a batch takes as long as a step here; without overlap the whole would take twice."""
    recipe = toy.Recipe(toy.Settings(), torch.device("cpu"))
    items = next(iter(run.scenes("roadscene", recipe.roles, tmp_path / "data").values()))
    batches = Batches([Stream("", items, recipe, (16, 24), 0)], batch=1)
    supply = batches.ahead(0, 4)
    next(supply)
    while not all(len(stream._cache) >= 3 for stream in batches.streams):
        time.sleep(0.01)  # the thread goes on without being asked for the next batch
    assert threading.active_count() > 1
    supply.close()

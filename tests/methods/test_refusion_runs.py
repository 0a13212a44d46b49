"""ReFusion by the commands: resuming, two processes, a start from another training, explaining."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

import fusionzoo
from fusionzoo import image
from fusionzoo.cli import cli
from fusionzoo.core import FusionZooError, WeightsError
from fusionzoo.methods.refusion.explain import load_proposal
from fusionzoo.train import run

ROOT = Path(__file__).parent.parent.parent
SMALL = ("steps=4", "epochs=2", "meta_start=0", "meta_share=0.5", "height=16", "width=16")


@pytest.fixture
def data(tmp_path: Path, draw) -> Path:
    for seed in range(4):
        folder = tmp_path / "data" / "RoadScene"
        image.write(folder / "crop_LR_visible" / f"{seed}.png", draw(20 + seed, 30, 3, seed))
        image.write(folder / "cropinfrared" / f"{seed}.png", draw(20 + seed, 30, 1, seed + 9))
    return tmp_path / "data"


def job(data: Path, out: str, *changes: str, **more: int) -> run.Job:
    folder = data.parent / out
    return run.Job("refusion", "roadscene", (*SMALL, *changes), folder, data, "cpu", **more)


def files(data: Path, out: str) -> dict[str, dict[str, torch.Tensor]]:
    names = ("weights", "proposal", "reconstruction")
    return {name: load_file(data.parent / out / f"{name}.safetensors") for name in names}


def test_a_stopped_training_goes_on_with_the_same_numbers(data: Path) -> None:
    run.train(job(data, "whole"))
    assert run.train(job(data, "parts", stop_after=1)) == 1
    assert run.train(job(data, "parts", stop_after=3)) == 3
    assert run.train(job(data, "parts")) == 4
    whole, parts = files(data, "whole"), files(data, "parts")
    for name, tensors in whole.items():
        assert all(torch.equal(parts[name][key], value) for key, value in tensors.items()), name
    ready = fusionzoo.load(
        "refusion", weights=data.parent / "whole" / "weights.safetensors", device="cpu"
    )
    assert ready(infrared=torch.rand(1, 9, 9), visible=torch.rand(3, 9, 9)).shape == (3, 9, 9)


def test_a_training_starts_from_another_one(data: Path) -> None:
    run.train(job(data, "first"))
    start = f"start={data.parent / 'first'}"
    run.train(job(data, "second", "task=mff", start, "learning_rate=0", "proposal_rate=0"))
    first, second = files(data, "first"), files(data, "second")
    for name, tensors in first.items():
        assert all(torch.equal(second[name][key], value) for key, value in tensors.items()), name
    fresh = ("start_intensity=false", "learning_rate=0", "proposal_rate=0")
    run.train(job(data, "third", "seed=5", start, *fresh))
    third = files(data, "third")["proposal"]
    kept = {key: torch.equal(third[key], value) for key, value in first["proposal"].items()}
    assert all(same for key, same in kept.items() if key.startswith("gradient."))
    assert not kept["intensity.stem1.weight"]


SCRIPT = """
import sys, torch
from pathlib import Path
from fusionzoo.train import run
torch.set_num_threads(1)
batch, out, data, *small = sys.argv[1:]
settings = (*small, f"batch={batch}")
run.train(run.Job("refusion", "roadscene", settings, Path(out), Path(data), "cpu"))
"""


def test_two_processes_do_what_one_does_with_the_doubled_batch(data: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start(batch: int, out: str, **more: str) -> subprocess.Popen[bytes]:
        folder = data.parent / out
        command = [sys.executable, "-c", SCRIPT, str(batch), folder, data, *SMALL]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **more})

    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [start(2, "two", RANK=str(r), LOCAL_RANK=str(r), **shared) for r in (0, 1)]
    running.append(start(4, "one"))
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    curves = {}
    for out in ("one", "two"):
        lines = (data.parent / out / "log.jsonl").read_text().splitlines()
        curves[out] = [json.loads(line) for line in lines]
    assert len(curves["one"]) == 4
    for one, two in zip(curves["one"], curves["two"], strict=True):
        for name in {"outer", "inner", "fusion", "reconstruction"} & set(one):
            assert two[name] == pytest.approx(one[name], rel=1e-3)


def test_explain_writes_maps(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data.parent)
    run.train(job(data, "done"))
    sources = ["--visible", str(data / "RoadScene" / "crop_LR_visible"),
               "--infrared", str(data / "RoadScene" / "cropinfrared")]  # fmt: skip
    given = ["explain", "refusion", *sources, "--limit", "2", "--out", "maps"]
    done = CliRunner().invoke(cli, [*given, "--weights", "done/proposal.safetensors"])
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in Path("maps").glob("*.png"))
    assert names == ["0.png", "0_V_infrared.png", "0_W_infrared.png", "1.png",
                     "1_V_infrared.png", "1_W_infrared.png"]  # fmt: skip
    levels = image.read(Path("maps/0_W_infrared.png"))
    assert levels.shape == (20, 30)
    assert 40 < levels.mean() < 215
    wrong = CliRunner().invoke(cli, [*given, "--weights", "done/weights.safetensors"])
    assert isinstance(wrong.exception, WeightsError)
    nothing = CliRunner().invoke(cli, ["explain", "average", *sources])
    assert isinstance(nothing.exception, FusionZooError)
    assert "refusion" in str(nothing.exception)


def test_no_learned_loss_is_invented() -> None:
    with pytest.raises(WeightsError, match="medical"):
        load_proposal("medical")

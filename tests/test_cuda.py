"""On a GPU: every method draws what it draws on a CPU, every training runs, bfloat16 learns.

Skipped without one. `pytest -rs tests/test_cuda.py` says so.
"""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fusionzoo import catalog, datasets, predictor, pseudo, weights
from fusionzoo.core import Method
from fusionzoo.datasets import demo
from fusionzoo.methods.trans4pass import deformable
from fusionzoo.predictor import Precision
from fusionzoo.train import run

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

FORMS = [
    (name, task)
    for name in catalog.names("fusionzoo.methods")
    for task, entry in catalog.find("fusionzoo.methods", name).forms.items()
    if weights.at_hand(entry)
]
TRAININGS = {
    "trans4pass": ("demo", ["batch=2"]),
    "sage": ("demo", ["batch=2", "pretraining=2", "height=64", "width=64"]),
    "refusion": ("demo", ["epochs=2", "meta_start=0", "height=32", "width=32"]),
    "mitnet": ("demo_haze", ["batch=2", "height=64", "width=96", "channels=4", "held_out=0"]),
    "mitnet_fuse": ("demo", ["batch=2", "height=64", "width=96", "channels=4"]),
    "tc_moa": ("demo", ["batch=1", "height=112", "width=112", "task=vif"]),
    "trans4pass_adaptation": ("demo", ["batch=1"]),
}
STEPS = 4
CLOCKS = ("seconds", "waiting")


@pytest.fixture(scope="module")
def scene() -> dict[str, Tensor]:
    """A drawn scene of 176x208, visible and infrared."""
    sample = datasets.find("demo").listing(None, "test").items[1].load()
    return {role: picture[:, 150:326, 200:408] for role, picture in sample.images.items()}


@pytest.mark.parametrize(("name", "task"), FORMS)
def test_a_method_draws_what_it_draws_on_a_cpu(
    name: str, task: str, scene: dict[str, Tensor]
) -> None:
    entry: Method = catalog.find("fusionzoo.methods", name).form(task)
    pictures = {role: scene["infrared" if i else "visible"] for i, role in enumerate(entry.inputs)}
    here = predictor.load(name, device="cpu", task=task)(**pictures)
    before = torch.backends.cudnn.allow_tf32
    there = predictor.load(name, device="cuda", task=task)
    fused = there(**pictures)
    assert fused.device.type == "cpu"
    assert torch.backends.cudnn.allow_tf32 == before
    # Colour is joined in whole levels: where luminance is between two, either may come out, and
    # saturated colours then move by some more. The larger of two equal details may be either.
    apart = (fused - here).abs()
    assert float((apart > 1e-3).float().mean()) < 0.03
    assert float(apart.max()) < 5 / 255
    if there.weights:
        rough = predictor.load(name, device="cuda", precision="bfloat16", task=task)(**pictures)
        assert float((rough - here).abs().mean()) < 0.02


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_runs_and_goes_on(name: str, precision: str, tmp_path: Path) -> None:
    def trained(device: str, stop: int, folder: str, precision: Precision = "float32") -> Path:
        dataset, changes = TRAININGS[name]
        given = {"device": device, "precision": precision, "stop_after": stop}
        job = run.Job(name, dataset, (f"steps={STEPS}", *changes), tmp_path / folder, **given)
        assert run.train(job) == stop
        return tmp_path / folder

    out = trained("cuda", 1, "there", precision)
    here, there = (losses(folder) for folder in (trained("cpu", 1, "here"), out))
    assert set(here) == set(there)
    for key, value in here.items():
        rough = {"float32": 0.02, "bfloat16": 0.2}[precision]
        assert there[key] == pytest.approx(value, rel=rough, abs=1e-5), key
    trained("cuda", STEPS, "there", precision)
    assert all(math.isfinite(value) for value in losses(out).values())
    for key, parameter in weights.read_state_dict(out / run.WEIGHTS).items():
        assert torch.isfinite(parameter.float()).all(), key


def losses(folder: Path) -> dict[str, float]:
    """The last line of a training's log, without times."""
    line = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    return {key: value for key, value in line.items() if key not in ("step", *CLOCKS)}


def test_bfloat16_learns_to_segment(tmp_path: Path) -> None:
    changes = ("steps=60", "batch=4", "warm_up=5", "fused_share=0", "loss=cross_entropy")
    run.train(
        run.Job("trans4pass", "demo:test", changes, tmp_path, device="cuda", precision="bfloat16")
    )
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.6 * lines[0]["loss"]


def test_the_deformable_convolution_takes_bfloat16() -> None:
    torch.manual_seed(0)
    shapes = ((2, 8, 20, 28), (2, 36, 20, 28), (2, 18, 20, 28), (6, 8, 3, 3), (6,))
    inputs = [torch.randn(s, device="cuda") for s in shapes]
    exact = deformable.deformable_convolution(*inputs, padding=1)
    rough = deformable.deformable_convolution(*(t.bfloat16() for t in inputs), padding=1)
    assert rough.dtype == torch.bfloat16
    assert float((rough - exact).abs().mean()) < 0.1 * float(exact.abs().mean())


def test_torchvisions_operator_is_taken_and_agrees() -> None:
    pytest.importorskip("torchvision")
    assert deformable._torchvision_operator() is not None
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 1e-10)):
        torch.manual_seed(0)
        shapes = ((2, 8, 20, 28), (2, 36, 20, 28), (2, 18, 20, 28), (6, 8, 3, 3), (6,))
        inputs = [torch.randn(s, dtype=dtype, device="cuda").requires_grad_() for s in shapes]
        results = []
        for function in (
            deformable.deformable_convolution,
            deformable.plain_deformable_convolution,
        ):
            y = function(*inputs, stride=1, padding=1)
            results.append((y, *torch.autograd.grad(y.square().sum(), inputs)))
        kept = len(inputs) + 1 if dtype == torch.float64 else 1
        for a, b in zip(results[0][:kept], results[1][:kept], strict=True):
            torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_panoramas_are_labelled_and_adapted_to(tmp_path: Path) -> None:
    ready = predictor.load("trans4pass", device="cuda")
    target = datasets.find("demo_panorama").listing(None, "train").items[:2]
    source = demo.ENTRY.listing(None, "train").items[:2]
    pseudo.label(ready, target, tmp_path, (0.75,))
    pseudo.prototypes(ready, source, target, tmp_path)
    assert len(list(tmp_path.glob("*.png"))) == 2
    assert (tmp_path / pseudo.PROTOTYPES).exists()

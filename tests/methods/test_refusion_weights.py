"""ReFusion's shipped weights: whole, documented, and explained without any download."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import fusionzoo
from fusionzoo import datasets, methods, metrics, scenes
from fusionzoo.image import to_levels
from fusionzoo.methods.refusion.explain import explain

FOLDER = Path(fusionzoo.__file__).parent
TASKS = ("vif", "mef", "mff")


@pytest.mark.parametrize("task", TASKS)
def test_the_file_says_what_it_was_trained_on(task: str) -> None:
    spec = methods.find("refusion").form(task).weights["zoo"]
    assert (FOLDER / str(spec.file)).stat().st_size < 260_000
    with safe_open(FOLDER / str(spec.file), "pt") as stored:
        metadata = stored.metadata()
    data = json.loads(metadata["data"])
    # The last stage left out pairs to choose settings by; earlier stages saw the whole lists.
    assert {name: facts["scenes"] for name, facts in data.items()} == {
        "roadscene:train_fit": 121, "msrs:train_fit": 118,
    }  # fmt: skip
    assert spec.trained_on == ("roadscene:train_allowed", "msrs:train_allowed")
    assert json.loads(metadata["settings"])["task"] == task


def test_medical_pairs_take_the_infrared_visible_weights() -> None:
    entry = methods.find("refusion")
    assert entry.form("medical").weights["zoo"].file == entry.weights["zoo"].file
    fused = fusionzoo.load("refusion", task="medical", device="cpu")(
        scan=torch.rand(3, 16, 16), mri=torch.rand(1, 16, 16)
    )
    assert fused.shape == (3, 16, 16)


def test_more_contrast_and_detail_than_the_average() -> None:
    """On drawn scenes that no training has seen."""
    chosen = metrics.select("EN,SD,SF,AG")
    found = {}
    for name in ("refusion@zoo", "average"):
        ready = fusionzoo.load(name, device="cpu")
        item = datasets.find("demo").listing(None, "test").items[0]
        sample = item.load()
        output = metrics.Plane(to_levels(ready.fuse(sample)[0]))
        seen = metrics.observe(chosen, output, "standard", **scenes.reference_planes(sample))
        found[name] = {symbol: observation.value for symbol, observation in seen.items()}
    assert all(found["refusion@zoo"][s] > value for s, value in found["average"].items()), found


@pytest.mark.parametrize("task", TASKS)
def test_the_learned_loss_is_shipped(task: str) -> None:
    form = methods.find("refusion").form(task)
    pictures = {role: torch.rand(1, 24, 20) for role in form.inputs}
    found = explain(form, None, fusionzoo.core.Sample("one", pictures))
    assert list(found) == [f"W {form.inputs[0]}", f"V {form.inputs[0]}"]
    assert all(plane.shape == (1, 24, 20) for plane in found.values())
    assert all(0 <= plane.min() <= plane.max() <= 1 for plane in found.values())
    swapped = {form.inputs[0]: pictures[form.inputs[1]], form.inputs[1]: pictures[form.inputs[0]]}
    other = explain(form, None, fusionzoo.core.Sample("one", swapped))
    for name, plane in found.items():
        torch.testing.assert_close(other[name], 1 - plane, atol=1e-5, rtol=0)

"""SAGE's student: reference numbers, key contract, inference form, published pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

import fusionzoo
from fusionzoo import datasets, image, metrics, predictor, weights
from fusionzoo.core import ImageError
from fusionzoo.datasets._folder import id_list
from fusionzoo.layers.folding import fold, prepare_for_inference
from fusionzoo.methods.sage.network import Student, convert
from fusionzoo.store import list_hash
from tests.methods.sage_reference import NUMBERS, check, key_list, ramp, state_dict

KEYS = key_list("student_state_dict")


@pytest.fixture(scope="module")
def student() -> Student:
    network = Student().eval()
    network.load_state_dict(convert(state_dict(KEYS)), strict=True)
    return network


def test_filled_student_equals_the_reference(student: Student) -> None:
    with torch.inference_mode():
        check(student(ramp(0), ramp(1)), NUMBERS["student_filled"]["out"])
        features = student.features(ramp(0), ramp(1))
    for found, expected in zip(features, NUMBERS["student_filled"]["features"], strict=True):
        check(found, expected)


def test_parameters_and_keys() -> None:
    network = Student()
    assert sum(p.numel() for p in network.parameters()) == 135_617
    renamed = convert({key: torch.zeros(value["shape"]) for key, value in KEYS.items()})
    state = network.state_dict()
    assert {k: tuple(v.shape) for k, v in renamed.items()} == {
        k: tuple(v.shape) for k, v in state.items()
    }


@pytest.mark.parametrize("size", [(512, 640), (768, 1024), (57, 83), (301, 496), (4, 4)])
def test_inference_form_gives_the_same_numbers(student: Student, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    planes = torch.rand(2, 2, 1, *size) if size[0] < 600 else torch.rand(2, 1, 1, *size)
    with torch.inference_mode():
        plain = student(*planes)
        fast = prepare_for_inference(student)(*planes)
        brief = prepare_for_inference(student, torch.bfloat16)(*planes.bfloat16())
    torch.testing.assert_close(fast, plain, rtol=0, atol=1e-5)
    assert (brief.float() - plain).abs().max() * 255 < 3


def test_folding_leaves_the_original_alone(student: Student) -> None:
    before = {key: value.clone() for key, value in student.state_dict().items()}
    folded = fold(student)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert all(torch.equal(v, student.state_dict()[k]) for k, v in before.items())


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (57, 83)])
def test_any_size_goes_through(student: Student, size: tuple[int, int]) -> None:
    entry = fusionzoo.methods.find("sage")
    ready = predictor.Predictor("sage", entry, prepare_for_inference(student))
    fused = ready(visible=torch.rand(3, *size), infrared=torch.rand(1, *size))
    assert fused.shape == (3, *size)


def test_tiles_have_no_seams(student: Student) -> None:
    entry = fusionzoo.methods.find("sage")
    pair = {"visible": torch.rand(3, 200, 260), "infrared": torch.rand(1, 200, 260)}
    whole, tiled = (
        predictor.Predictor("sage", entry, prepare_for_inference(student), tile=tile)(**pair)
        for tile in (0, 96)
    )
    assert (whole - tiled).abs().max() * 255 < 0.01


def test_nan_from_a_network_is_one_clear_error(student: Student) -> None:
    entry = fusionzoo.methods.find("sage")
    broken = predictor.Predictor("sage", entry, lambda v, i: v * float("nan") + i)
    with pytest.raises(ImageError, match="NaN"):
        broken(visible=torch.rand(3, 8, 8), infrared=torch.rand(1, 8, 8))


@pytest.fixture
def official(shared: Path, monkeypatch: pytest.MonkeyPatch) -> predictor.Predictor:
    monkeypatch.setenv("FUSIONZOO_WEIGHTS", str(shared / "weights"))
    return fusionzoo.load("sage@official", device="cpu")


def test_official_checkpoint_equals_the_reference(shared: Path) -> None:
    network = Student()
    path = shared / "weights" / "sage_official.pt"
    entry = fusionzoo.methods.find("sage")
    loaded = weights.load("sage", entry, network, path)
    assert (loaded.tag, loaded.license) == ("official", "MIT")
    with torch.inference_mode():
        check(network.eval()(ramp(0), ramp(1)), NUMBERS["student_official_ckpt"]["out"])


@pytest.mark.parametrize("name", ["00000", "00001", "00002"])
def test_published_pictures(name: str, official: predictor.Predictor, shared: Path) -> None:
    entry = datasets.find("m3fd")
    items = {item.name: item for item in entry.listing(shared / "data", "all").items}
    output, _ = official.fuse(items[name].load())
    published = image.read(shared / "golden" / "sage_results" / f"{name}.png").astype(int)
    apart = np.abs(image.to_levels(output).astype(int) - published)
    assert apart.max() <= 1
    assert (apart > 0).sum() <= 200


def test_sage_runs_without_a_download() -> None:
    """The shipped student keeps more detail than the mean, and both sources, on a drawn pair."""
    sample = next(datasets.samples("demo"))
    fused = {name: fusionzoo.load(name, device="cpu") for name in ("sage", "average")}
    assert fused["sage"].label == "sage@zoo"
    seen = {
        name: metrics.evaluate(method.fuse(sample)[0], **sample.images, data_range=1)
        for name, method in fused.items()
    }
    for symbol in ("SF", "AG", "SD"):
        assert seen["sage"][symbol].value > seen["average"][symbol].value


def test_the_shipped_weights_name_what_they_were_trained_on() -> None:
    entry = fusionzoo.methods.find("sage").weights["zoo"]
    with safe_open(weights.locate(entry), "pt") as stored:
        stated = stored.metadata()
    facts = {key: json.loads(stated[key]) for key in ("data", "settings")}
    assert set(facts["data"]) == set(entry.trained_on)
    for name, listed in facts["data"].items():
        ids = id_list(name.replace(":", "_"))
        assert listed == {"scenes": len(ids), "list_hash": list_hash(ids)}
    assert facts["settings"]["variant"] == "paper"

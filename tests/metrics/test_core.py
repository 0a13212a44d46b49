"""The eight core metrics against reference values, closed forms and defined corners."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fusionzoo import image, metrics
from fusionzoo.core import MetricError, UnknownNameError
from fusionzoo.metrics.miou import PRESETS, confusion, miou
from tests.metrics.pictures import triple

GOLDEN = Path(__file__).parent.parent / "golden" / "metrics"
CASES = json.loads((GOLDEN / "conventions.json").read_text())["cases"]
MIOU = json.loads((GOLDEN / "miou_conventions.json").read_text())["tables"]
SEVEN = ("EN", "SD", "SF", "AG", "SCD", "SSIM", "MS-SSIM")
INFRARED_SHA256 = "3cd40313a6bd7fa8f330b709872cfdfee77aae8164f6a234af7e1298bb5781a3"


def observe(pictures: list[np.ndarray], chosen: str = "core") -> dict[str, metrics.Plane]:
    fused, infrared, visible = (metrics.Plane(np.ascontiguousarray(p)) for p in pictures)
    return metrics.observe(metrics.select(chosen), fused, infrared=infrared, visible=visible)


def test_the_generator_gives_the_reference_pixels() -> None:
    assert hashlib.sha256(triple("synA")[1].tobytes()).hexdigest() == INFRARED_SHA256


@pytest.mark.parametrize("case", ["synA", "synB", "tinyA"])
def test_synthetic_triples_equal_the_reference(case: str) -> None:
    seen = observe(triple(case))
    for symbol in SEVEN:
        if symbol == "MS-SSIM" and case == "tinyA":
            assert seen[symbol].status == "too_small"
            continue
        expected = CASES[case]["standard"][symbol]["value"]
        assert seen[symbol].value == pytest.approx(expected, rel=1e-6), symbol


@pytest.mark.parametrize("case", ["00000", "00001", "00002"])
def test_published_pictures_equal_the_reference(case: str, shared: Path) -> None:
    folder = shared / "data" / "M3FD_Detection"
    paths = [shared / "golden" / "sage_results", folder / "Ir", folder / "Vis"]
    seen = observe([image.read(path / f"{case}.png") for path in paths])
    for symbol in SEVEN:
        expected = CASES[case]["standard"][symbol]["value"]
        assert seen[symbol].value == pytest.approx(expected, rel=1e-6), symbol


@pytest.mark.parametrize("table", MIOU, ids=lambda table: table["name"])
@pytest.mark.parametrize("preset", PRESETS)
def test_miou_presets(table: dict, preset: str) -> None:
    found = miou(np.array(table["confusion_rows_are_ground_truth"]), preset).value
    expected = table["miou"][preset]
    if expected is None:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, abs=1e-12)


def test_confusion_counts_and_ignores() -> None:
    labels = np.array([[0, 1, 255], [2, 2, 1]])
    guess = np.array([[0, 2, 1], [2, 1, 7]])
    assert confusion(guess, labels, 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 1]]
    with pytest.raises(MetricError, match="differ in shape"):
        confusion(guess[:1], labels, 3)


def test_miou_of_a_dataset_is_that_of_the_summed_matrix() -> None:
    entry = metrics.find("mIoU")
    maps = np.random.default_rng(0).integers(0, 4, (4, 8, 8))
    seen = [entry.observe(maps[i], maps[i + 1], 4) for i in (0, 2)]
    total = confusion(maps[[0, 2]], maps[[1, 3]], 4)
    assert entry.summarize(seen) == pytest.approx(miou(total).value)


@pytest.mark.parametrize(
    ("case", "undefined", "values"),
    [
        ("constant", {"SCD"}, {"EN": 0, "SD": 0, "SF": 0, "AG": 0, "SSIM": 2, "MS-SSIM": 2}),
        ("identical", {"SCD"}, {"SSIM": 2, "MS-SSIM": 2, "EN": 7.364170}),
        ("fused constant", set(), {"EN": 0, "SCD": -0.107540, "SSIM": 0.796175,
                                   "MS-SSIM": 0.354272}),
        ("infrared black", {"SCD"}, {"SSIM": 0.859394, "MS-SSIM": 0.652037}),
        ("copy of infrared", {"SCD"}, {"SSIM": 1.076207, "MS-SSIM": 1.0}),
    ],
)  # fmt: skip
def test_degenerate_inputs(case: str, undefined: set[str], values: dict[str, float]) -> None:
    fused, infrared, visible = triple("synA")
    flat = np.full_like(fused, 128)
    pictures = {
        "constant": [flat, flat, flat],
        "identical": [visible, visible, visible],
        "fused constant": [flat, infrared, visible],
        "infrared black": [fused, np.zeros_like(fused), visible],
        "copy of infrared": [infrared, infrared, visible],
    }[case]
    seen = observe(pictures)
    assert {symbol for symbol, one in seen.items() if one.status == "undefined"} == undefined
    for symbol, expected in values.items():
        assert seen[symbol].value == pytest.approx(expected, rel=1e-5, abs=1e-6), symbol
    assert all(one.reason for one in seen.values() if one.status != "ok")


@given(st.integers(0, 2**16), st.integers(12, 40), st.integers(12, 40))
@settings(max_examples=25, deadline=None)
def test_swapping_the_sources_changes_nothing(seed: int, height: int, width: int) -> None:
    pictures = list(np.random.default_rng(seed).integers(0, 256, (3, height, width), np.uint8))
    seen = observe(pictures)
    swapped = observe([pictures[0], pictures[2], pictures[1]])
    for symbol, one in seen.items():
        if one.status == "ok":
            assert swapped[symbol].value == pytest.approx(one.value, rel=1e-9, abs=1e-12)


def test_source_statistics_are_computed_once() -> None:
    fused, infrared, visible = (metrics.Plane(p) for p in triple("synA"))
    chosen = metrics.select("core")
    first = metrics.observe(chosen, fused, infrared=infrared, visible=visible)
    known = dict(infrared._known)
    again = metrics.observe(chosen, metrics.Plane(fused.levels), infrared=infrared, visible=visible)
    assert infrared._known == known
    assert {s: o.value for s, o in first.items()} == {s: o.value for s, o in again.items()}


def test_evaluate_takes_arrays_and_tensors() -> None:
    fused, infrared, visible = triple("synA")
    plain = metrics.evaluate(fused, infrared=infrared, visible=visible)
    planes = [torch.from_numpy(p / 255.0)[None] for p in (fused, infrared, visible)]
    floats = metrics.evaluate(planes[0], infrared=planes[1], visible=planes[2], data_range=1)
    assert {s: o.value for s, o in plain.items()} == {s: o.value for s, o in floats.items()}
    assert set(metrics.evaluate(fused)) == {"EN", "SD", "SF", "AG"}


@pytest.mark.parametrize(
    ("picture", "options", "message"),
    [
        (np.zeros((4, 5)), {}, "data_range"),
        (np.zeros((4, 5), np.uint16), {}, "data_range"),
        (np.full((4, 5), np.nan), {"data_range": 1}, "NaN"),
        (np.full((4, 5), 1.5), {"data_range": 1}, "expected 0 to 1"),
        (np.zeros((0, 5), np.uint8), {}, "no pixels"),
        (np.zeros((4, 5, 2), np.uint8), {}, "expected a picture"),
    ],
)
def test_wrong_input_is_refused(picture: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        metrics.evaluate(picture, metrics="EN", **options)
    assert isinstance(caught.value, MetricError)


def test_sizes_that_differ_are_named() -> None:
    pictures = [np.zeros(shape, np.uint8) for shape in ((4, 5), (4, 6), (4, 5))]
    with pytest.raises(MetricError, match="output 4x5, infrared 4x6, visible 4x5"):
        observe(pictures)


@pytest.mark.parametrize("name", ["MS-SSIM", "ms_ssim", "ms-ssim"])
def test_metrics_are_found_by_symbol_or_module(name: str) -> None:
    assert metrics.find(name).symbol == "MS-SSIM"


def test_unknown_metrics_show_near_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean SSIM"):
        metrics.select("EN,SIM")


def test_agrees_with_scikit_image() -> None:
    from skimage.metrics import structural_similarity

    fused, infrared, visible = triple("synB")
    expected = sum(
        structural_similarity(
            fused, source, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=255,
        )
        for source in (infrared, visible)
    )  # fmt: skip
    found = observe([fused, infrared, visible])["SSIM"].value
    # scikit-image also averages over windows that hang 3 pixels less over the border.
    assert found == pytest.approx(expected, rel=2e-2)

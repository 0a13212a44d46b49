"""The eight core metrics against reference values and closed forms."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

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


def test_no_two_metrics_share_a_name() -> None:
    entries = [metrics.find(name) for name in metrics.names()]
    names = [text.lower() for m in entries for text in {m.symbol, *m.aliases}]
    assert len(names) == len(set(names))
    assert {m.symbol for m in metrics.select("all")} <= {m.symbol for m in entries}


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


@pytest.mark.parametrize("name", ["MS-SSIM", "ms_ssim", "ms-ssim"])
def test_metrics_are_found_by_symbol_or_module(name: str) -> None:
    assert metrics.find(name).symbol == "MS-SSIM"


def test_unknown_metrics_show_near_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean SSIM"):
        metrics.select("EN,SIM")

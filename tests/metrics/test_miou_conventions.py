"""Every case of the published ways to average IoU, under the names of the presets."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fusionzoo.core import MetricError, UnknownNameError
from fusionzoo.metrics.miou import PRESETS, confusion, miou, observe, summarize

GOLDEN = Path(__file__).parent.parent / "golden"
CONVENTIONS = json.loads((GOLDEN / "metrics" / "miou_conventions.json").read_text())
RGBT = json.loads((GOLDEN / "rgbt" / "miou_conventions_golden.json").read_text())
RULES = {
    "nanmean_all (MRFS, Trans4PASS adaptations/evaluate)": "mrfs",
    "mean_with_nan (RTFNet/SegMiF print 1)": "mean_with_nan",
    "nan_to_num_mean_all (RTFNet/SegMiF print 2, DELIVER/StitchFusion)": "rtfnet",
    "union_floor1_mean_all (bubbliiiing get_miou = IVIF_ZOO/SAGE protocol)": "ivif_zoo",
    "nanmean_no_background (IoU still counts bg confusions)": "no_background",
    "MFNet official: bg row+col excluded, IoU[0]=0, averaged over n (not n-1)": "mfnet_official",
}
IGNORED = "label0_ignored_pixels (StitchFusion/RoadFormer: GT bg dropped)"


def check(found: float, expected: float | None) -> None:
    if expected is None:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("table", CONVENTIONS["tables"], ids=lambda table: table["name"])
def test_named_presets(table: dict, preset: str) -> None:
    matrix = np.array(table["confusion_rows_are_ground_truth"])
    found = miou(matrix, preset)
    check(found.value, table["miou"][preset])
    if preset == "mrfs" and "per_class_iou" in table:
        for value, expected in zip(found.per_class, table["per_class_iou"], strict=True):
            check(value, expected)


def test_every_preset_of_the_reference_is_here() -> None:
    assert set(CONVENTIONS["presets"]) == set(PRESETS)
    for table in CONVENTIONS["tables"]:
        assert set(table["miou"]) == set(PRESETS)


@pytest.mark.parametrize("case", RGBT)
def test_rules_of_segmentation_papers(case: str) -> None:
    facts = RGBT[case]
    matrix = np.array(facts["cf_rows_gt"])
    assert set(facts) == {"cf_rows_gt", "per_class_iou", IGNORED, *RULES}
    for text, preset in RULES.items():
        check(miou(matrix, preset).value, facts[text])
    check(miou(matrix, "fmb14").value, facts[IGNORED]["nanmean"])
    check(miou(matrix, "fmb14_zero").value, facts[IGNORED]["nan0mean"])
    for value, expected in zip(miou(matrix, "mrfs").per_class, facts["per_class_iou"], strict=True):
        check(value, expected)


def test_the_matrix_of_a_dataset_is_summed_before_averaging() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 4, (2, 3, 20, 30))
    seen = [observe(g, t, 4, "mrfs") for g, t in zip(guess, truth, strict=True)]
    whole = miou(confusion(guess, truth, 4), "mrfs").value
    assert summarize(seen, "mrfs") == pytest.approx(whole)
    assert summarize(seen, "mrfs") != pytest.approx(np.mean([s.value for s in seen]), abs=1e-9)


def test_ignored_and_unknown_ids_do_not_count() -> None:
    truth = np.array([[0, 1, 255, 7]])
    guess = np.array([[0, 1, 1, 1]])
    assert confusion(guess, truth, 2).tolist() == [[1, 0], [0, 1]]
    alone = observe(np.zeros((2, 2), int), np.full((2, 2), 255), 3)
    assert (alone.status, alone.value) == ("undefined", None)


def test_bad_input_is_refused() -> None:
    with pytest.raises(MetricError, match="differ in shape"):
        confusion(np.zeros((2, 3), int), np.zeros((3, 2), int), 2)
    with pytest.raises(MetricError, match="square"):
        miou(np.zeros((2, 3)))
    with pytest.raises(UnknownNameError, match="unknown mIoU preset 'mean'"):
        miou(np.eye(3), "mean")

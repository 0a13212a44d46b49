"""mIoU, mean intersection over union of label maps, from one confusion matrix per dataset.

IoU_c = n_cc / (row_c + column_c - n_cc), rows = ground truth. It is never a mean of per-picture
values. Published numbers differ in what they do with the background class 0 and with classes that
are absent; each rule is a preset here, and one matrix gives 0.28 to 0.70 depending on the preset.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fusionzoo.core import Metric, MetricError, Observation, UnknownNameError

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Preset:
    """One published way to average IoU.

    Attributes:
        ignore_row: Ground truth 0 is not labelled: its row does not count.
        ignore_column: Class 0 is never predicted: its column does not count either.
        include_background: Class 0 is one of the classes averaged.
        empty: A class with an empty union is skipped, counts 0, or makes the mean NaN.
        need_truth: Average only classes that have ground truth.
        divide_by_all: Sum the classes without 0, but divide by their number with it.
        used_by: Where the rule comes from.
    """

    ignore_row: bool = False
    ignore_column: bool = False
    include_background: bool = True
    empty: Literal["skip", "zero", "nan"] = "skip"
    need_truth: bool = False
    divide_by_all: bool = False
    used_by: str = ""


_NOT_LABELLED = Preset(ignore_row=True, include_background=False)
_FOREGROUND = replace(_NOT_LABELLED, ignore_column=True)
PRESETS: dict[str, Preset] = {
    "fmb14": replace(_FOREGROUND, need_truth=True, used_by="standard for FMB"),
    "fmb14_nanmean": replace(_FOREGROUND, used_by="RoadFormer+"),
    "fmb14_zero": replace(_FOREGROUND, empty="zero", used_by="StitchFusion"),
    "label0_miss": replace(_NOT_LABELLED, need_truth=True, used_by="networks that predict 0"),
    "rtfnet": Preset(empty="zero", used_by="standard for MFNet; RTFNet, SegMiF, DELIVER"),
    "mrfs": Preset(used_by="MRFS, Sigma, Trans4PASS adaptation"),
    "ivif_zoo": Preset(empty="zero", used_by="IVIF_ZOO and SAGE: get_miou with union >= 1"),
    "mean_with_nan": Preset(empty="nan", used_by="RTFNet and SegMiF, first print"),
    "segmif_eval_seg": Preset(need_truth=True, used_by="SegMiF eval_seg.py"),
    "no_background": Preset(include_background=False, used_by="several"),
    "mfnet_official": replace(
        _FOREGROUND, empty="nan", divide_by_all=True, used_by="MFNet calculate_result"
    ),
}


@dataclass(frozen=True)
class Iou:
    """mIoU with what it was made from.

    Attributes:
        value: The mean; NaN if the preset has no number for this matrix.
        per_class: IoU per id; NaN where the union is empty or the class is left out.
        skipped: Ids that did not enter the mean.
        pixels: Ground-truth pixels per id.
    """

    value: float
    per_class: tuple[float, ...]
    skipped: tuple[int, ...]
    pixels: tuple[int, ...]


def confusion(prediction: NDArray[np.integer], labels: NDArray[np.integer], classes: int) -> Counts:
    """Confusion matrix (n, n) of two label maps, rows = ground truth; ids outside 0..n-1 ignored.

    Raises:
        MetricError: The maps differ in shape.
    """
    if prediction.shape != labels.shape:
        raise MetricError(
            f"prediction {prediction.shape} and labels {labels.shape} differ in shape"
        )
    truth, guess = labels.astype(np.int64).ravel(), prediction.astype(np.int64).ravel()
    known = (truth >= 0) & (truth < classes) & (guess >= 0) & (guess < classes)
    pairs = truth[known] * classes + guess[known]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def miou(table: NDArray[np.number], preset: str = "mrfs") -> Iou:
    """Mean IoU of a confusion matrix (rows = ground truth) under a named preset.

    Raises:
        UnknownNameError: No such preset.
        MetricError: The matrix is not square.
    """
    if preset not in PRESETS:
        raise UnknownNameError(f"unknown mIoU preset '{preset}': known are {', '.join(PRESETS)}")
    table = np.asarray(table, np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise MetricError(f"expected a square confusion matrix, found shape {table.shape}")
    rule = PRESETS[preset]
    pixels = tuple(int(v) for v in table.sum(1))
    counted = table.copy()
    if rule.ignore_row:
        counted[0] = 0
    if rule.ignore_column:
        counted[:, 0] = 0
    hits, truth, guessed = np.diag(counted), counted.sum(1), counted.sum(0)
    union = truth + guessed - hits
    with np.errstate(invalid="ignore", divide="ignore"):
        iou = hits / union
    if rule.divide_by_all:
        # MFNet's code sets never predicted classes to 0; one that is predicted on unlabelled pixels
        # only, and has no ground truth, stays undefined.
        iou = np.where(table.sum(0) == 0, 0.0, iou)
    return _average(rule, iou, truth, pixels)


def _average(
    rule: Preset, iou: NDArray[np.float64], truth: NDArray[np.float64], pixels: tuple[int, ...]
) -> Iou:
    first = 0 if rule.include_background else 1
    candidates = np.arange(first, len(iou))
    if rule.need_truth:
        candidates = candidates[truth[candidates] > 0]
    if rule.empty == "skip":
        candidates = candidates[~np.isnan(iou[candidates])]
    values = iou[candidates]
    if rule.empty == "zero":
        values = np.nan_to_num(values)
    count = len(iou) if rule.divide_by_all else len(values)
    value = float(values.sum() / count) if count else math.nan
    shown = iou.copy()
    shown[:first] = math.nan
    skipped = tuple(int(c) for c in range(len(iou)) if c not in candidates)
    return Iou(value, tuple(float(v) for v in shown), skipped, pixels)


def observe(
    prediction: NDArray[np.integer], labels: NDArray[np.integer], classes: int, preset: str = "mrfs"
) -> Observation:
    """The confusion matrix of one picture, and its mIoU for orientation."""
    table = confusion(prediction, labels, classes)
    value = miou(table, preset).value
    if math.isnan(value):
        return Observation(None, "undefined", "no class can be averaged", table=table)
    return Observation(value, table=table)


def summarize(observations: Sequence[Observation], preset: str = "mrfs") -> float | None:
    """MIoU of the summed confusion matrices."""
    tables = [o.table for o in observations if o.table is not None]
    if not tables:
        return None
    value = miou(np.sum(tables, axis=0), preset).value
    return None if math.isnan(value) else value


ENTRY = Metric(
    symbol="mIoU",
    title="Mean intersection over union",
    observe=observe,
    summarize=summarize,
    reference="labels",
    higher_is_better=True,
    range=(0, 1),
    paper="Everingham et al., International Journal of Computer Vision 2010",
)

"""Pseudo labels of unlabelled pictures, and class prototypes of two domains.

A class is trusted where its probability is at least the median over all pixels that got it, or 0.9
if that is lower; other pixels become 255. Logits are averaged over several scales first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fusionzoo import image, scenes, segmentation
from fusionzoo.classes import IGNORE
from fusionzoo.core import FusionZooError, Item, Sample
from fusionzoo.methods.trans4pass import adaptation
from fusionzoo.predictor import Predictor, roles_for

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
CAP = 0.9
LEVELS = 65_535
RAW, SURE, FACTS = "raw", "confidence", "facts.json"
PROTOTYPES = "prototypes.safetensors"

Told = Callable[[str], object]
"""Called with the name of each finished picture."""


@torch.inference_mode()
def averaged(predictor: Predictor, sample: Sample, scales: Sequence[float]) -> Tensor:
    """Class probabilities (K, H, W) from the mean of the logits over scaled pictures."""
    (role,) = roles_for(predictor.method, sample.images) or predictor.method.inputs
    picture = sample.images[role].expand(3, -1, -1)[None].to(predictor.device)
    size = picture.shape[-2:]
    total: Tensor | None = None
    for scale in scales:
        sides = [max(predictor.method.minimum_side, round(side * scale)) for side in size]
        scaled = functional.interpolate(picture, sides, mode="bilinear", antialias=scale < 1)
        logits = functional.interpolate(predictor.network(scaled), size, mode="bilinear")
        total = logits if total is None else total + logits
    assert total is not None
    assert predictor.method.classes is not None
    return segmentation.probabilities(total / len(scales), predictor.method.classes.ignored)[0]


def label(
    predictor: Predictor,
    items: Sequence[Item],
    out: Path,
    scales: Sequence[float] = SCALES,
    told: Told = lambda _: None,
) -> dict[int, float]:
    """Write `<out>/<name>.png`, label maps with 255 where no class is trusted.

    Args:
        predictor: Segmenter.
        items: Pictures.
        out: Folder; what an earlier run of the same segmenter has finished is kept.
        scales: Test-time scales.
        told: Called per picture.

    Returns:
        Threshold of each class that occurs.

    Raises:
        FusionZooError: The folder holds labels of other weights or scales.
    """
    _claim(out, {"segmenter": predictor.label, "key": predictor.key, "scales": list(scales)})
    names = []
    todo = [item for item in items if not (out / RAW / f"{item.name}.png").exists()]
    for item, sample in scenes.samples(todo):
        if isinstance(sample, FusionZooError):
            raise sample
        chances = averaged(predictor, sample, scales)
        sure = (chances.amax(0) * LEVELS).round().cpu().numpy().astype(np.uint16)
        image.write(out / SURE / f"{item.name}.png", sure)
        image.write(out / RAW / f"{item.name}.png", segmentation.label_map(chances))
        told(item.name)
    names = [item.name for item in items]
    limits = _thresholds(out, names)
    for name in names:
        ids, sure = _found(out, name)
        table = np.full(256, LEVELS + 1, np.int64)
        for one, limit in limits.items():
            table[one] = round(limit * LEVELS)
        kept = np.where(sure >= table[ids], ids, IGNORE).astype(np.uint8)
        image.write(out / f"{name}.png", kept)
    return limits


def _claim(out: Path, facts: dict[str, Any]) -> None:
    path = out / FACTS
    if path.exists() and json.loads(path.read_text("utf-8")) != facts:
        raise FusionZooError(
            f"{out} holds pseudo labels of other weights or scales: give another --out"
        )
    image.write_bytes(path, json.dumps(facts, indent=1).encode())


def _found(out: Path, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    return image.read(out / RAW / f"{name}.png"), image.read(out / SURE / f"{name}.png")


def _thresholds(out: Path, names: Sequence[str]) -> dict[int, float]:
    """Median confidence of each class over all pictures, at most `CAP`."""
    counts = np.zeros((256, LEVELS + 1), np.int64)
    for name in names:
        ids, sure = _found(out, name)
        pairs = ids.astype(np.int64).ravel() * (LEVELS + 1) + sure.ravel()
        found, times = np.unique(pairs, return_counts=True)
        counts.reshape(-1)[found] += times
    limits = {}
    for one in np.nonzero(counts.sum(1))[0]:
        below = np.cumsum(counts[one])
        middle = int(np.searchsorted(below, below[-1] / 2))
        limits[int(one)] = min(middle / LEVELS, CAP)
    return limits


@torch.inference_mode()
def _domain(
    predictor: Predictor, items: Sequence[Item], labels_of: Callable[[Sample], Tensor | None]
) -> tuple[Tensor, Tensor]:
    """Sums and counts of the features of correctly predicted pixels of one domain."""
    network: Any = predictor.network
    count = network.classes
    sums = torch.zeros(count, network.dede_head.pred.in_channels)
    counts = torch.zeros(count)
    for _, sample in scenes.samples(items):
        if isinstance(sample, FusionZooError):
            raise sample
        labels = labels_of(sample)
        if labels is None:
            continue
        (role,) = roles_for(predictor.method, sample.images) or predictor.method.inputs
        picture = sample.images[role].expand(3, -1, -1)[None].to(predictor.device)
        output = network.outputs(network.normalised(picture))
        small = adaptation.quarter(labels[None].to(predictor.device), output.feature)
        guess = network.dede_head.pred(output.feature).argmax(1)
        more, seen = adaptation.class_sums(output.feature, small, guess, count)
        sums, counts = sums + more.cpu(), counts + seen.cpu()
    return sums, counts


def prototypes(
    predictor: Predictor, source: Sequence[Item], target: Sequence[Item], out: Path
) -> Path:
    """Write the mean, over the two domains, of the class means of correctly predicted features.

    Args:
        predictor: A Trans4PASS segmenter.
        source: Scenes with labels.
        target: Pictures for which `label` has written pseudo labels to `out`.
        out: Folder of the pseudo labels; the file goes there.

    Raises:
        FusionZooError: No source scene has labels.
    """
    from safetensors.torch import save

    def pseudo(sample: Sample) -> Tensor | None:
        return torch.from_numpy(image.read(out / f"{sample.name}.png").astype(np.int64))

    means = []
    for items, labels_of in ((source, lambda sample: sample.target), (target, pseudo)):
        sums, counts = _domain(predictor, items, labels_of)
        if not counts.any():
            raise FusionZooError("no labelled pixel was predicted correctly: nothing to average")
        means.append((sums / counts.clamp_min(1)[:, None], counts > 0))
    (first, here), (second, there) = means
    share = (here.float() + there.float()).clamp_min(1)[:, None]
    bank = (first * here[:, None] + second * there[:, None]) / share
    path = out / PROTOTYPES
    image.write_bytes(path, save({"prototypes": bank.contiguous()}))
    return path

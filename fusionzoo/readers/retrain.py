"""The field's protocol: one reader trained per fusion method on its fused training pictures.

Same architecture, seed, steps and labels for every method; only the pictures differ. Each method's
folder holds its fused training pictures, checkpoint and weights, so a stopped run goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fusionzoo import classes as class_tables
from fusionzoo import devices, fuse, image, scenes
from fusionzoo.catalog import resolve
from fusionzoo.core import ClassTable, DataError, FusionZooError, Item, Method, Sample, hash_of
from fusionzoo.datasets import read_labels
from fusionzoo.layers.folding import prepare_for_inference
from fusionzoo.predictor import Predictor
from fusionzoo.readers.judge import Told, labels_of
from fusionzoo.train import loop, run
from fusionzoo.train.batches import Batches, Stream
from fusionzoo.train.settings import build
from fusionzoo.weights import LoadedWeights

TAG = "retrained"


@dataclass(frozen=True)
class Protocol:
    """How the reader is trained for every method.

    Attributes:
        reader: Catalogue name of a segmenter that has a recipe.
        changes: `name=value` settings of that recipe.
        items: Training scenes, with labels.
        classes: Class table of the labels.
        out: Folder; a subfolder per method.
        device: As for `fusionzoo.load`.
        precision: Of the training.
    """

    reader: str
    changes: Sequence[str]
    items: Sequence[Item]
    classes: ClassTable
    out: Path
    device: str = "auto"
    precision: str = "float32"


def _write_labels(protocol: Protocol) -> Path:
    """Label maps of the training scenes as files, so that drawn scenes are drawn only once."""
    folder = protocol.out / "labels"
    todo = [item for item in protocol.items if not (folder / f"{item.name}.png").exists()]
    for item, sample in scenes.samples(todo):
        if isinstance(sample, FusionZooError):
            raise sample
        labels = labels_of(sample, protocol.classes)
        image.write(folder / f"{item.name}.png", labels.astype("uint8"))
    return folder


def _load(name: str, picture: Path, label: Path, classes: ClassTable) -> Sample:
    plane = image.to_plane(image.read(picture)).expand(3, -1, -1)
    return Sample(name, {"visible": plane}, read_labels(label, classes))


def fused_items(protocol: Protocol, method: Predictor, told: Told) -> list[Item]:
    """The training scenes as this method fuses them.

    Raises:
        DataError: Some could not be fused.
    """
    labels, folder = _write_labels(protocol), protocol.out / method.label / "train"
    failed = []

    def note(outcome: fuse.Outcome) -> None:
        told(outcome.name)
        if outcome.state == "failed":
            failed.append(f"{outcome.name}: {outcome.error}")

    fuse.fuse(method, protocol.items, folder, note)
    if failed:
        raise DataError(f"{method.label} failed on {len(failed)} scenes, first {failed[0]}")
    found = []
    for item in protocol.items:
        picture, label = folder / f"{item.name}.png", labels / f"{item.name}.png"
        load = partial(_load, item.name, picture, label, protocol.classes)
        found.append(Item(item.name, load, partial(_mark, picture, label)))
    return found


def _mark(picture: Path, label: Path) -> str:
    return hash_of(image.digest(picture), image.digest(label))


def train(
    protocol: Protocol, method: Predictor, told: Callable[[str], object] = lambda _: None
) -> Predictor:
    """Train, or go on training, the reader on one method's pictures; the reader ready to judge.

    Raises:
        FusionZooError: The reader has no recipe, or its settings do not fit.
    """
    entry, settings = _settings(protocol)
    items = fused_items(protocol, method, told)
    folder = protocol.out / method.label
    device = devices.pick_device(protocol.device)
    torch.manual_seed(settings.seed)
    recipe = resolve(str(entry.recipe))(settings, device)
    stream = Stream("", items, recipe, (settings.height, settings.width), settings.seed)
    identity = {
        "name": protocol.reader,
        "method": method.label,
        "key": method.key,
        "data": hash_of(*(item.fingerprint() for item in items)),
        "settings": asdict(settings),
        "precision": protocol.precision,
    }
    plan = loop.Plan(
        out=folder,
        steps=settings.steps,
        seed=settings.seed,
        identity=json.loads(json.dumps(identity)),
        save_every=max(1, settings.steps // 4),
        sheet_every=0,
        precision=protocol.precision,
    )
    batches = Batches([stream], settings.batch)
    loop.fit(recipe, batches, plan, device, lambda step, _: told(f"step {step + 1}"))
    path = folder / run.WEIGHTS
    run.export(recipe, plan, path)
    loaded = LoadedWeights(TAG, image.digest(path), "the user's", (method.label,), path)
    network = prepare_for_inference(recipe.network)
    known = replace(entry, classes=protocol.classes)
    return Predictor(protocol.reader, known, network, loaded, device)


def _settings(protocol: Protocol) -> tuple[Method, Any]:
    from fusionzoo import methods

    entry: Method = methods.find(protocol.reader)
    if entry.task != "segment" or entry.recipe is None:
        raise FusionZooError(f"{protocol.reader} cannot be retrained: it has no recipe of labels")
    name = class_tables.name_of(protocol.classes)
    if name is None:
        raise FusionZooError("the dataset's class table has no name: it cannot be trained on")
    kind = resolve(entry.recipe).Settings
    # A fused picture is all there is: no mixtures with a source.
    return entry, build(kind, [f"classes={name}", "fused_share=0", *protocol.changes])

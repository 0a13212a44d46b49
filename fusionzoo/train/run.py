"""One training from names: which recipe, which scenes, which settings; and the weights it gives."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import fusionzoo
from fusionzoo import datasets, image, methods, parallel
from fusionzoo.catalog import resolve
from fusionzoo.core import (
    DataError,
    FusionZooError,
    Item,
    Method,
    Recipe,
    UnknownNameError,
    hash_of,
)
from fusionzoo.devices import pick_device
from fusionzoo.store import list_hash
from fusionzoo.train import loop
from fusionzoo.train.batches import Batches, Stream
from fusionzoo.train.settings import build

WEIGHTS = "weights.safetensors"
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Job:
    """What a training is made of, before anything is built.

    Attributes:
        name: Method, or pre-training of one.
        dataset: "name:split", several joined by commas.
        changes: `name=value` settings.
        out: Folder.
        data: Data root.
        device: As for `fusionzoo.load`.
        precision: "float32" or "bfloat16".
        stop_after: Stop, resumable, once this many steps are done in all.
    """

    name: str
    dataset: str
    changes: Sequence[str]
    out: Path
    data: Path | None = None
    device: str = "auto"
    precision: str = "float32"
    stop_after: int | None = None


def recipe_class(name: str) -> Any:
    """The recipe of a method, or of a pre-training that a method names.

    Raises:
        UnknownNameError: No such method or pre-training.
        FusionZooError: The method cannot be trained.
    """
    try:
        method: Method = methods.find(name)
    except UnknownNameError:
        found = [e.pretraining[name] for e in methods.usable().values() if name in e.pretraining]
        if not found:
            raise
        return resolve(found[0])
    if method.recipe is None:
        trainable = sorted(other for other, entry in methods.usable().items() if entry.recipe)
        raise FusionZooError(
            f"{name} has nothing to train; these can be trained: {', '.join(trainable)}"
        )
    return resolve(method.recipe)


def scenes(spec: str, roles: Sequence[str], data: Path | None) -> dict[str, list[Item]]:
    """Scenes of "name:split,name:split", by that name.

    Raises:
        DataError: A dataset is absent or lacks a role that the recipe needs.
    """
    found = {}
    for part in (text.strip() for text in spec.split(",") if text.strip()):
        entry, split = datasets.parse(part)
        lacking = [role for role in roles if role not in entry.roles]
        if lacking:
            raise DataError(
                f"{part} has no {' and no '.join(lacking)} pictures: it offers "
                f"{', '.join(entry.roles)}"
            )
        found[f"{part.partition(':')[0]}:{split}"] = list(entry.listing(data, split).items)
    return found


def _kept(found: Mapping[str, list[Item]], recipe: Recipe) -> dict[str, list[Item]]:
    """Without the scenes that the recipe holds out for choosing (optional member `holds_out`)."""
    rule = getattr(recipe, "holds_out", lambda _dataset, _names: ())
    held = {name: set(rule(name, [i.name for i in items])) for name, items in found.items()}
    return {name: [i for i in items if i.name not in held[name]] for name, items in found.items()}


def facts(found: Mapping[str, Sequence[Item]]) -> dict[str, Any]:
    """Number, names and contents of the scenes of each dataset."""
    return {
        name: {
            "scenes": len(items),
            "list_hash": list_hash(item.name for item in items),
            "content_hash": hash_of(*(item.fingerprint() for item in items)),
        }
        for name, items in found.items()
    }


def train(job: Job, told: loop.Told = lambda *_: None) -> int:
    """Run or resume a training; the number of steps done in all.

    Writes checkpoint.pt, log.jsonl, settings.json, sheets/ and, at the end, weights.safetensors.

    Raises:
        FusionZooError: Unknown names, absent data, settings that do not fit, or a failed step.
    """
    if job.precision not in PRECISIONS:
        raise FusionZooError(f"precision '{job.precision}' is unknown: use {PRECISIONS}")
    kind = recipe_class(job.name)
    settings = build(kind.Settings, job.changes)
    main = scenes(job.dataset, kind.roles, job.data)
    with parallel.group(pick_device(job.device)) as device:
        torch.manual_seed(settings.seed)
        recipe: Recipe = kind(settings, device)
        extra = getattr(recipe, "streams", {})
        others = {key: scenes(spec, kind.roles, job.data) for key, spec in extra.items()}
        main, *rest = (_kept(found, recipe) for found in (main, *others.values()))
        others = dict(zip(others, rest, strict=True))
        size = (settings.height, settings.width)
        streams = [
            Stream(key, [i for items in found.values() for i in items], recipe, size, settings.seed)
            for key, found in {"": main, **others}.items()
        ]
        data = {
            name: one for found in (main, *others.values()) for name, one in facts(found).items()
        }
        plan = _plan(job, settings, data)
        batches = Batches(streams, settings.batch, parallel.rank(), parallel.world())
        done = loop.fit(recipe, batches, plan, device, told)
        if done == plan.steps and parallel.is_main():
            export(recipe, plan, job.out / WEIGHTS)
    return done


def _plan(job: Job, settings: Any, data: Mapping[str, Any]) -> loop.Plan:
    identity = {
        "name": job.name,
        "data": data,
        "settings": dataclasses.asdict(settings),
        "precision": job.precision,
        "processes": parallel.world(),
    }
    steps = settings.steps
    return loop.Plan(
        out=job.out,
        steps=steps,
        seed=settings.seed,
        identity=json.loads(json.dumps(identity)),
        stop_after=job.stop_after,
        log_every=max(1, min(10, steps // 10)),
        save_every=max(1, min(100, steps // 10)),
        sheet_every=max(1, steps // 10),
        precision=job.precision,
    )


def export(recipe: Recipe, plan: loop.Plan, path: Path) -> None:
    """Write what inference loads, with what it was trained on in the file's metadata.

    Networks that `recipe.companions` names are written beside it, `<name>.safetensors` each.
    """
    companions: Mapping[str, Mapping[str, Tensor]] = getattr(recipe, "companions", {})
    _write(recipe.weights(), plan, path)
    for name, tensors in companions.items():
        _write(tensors, plan, path.with_name(f"{name}.safetensors"))


def _write(tensors: Mapping[str, Tensor], plan: loop.Plan, path: Path) -> None:
    from safetensors.torch import save

    ready = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {key: json.dumps(value) for key, value in plan.identity.items()}
    metadata |= {"fusionzoo": fusionzoo.__version__, "torch": torch.__version__}
    image.write_bytes(path, _ordered(save(ready, metadata)))


def _ordered(data: bytes) -> bytes:
    """A safetensors file with its header sorted: equal contents are then equal bytes."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[start:]

"""The loop: update, log, checkpoint; stop at any moment and go on with the same numbers.

A checkpoint holds the state of everything the recipe names. Batches and random numbers depend on
(seed, step), so a training that was stopped and resumed gives, on one kind of machine, bit for bit
the parameters of one that was not. Ctrl-C and SIGTERM end it after the step at hand, with a
checkpoint; a crash falls back to the last one.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fusionzoo import image, parallel
from fusionzoo.core import FusionZooError, Recipe, WeightsError
from fusionzoo.train.batches import Batches, seed_of, threads_beside, to_device
from fusionzoo.train.log import Log
from fusionzoo.train.sheet import write_sheet

CHECKPOINT = "checkpoint.pt"
SETTINGS = "settings.json"
SHEET_PICTURES = 4
DAMAGE = (RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError)
"""What reading a truncated or altered checkpoint raises."""
Told = Callable[[int, Mapping[str, float]], object]
"""Called after each step with its number and losses."""


@dataclass(frozen=True)
class Plan:
    """How long, how often, where.

    Attributes:
        out: Folder of checkpoint, log and sheets.
        steps: Number of updates in all.
        seed: Of the random numbers inside an update.
        identity: What must be equal for a checkpoint to be resumed (settings and data).
        stop_after: Stop, with a checkpoint, once this many steps are done in all.
        log_every: Steps between lines of the log, which hold means over them.
        save_every: Steps between checkpoints.
        sheet_every: Steps between picture sheets; 0 for none.
        precision: Of the networks' matrix products.
    """

    out: Path
    steps: int
    seed: int
    identity: Mapping[str, Any]
    stop_after: int | None = None
    log_every: int = 10
    save_every: int = 100
    sheet_every: int = 500
    precision: str = "float32"


def fit(
    recipe: Recipe,
    batches: Batches,
    plan: Plan,
    device: torch.device,
    told: Told = lambda *_: None,
) -> int:
    """Update until the plan's end, a requested stop, or an interruption; the steps done in all.

    Raises:
        FusionZooError: A loss is not finite, memory ran out, or the checkpoint belongs to other
            settings. The last checkpoint is whole in every case.
        KeyboardInterrupt: Interrupted; the checkpoint is of the last finished step.
    """
    start = resume(recipe, plan)
    if parallel.is_main():
        image.write_bytes(plan.out / SETTINGS, json.dumps(plan.identity, indent=1).encode())
    last = min(plan.steps, plan.stop_after or plan.steps)
    log = Log(plan.out, start, plan.log_every)
    done, supply = start, batches.ahead(start, last, threads_beside(device))
    with _postponed_interrupts() as interrupted:
        for step in range(start, last):
            began = time.perf_counter()
            batch = to_device(next(supply), device)
            waited = time.perf_counter() - began
            losses = _update(recipe, batch, step, plan, device)
            done = step + 1
            log.add(step, losses, time.perf_counter() - began, waited)
            told(step, losses)
            if plan.sheet_every and done % plan.sheet_every == 0:
                _sheet(recipe, batch, plan, done)
            # Processes must leave the loop after the same step, or one would wait for the others.
            stopping = parallel.any_of(interrupted.is_set())
            if done % plan.save_every == 0 or done == last or stopping:
                log.flush()
                save(recipe, plan, done)
            if stopping:
                supply.close()  # type: ignore[attr-defined]
                raise KeyboardInterrupt
    return done


def _update(
    recipe: Recipe,
    batch: dict[str, torch.Tensor],
    step: int,
    plan: Plan,
    device: torch.device,
) -> dict[str, float]:
    torch.manual_seed(seed_of(plan.seed, "update", step, parallel.rank()))
    half = plan.precision == "bfloat16"
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            losses = parallel.average_numbers(recipe.update(batch, step))
    except torch.OutOfMemoryError:
        raise out_of_memory(step) from None
    except RuntimeError as error:
        if "allocate memory" not in str(error):
            raise
        raise out_of_memory(step) from None
    for name, value in losses.items():
        if not math.isfinite(value):
            raise FusionZooError(
                f"the loss '{name}' is {value} at step {step}: lower the learning rate; the last "
                "checkpoint is intact"
            )
    return losses


def out_of_memory(step: int) -> FusionZooError:
    """What to do about it."""
    return FusionZooError(
        f"out of memory at step {step}: use a smaller --set batch=, height= or width=; the last "
        "checkpoint is intact"
    )


def save(recipe: Recipe, plan: Plan, done: int) -> None:
    """Write the checkpoint, whole or not at all."""
    if not parallel.is_main():
        return
    state = {name: part.state_dict() for name, part in recipe.state().items()}
    buffer = io.BytesIO()
    torch.save({"step": done, "identity": dict(plan.identity), "state": state}, buffer)
    image.write_bytes(plan.out / CHECKPOINT, buffer.getvalue())


def resume(recipe: Recipe, plan: Plan) -> int:
    """Load the folder's checkpoint, if it has one; the number of steps it has done.

    Raises:
        WeightsError: It is damaged, or was made with other settings or data.
    """
    path = plan.out / CHECKPOINT
    if not path.exists():
        return 0
    found, state, done = _read(path)
    wanted = json.loads(json.dumps(plan.identity))
    if found != wanted:
        differ = "; ".join(_differences(found, wanted))
        raise WeightsError(
            f"{path} was made otherwise ({differ}): give what it was made with, or another --out"
        )
    parts = recipe.state()
    if set(parts) != set(state) or not 0 <= done <= plan.steps:
        raise WeightsError(f"{path} holds {sorted(state)} of step {done}: remove it")
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
    except DAMAGE as error:
        raise WeightsError(f"{path} is damaged ({type(error).__name__}): remove it") from None
    return done


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Identity, state and step of a checkpoint whose every byte is as it was written."""
    try:
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                raise ValueError(broken)
        saved = torch.load(path, map_location="cpu", weights_only=True)
        return dict(saved["identity"]), dict(saved["state"]), int(saved["step"])
    except (*DAMAGE, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} is damaged ({type(error).__name__}): remove it") from None


def _differences(found: Any, wanted: Any, name: str = "") -> Iterator[str]:
    """What differs between two identities, down to the single setting."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted({*found, *wanted}):
            yield from _differences(found.get(key), wanted.get(key), key)
    elif found != wanted:
        yield f"{name} {found} -> {wanted}"


def _sheet(recipe: Recipe, batch: dict[str, torch.Tensor], plan: Plan, done: int) -> None:
    if parallel.is_main():
        pictures = recipe.pictures({n: plane[:SHEET_PICTURES] for n, plane in batch.items()})
        write_sheet(plan.out / "sheets" / f"step_{done:06d}.png", pictures)


@contextmanager
def _postponed_interrupts() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event instead of breaking a step; a second Ctrl-C breaks it."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: object) -> None:
        event.set()
        signal.signal(number, before[signal.Signals(number)])

    for each in before:
        signal.signal(each, note)
    try:
        yield event
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

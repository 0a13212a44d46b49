"""Run one method over scenes and write the pictures; what is finished is never made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from fusionzoo import image, scenes, segmentation
from fusionzoo.core import FusionZooError, Item, OutputError, Sample, hash_of
from fusionzoo.predictor import Predictor, roles_for

JOURNAL = ".fusionzoo.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What became of one scene: "made", "kept" (made by an earlier run) or "failed"."""

    name: str
    state: str
    path: Path
    error: str = ""
    seconds: float = 0.0


def fuse(
    predictor: Predictor,
    items: Sequence[Item],
    out: Path,
    on_outcome: Callable[[Outcome], None],
) -> None:
    """Write `<out>/<name>.png` for every item.

    Args:
        predictor: Method to run.
        items: Scenes.
        out: Folder for pictures and for the journal of what made them.
        on_outcome: Called once per scene, in no later order than they are finished.

    Raises:
        OutputError: The folder cannot be written to; pictures already there are whole.
    """
    journal = Journal(out)
    foreign = not journal.path.exists()
    todo: list[Item] = []
    keys: dict[str, str] = {}
    for item in items:
        path = out / f"{item.name}.png"
        try:
            keys[item.name] = hash_of(predictor.key, item.fingerprint())
        except FusionZooError as error:
            on_outcome(Outcome(item.name, "failed", path, str(error)))
            continue
        if journal.has(item.name, keys[item.name], path):
            on_outcome(Outcome(item.name, "kept", path))
        elif foreign and path.exists():
            reason = f"{path} was not made by fusionzoo and stays: choose another folder"
            on_outcome(Outcome(item.name, "failed", path, reason))
        else:
            todo.append(item)
    if todo:
        journal.begin()
    save = writer(predictor)
    for outcome in _make(predictor, todo, out, save):
        if outcome.state == "made":
            journal.add(outcome.name, keys[outcome.name], outcome.path)
        on_outcome(outcome)


Writer = Callable[[Path, Sample, Tensor], None]
"""Takes the file, the scene and the output."""


def writer(predictor: Predictor) -> Writer:
    """How outputs of a method are written: fused pictures as they are, label maps as indices."""
    method, table = predictor.method, predictor.method.classes
    if method.task != "segment" or table is None:
        return lambda path, _sample, output: image.write(path, image.to_levels(output))

    def labels(path: Path, sample: Sample, output: Tensor) -> None:
        role = (roles_for(method, sample.images) or method.inputs)[0]
        segmentation.write(path, sample, role, output, table)

    return labels


def _make(
    predictor: Predictor, items: Sequence[Item], out: Path, save: Writer
) -> Iterator[Outcome]:
    for item, sample in scenes.samples(items):
        path = out / f"{item.name}.png"
        try:
            if isinstance(sample, FusionZooError):
                raise sample
            output, seconds = predictor.fuse(sample)
            save(path, sample, output)
        except OutputError:
            raise
        except FusionZooError as error:
            yield Outcome(item.name, "failed", path, str(error))
        else:
            yield Outcome(item.name, "made", path, seconds=seconds)


class Journal:
    """Which inputs, weights and code made each picture of a folder; one JSON line per picture."""

    def __init__(self, folder: Path) -> None:
        """Read the folder's journal, if it has one."""
        self.path = folder / JOURNAL
        self._known: dict[str, tuple[str, int | None]] = {}
        if not self.path.exists():
            return
        for line in self.path.read_text("utf-8").splitlines():
            try:
                entry = json.loads(line)
                self._known[entry["image"]] = entry["key"], entry.get("bytes")
            except (ValueError, KeyError, TypeError):
                continue  # the line that was being written when a run was stopped

    def has(self, name: str, key: str, path: Path) -> bool:
        """Whether `name` is finished, and its file as large as it was then."""
        known, size = self._known.get(name, ("", None))
        if known != key or not path.exists():
            return False
        return size is None or path.stat().st_size == size

    def begin(self) -> None:
        """Mark the folder as one of ours."""
        self._append("")

    def add(self, name: str, key: str, path: Path) -> None:
        """Note that `name` is finished."""
        size = path.stat().st_size
        self._append(f"\n{json.dumps({'image': name, 'key': key, 'bytes': size})}\n")
        self._known[name] = key, size

    def _append(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from None


def turns(texts: Sequence[str], **named: float | None) -> dict[str, float]:
    """Dials from NAME=NUMBER texts and from options of their own."""
    found = {name: value for name, value in named.items() if value is not None}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise FusionZooError(f"--dial {text}: expected NAME=NUMBER") from None
    return found

"""The log of a training: one JSON line every few steps, and TensorBoard where it is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fusionzoo import image, parallel

LOG = "log.jsonl"


class Log:
    """`log.jsonl`: means of the losses, seconds a step, and the share spent waiting for data."""

    def __init__(self, folder: Path, start: int, every: int) -> None:
        """Keep the lines of earlier steps; those after the checkpoint are made again."""
        self.path, self.every = folder / LOG, every
        self.pending: list[tuple[int, Mapping[str, float], float, float]] = []
        self.lines = [line for line in self._read() if line["step"] <= start]
        self.board = _board(folder) if parallel.is_main() else None

    def _read(self) -> Iterator[dict[str, Any]]:
        text = self.path.read_text("utf-8") if self.path.exists() else ""
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue  # the line that was being written when the machine stopped

    def add(self, step: int, losses: Mapping[str, float], seconds: float, waited: float) -> None:
        """One step; every few of them become a line."""
        self.pending.append((step, losses, seconds, waited))
        if (step + 1) % self.every == 0:
            self._close_line()

    def _close_line(self) -> None:
        count = len(self.pending)
        names = dict.fromkeys(name for _, losses, _, _ in self.pending for name in losses)
        means = {}
        for name in names:
            seen = [losses[name] for _, losses, _, _ in self.pending if name in losses]
            means[name] = sum(seen) / len(seen)
        seconds = sum(row[2] for row in self.pending)
        waited = sum(row[3] for row in self.pending)
        step = self.pending[-1][0] + 1
        self.lines.append(
            {"step": step, **means, "seconds": seconds / count, "waiting": waited / seconds}
        )
        self.pending = []
        if self.board is not None:
            for name, value in means.items():
                self.board.add_scalar(name, value, step)

    def flush(self) -> None:
        """Write the file, whole or not at all."""
        if self.pending:
            self._close_line()
        if parallel.is_main():
            text = "".join(json.dumps(line) + "\n" for line in self.lines)
            image.write_bytes(self.path, text.encode())


def _board(folder: Path) -> Any:
    """A TensorBoard writer where TensorBoard is installed."""
    from importlib.util import find_spec

    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"))

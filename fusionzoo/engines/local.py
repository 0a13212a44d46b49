"""Worker processes of this machine, which start once and serve one grid after the other.

Each worker holds a few pictures at a time and answers as soon as one is done. When a worker dies,
only what it held is lost: that is given to a new worker, one picture at a time, so that a picture
that kills its worker is found and does not take others with it.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from fusionzoo import parallel
from fusionzoo.core import FusionZooError
from fusionzoo.engines import RETRIES
from fusionzoo.engines.job import BLAS, Job, checked, limit_threads, opened
from fusionzoo.measure import Outcome, Task, stream
from fusionzoo.plan import Due, Grid

HELD = 8
"""Most pictures a worker holds: more than its threads can have begun, so that none waits."""
PATIENCE = 5.0
"""Seconds that a worker gets to end by itself."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why a worker cannot go on; `trace` is empty if it is the user's to mend."""

    message: str
    trace: str = ""


@dataclass
class Worker:
    """A process, the pipe to it, and what it holds."""

    process: BaseProcess
    pipe: Connection
    holds: dict[str, Mapping[int, str]] = field(default_factory=dict)

    def ending(self) -> str:
        """How the process ended, in words."""
        self.process.join(PATIENCE)
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        return f"exit code {code}"


class Local:
    """See the module."""

    def __init__(self, workers: int, threads: int | None = None) -> None:
        """An engine; its workers start when there is work.

        Args:
            workers: How many processes.
            threads: Of the networks of each; None shares the processors out.
        """
        self.workers = workers
        self.threads = threads or max(1, parallel.processors() // workers)
        self._crew: list[Worker] = []

    def device(self, asked: str) -> str:
        """As in this process."""
        del asked
        return ""

    def __enter__(self) -> Self:
        """The engine."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the workers: at once if something went wrong."""
        self.close(PATIENCE if kind is None else 0)

    def close(self, patience: float = 0) -> None:
        """End the workers, after giving them some seconds."""
        for worker in self._crew:
            worker.pipe.close()  # an idle worker ends when its pipe does
        for worker in self._crew:
            worker.process.join(patience)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._crew.clear()

    def compute(self, grid: Grid, due: Due) -> Iterator[Outcome]:
        """Every due picture once.

        Raises:
            FusionZooError: A picture kills every worker, or a worker sees other data or weights.
        """
        job = Job.of(grid)
        waiting = deque(due)
        deaths: Counter[str] = Counter()
        done = False
        try:
            while waiting or any(worker.holds for worker in self._crew):
                self._hire(min(self.workers, len(waiting)))
                for worker in self._crew:
                    self._hand_out(worker, job, due, waiting, deaths)
                for worker in self._ready():
                    try:
                        outcome = self._answer(worker)
                    except (EOFError, OSError):
                        self._bury(worker, waiting, deaths)
                        continue
                    del worker.holds[outcome.image]
                    yield outcome
            done = True
        finally:
            if not done:  # nobody waits for what the workers hold
                self.close()

    def processes(self) -> list[int]:
        """Process ids of the workers that were started."""
        return [worker.process.pid for worker in self._crew if worker.process.pid is not None]

    def _hire(self, wanted: int) -> None:
        """Start processes until there are as many as wanted; those that are there stay."""
        while len(self._crew) < wanted:
            self._crew.append(_start(self.threads))

    def _hand_out(
        self, worker: Worker, job: Job, due: Due, waiting: deque[str], deaths: Counter[str]
    ) -> None:
        """Give a worker pictures: fewer towards the end, and one that killed a worker alone."""
        share = max(1, min(HELD, len(waiting) // self.workers))
        while waiting and len(worker.holds) < share:
            if any(deaths[name] for name in (waiting[0], *worker.holds)) and worker.holds:
                return
            name = waiting.popleft()
            worker.holds[name] = due[name]
            try:
                worker.pipe.send((job, (name, due[name])))
            except OSError:
                return  # it is dead, which reading from it will show

    def _ready(self) -> list[Worker]:
        """Workers that have answered or died."""
        pipes = wait([worker.pipe for worker in self._crew])
        return [worker for worker in self._crew if worker.pipe in pipes]

    def _answer(self, worker: Worker) -> Outcome:
        answer: Outcome | Failure = worker.pipe.recv()
        if isinstance(answer, Outcome):
            return answer
        if answer.trace:
            raise RuntimeError(f"a worker failed:\n{answer.trace}")
        raise FusionZooError(f"on a worker: {answer.message}")

    def _bury(self, worker: Worker, waiting: deque[str], deaths: Counter[str]) -> None:
        """Take back what a dead worker held.

        Raises:
            FusionZooError: One of its pictures has lost too many workers.
        """
        self._crew.remove(worker)
        worker.pipe.close()
        ending = worker.ending()
        deaths.update(list(worker.holds))
        for name in worker.holds:
            if deaths[name] > RETRIES:
                raise FusionZooError(
                    f"the worker for {name} died {deaths[name]} times ({ending}): give it more "
                    "memory, or fewer --workers; finished pictures are kept"
                )
        waiting.extendleft(reversed(worker.holds))
        shown = ", ".join(worker.holds) or "nothing"
        _log.warning("a worker ended (%s); computed again: %s", ending, shown)


def _start(threads: int) -> Worker:
    """A worker process, which does not hear the interrupts that the terminal sends to all."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, threads), daemon=True)
    with _environment(dict.fromkeys(BLAS, str(threads))), _uninterrupted():
        process.start()
    there.close()
    return Worker(process, here)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables for processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that are started meanwhile ignore interrupts, also before they run our code."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def serve(pipe: Connection, threads: int) -> None:
    """What a worker does until its pipe is closed: answer every picture with an outcome."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_threads(threads)
    try:
        while True:
            job, task = pipe.recv()
            grid = opened(job)
            on_cpu = all(method.device.type == "cpu" for method in grid.predictors)
            overlap = threads > 1 or not on_cpu
            for outcome in stream(grid, checked(grid, _arriving(pipe, task)), overlap):
                pipe.send(outcome)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the process that was started by the user is gone
    except FusionZooError as error:
        pipe.send(Failure(str(error)))
    except Exception:  # noqa: BLE001, a bug, which must be seen where the user looks
        pipe.send(Failure("", traceback.format_exc()))


def _arriving(pipe: Connection, first: Task) -> Iterator[Task]:
    """The first task, and those that have arrived by the time they are asked for."""
    yield first
    while pipe.poll():
        _, task = pipe.recv()
        yield task

"""A Ray cluster (extra `ray`): a few pictures are one task, which Ray runs again if it is lost.

Every machine has the same version of fusionzoo, and the data and weights at the same place or named
by its own FUSIONZOO_DATA and FUSIONZOO_WEIGHTS; what a worker finds there is checked.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Self

from fusionzoo.core import FusionZooError
from fusionzoo.engines import RETRIES
from fusionzoo.engines.job import Job, Tool, checked, limit_threads, opened
from fusionzoo.measure import Outcome, Task, stream
from fusionzoo.plan import Due, Grid

SHARD = 6
"""Most pictures in one task: what is computed again if its worker is lost."""
LOOPBACK = ("127.0.0.1", "localhost")
KNOCK_SECONDS = 10
STORE_BYTES = 128 * 2**20
"""Object store of a cluster that is started here; results are numbers and a few pictures."""


def work(job: Job, tasks: list[Task], threads: int) -> list[Outcome]:
    """One shard, on a worker; networks and the grid stay in its process for the next one."""
    limit_threads(threads)
    grid = opened(job)
    on_cpu = all(method.device.type == "cpu" for method in grid.predictors)
    return list(stream(grid, checked(grid, tasks), threads > 1 or not on_cpu))


class Ray:
    """See the module."""

    def __init__(self, address: str | None = None, threads: int = 1) -> None:
        """Connect to a cluster.

        Args:
            address: "host:port", or "auto" for the one of this machine; None starts one here.
            threads: Processors that a task asks for, and threads of its networks.

        Raises:
            FusionZooError: Ray is not installed, or there is no cluster at the address.
        """
        self.threads = threads
        self._ray, self._own = _connected(address)

    def __enter__(self) -> Self:
        """The engine."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the cluster; one that was started here ends."""
        if self._own:
            self._ray.shutdown()

    def device(self, asked: str) -> str:
        """A GPU if the user leaves it open and the cluster has one."""
        if asked != "auto":
            return asked
        return "cuda" if self._ray.cluster_resources().get("GPU", 0) >= 1 else "cpu"

    def compute(self, grid: Grid, due: Due) -> Iterator[Outcome]:
        """Every due picture once.

        Raises:
            FusionZooError: A worker sees other data or weights, or tasks were lost more often than
                they are tried again.
        """
        job = Job.of(grid)
        task = self._ray.remote(work).options(**self.resources(job))
        rest = iter(due.items())
        running: dict[Any, list[str]] = {}
        left = len(due)
        try:
            while left:
                slots = 2 * self.slots(job)
                size = max(1, min(SHARD, left // slots))
                while len(running) < slots and (shard := list(islice(rest, size))):
                    running[task.remote(job, shard, self.threads)] = [name for name, _ in shard]
                (done,), _ = self._ray.wait(list(running), num_returns=1)
                names = running.pop(done)
                left -= len(names)
                yield from self._result(done, names)
        finally:
            for reference in running:
                self._ray.cancel(reference, force=True)

    def resources(self, job: Job) -> dict[str, Any]:
        """What a task asks the cluster for."""
        gpus = (
            1 if any(isinstance(t, Tool) and t.device.startswith("cuda") for t in job.tools) else 0
        )
        return {
            "num_cpus": self.threads,
            "num_gpus": gpus,
            "max_retries": RETRIES,
            "scheduling_strategy": "SPREAD",
        }

    def slots(self, job: Job) -> int:
        """Tasks that the cluster can run at the same time, as it is now.

        Raises:
            FusionZooError: None, because no node has what a task asks for.
        """
        asked = self.resources(job)
        there = self._ray.cluster_resources()
        slots = int(there.get("CPU", 0) // asked["num_cpus"])
        if asked["num_gpus"]:
            slots = min(slots, int(there.get("GPU", 0) // asked["num_gpus"]))
        if slots < 1:
            found = f"{there.get('CPU', 0):g} processors and {there.get('GPU', 0):g} GPUs"
            raise FusionZooError(
                f"the Ray cluster has {found}; a task needs {asked['num_cpus']} and "
                f"{asked['num_gpus']}: start nodes, or choose --threads and --device"
            )
        return slots

    def _result(self, reference: Any, names: list[str]) -> list[Outcome]:
        errors = self._ray.exceptions
        try:
            found: list[Outcome] = self._ray.get(reference)
        except errors.RayTaskError as error:
            if isinstance(error.cause, FusionZooError):
                raise FusionZooError(f"on a worker: {error.cause}") from None
            raise
        except errors.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            raise FusionZooError(
                f"the workers for {', '.join(names)} were lost {RETRIES + 1} times ({reason}); "
                "finished pictures are kept: the same command goes on"
            ) from None
        return found


def _connected(address: str | None) -> tuple[Any, bool]:
    """The module `ray`, connected, and whether that was done here."""
    if address is None or address.partition(":")[0] in LOOPBACK:
        # Otherwise Ray replaces the loopback address by one that the network can reach.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError:
        raise FusionZooError(
            "--engine ray needs Ray: pip install 'fusionzoo[ray]', or use --engine local"
        ) from None
    if ray.is_initialized():
        return ray, False
    _knock(address)
    options: dict[str, Any] = {"address": address}
    if address is None:
        options = {"address": "local", "include_dashboard": False,
                   "object_store_memory": STORE_BYTES, "_node_ip_address": LOOPBACK[0]}  # fmt: skip
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise _absent(address, error) from None
    return ray, True


def _knock(address: str | None) -> None:
    """See whether anything listens at "host:port"; Ray itself would try for minutes.

    Raises:
        FusionZooError: Nothing does.
    """
    host, _, port = (address or "").rpartition(":")
    if not host or "://" in host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), KNOCK_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _absent(address, error) from None


def _absent(address: str | None, error: Exception) -> FusionZooError:
    reason = str(error).strip().partition("\n")[0]
    return FusionZooError(
        f"no Ray cluster at {address or 'this machine'} ({reason}): start one with `ray start "
        "--head`, or leave --address out"
    )

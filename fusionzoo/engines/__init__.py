"""Who computes: this process, worker processes of this machine, or a Ray cluster.

All engines run the same code on each picture, so they give the same numbers, bit for bit on the
same kind of device and with equally many threads (the networks' sums depend on their number in the
last digit). Only the process that the user started writes files: nothing is written twice, and what
one engine has finished another one goes on with.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from fusionzoo.core import FusionZooError
from fusionzoo.measure import Outcome, measure
from fusionzoo.plan import Due, Grid

RETRIES = 3
"""How often a picture is given to another worker after its own has died."""


class Engine(Protocol):
    """Computes what is due of a grid; one engine may serve many grids, one after the other."""

    @property
    def threads(self) -> int | None:
        """Of the networks of each worker; None: as many as torch has in this process."""
        ...

    def compute(self, grid: Grid, due: Due) -> Iterator[Outcome]:
        """Every due picture once, in any order.

        Raises:
            FusionZooError: The work cannot be done; the message says what to do.
        """
        ...

    def device(self, asked: str) -> str:
        """Where networks run on workers if the user asks for `asked`; "": as in this process."""
        ...

    def __enter__(self) -> Self:
        """The engine."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of its workers."""
        ...


class Inline:
    """This process, with a thread that decodes ahead and one that measures behind."""

    def __init__(self, threads: int | None = None) -> None:
        """An engine.

        Args:
            threads: Of networks; None leaves it to torch.
        """
        self.threads = threads
        if threads is not None:
            from fusionzoo.engines.job import limit_threads

            limit_threads(threads)

    def compute(self, grid: Grid, due: Due) -> Iterator[Outcome]:
        """Every due picture once, in the order of the listing."""
        return measure(grid, due)

    def device(self, asked: str) -> str:
        """As in this process."""
        del asked
        return ""

    def __enter__(self) -> Self:
        """Nothing is opened."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is open."""


def engine(
    name: str = "local", workers: int = 1, address: str | None = None, threads: int | None = None
) -> Engine:
    """An engine by name, to be used in a `with` statement.

    Args:
        name: "local", which with one worker is this process, or "ray".
        workers: Worker processes of "local".
        address: Of a Ray cluster, as `ray status` shows it; None starts one on this machine.
        threads: Of the networks of each worker; None shares the processors out ("ray": 1).

    Raises:
        FusionZooError: Another name, or settings of the other engine.
    """
    if name == "ray":
        from fusionzoo.engines.cluster import Ray

        if workers != 1:
            raise FusionZooError("--workers is of --engine local: Ray takes all of its cluster")
        return Ray(address, threads or 1)
    if name != "local":
        raise FusionZooError(f"engine '{name}' is unknown: use local or ray")
    if address:
        raise FusionZooError("--address is of --engine ray")
    if workers == 1:
        return Inline(threads)
    from fusionzoo.engines.local import Local

    return Local(workers, threads)

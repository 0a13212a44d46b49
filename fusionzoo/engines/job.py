"""A grid by names: what travels to a worker, which rebuilds it there and checks what it finds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import torch

import fusionzoo
from fusionzoo import datasets, metrics, pipeline, store
from fusionzoo import grid as names
from fusionzoo.core import FusionZooError
from fusionzoo.foreign import Foreign
from fusionzoo.measure import Task
from fusionzoo.plan import Corruption, Grid
from fusionzoo.predictor import Precision, Predictor

PREFIX = "FUSIONZOO_"
"""Of the environment variables that say where data and weights are."""
BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What linear algebra reads when a process starts."""


@dataclass(frozen=True)
class Tool:
    """A method by name and settings.

    Attributes:
        name: Method, or chain with weights tags or files.
        weights: Tag or file of a single method.
        task: Variant.
        device: Where it runs.
        precision: Of its network.
        tile: Side of a tile; None decides by size.
        stretch: Whether luminance is stretched; None: as the method says.
        wrap: Columns around a panorama.
        dials: Numbers by name.
        key: What the rebuilt method's key must be.
    """

    name: str
    weights: str | None
    task: str | None
    device: str
    precision: Precision
    tile: int | None
    stretch: bool | None
    wrap: int
    dials: tuple[tuple[str, float], ...]
    key: str

    @classmethod
    def of(cls, method: Predictor, device: str = "") -> Tool:
        """What loads the same method again, on its device or on another one."""
        name, weights = pipeline.reference(method)
        return cls(
            name=name,
            weights=weights,
            task=method.method.pair or None,
            device=device or str(method.device),
            precision=method.precision,
            tile=method.tile,
            stretch=method.stretch,
            wrap=method.wrap,
            dials=tuple(sorted(method.dials.items())),
            key=method.key,
        )

    def load(self) -> Predictor:
        """The method.

        Raises:
            FusionZooError: It is not here, or its weights or code are other ones.
        """
        where = (self.device, self.precision, self.tile)
        how = (self.task, self.stretch, self.wrap)
        found = pipeline.load(self.name, self.weights, *where, *how)
        found = found.turned(**dict(self.dials)) if self.dials else found
        if found.key != self.key:
            raise FusionZooError(
                f"{self.name} has other weights, settings or code here than where the benchmark "
                "was started: install the same version and give the same weights"
            )
        return found


@dataclass(frozen=True)
class Folder:
    """Pictures that another program made, by place."""

    name: str
    place: str

    def load(self) -> Predictor:
        """The row.

        Raises:
            FusionZooError: The folder is not here.
        """
        return Foreign.of(self.name, Path(self.place))


def _named(method: Predictor, device: str) -> Tool | Folder:
    if isinstance(method, Foreign):
        return Folder(method.name, str(method.folder.resolve()))
    return Tool.of(method, device)


@dataclass(frozen=True)
class Job:
    """A grid by names.

    Attributes:
        dataset: "name:split".
        data: Data root; None for the default places.
        limit: Only the first scenes.
        list_hash: Of the scenes' names.
        tools: The methods and folders of pictures.
        metrics: Symbols.
        convention: Metric convention.
        corruption: What is done to the sources.
        keep: How many pictures are kept; None: all.
        environment: Variables that are set where a worker has none of its own.
        version: Of fusionzoo.
    """

    dataset: str
    data: str | None
    limit: int | None
    list_hash: str
    tools: tuple[Tool | Folder, ...]
    metrics: tuple[str, ...]
    convention: str
    corruption: Corruption | None
    keep: int | None
    environment: tuple[tuple[str, str], ...]
    version: str

    @classmethod
    def of(cls, grid: Grid) -> Job:
        """What another process needs to rebuild a grid.

        Raises:
            FusionZooError: Its dataset has no name, because it is a folder of one's own.
        """
        if grid.name not in datasets.names():
            raise FusionZooError(
                f"'{grid.name}' is not in the catalogue of datasets, so that only this process can "
                "use it: take --engine local with one worker"
            )
        split, _, limit = grid.listing.split.partition(names.CUT)
        here = {k: v for k, v in os.environ.items() if k.startswith(PREFIX)}
        return cls(
            dataset=f"{grid.name}:{split}",
            data=str(grid.data.resolve()) if grid.data else None,
            limit=int(limit) if limit else None,
            list_hash=store.list_hash(item.name for item in grid.listing.items),
            tools=tuple(_named(method, grid.device) for method in grid.predictors),
            metrics=tuple(metric.symbol for metric in grid.metrics),
            convention=grid.convention,
            corruption=grid.corruption,
            keep=grid.keep,
            environment=tuple(sorted(here.items())),
            version=fusionzoo.__version__,
        )

    def build(self) -> Grid:
        """The grid, in the process and on the machine where it is computed.

        Raises:
            FusionZooError: Another version of fusionzoo, other data or other weights than the
                job's.
        """
        if self.version != fusionzoo.__version__:
            raise FusionZooError(
                f"fusionzoo is {fusionzoo.__version__} here and {self.version} where the benchmark "
                "was started: install the same version"
            )
        data = Path(self.data) if self.data else None
        name, entry, listing = names.open_dataset(self.dataset, data, self.limit)
        if store.list_hash(item.name for item in listing.items) != self.list_hash:
            raise FusionZooError(
                f"{self.dataset} in {listing.root or 'the code'} has other pictures here than "
                "where the benchmark was started: give every worker the same data root"
            )
        methods = [_loaded(tool) for tool in self.tools]
        chosen = metrics.select(self.metrics, self.convention)
        return Grid(name, entry, listing, methods, chosen, Path(), self.convention,
                    self.corruption, self.keep, data)  # fmt: skip


@cache
def _loaded(tool: Tool | Folder) -> Predictor:
    """Each method once in a worker, however many grids it serves."""
    return tool.load()


@lru_cache(maxsize=1)
def opened(job: Job) -> Grid:
    """The grid of a job, in a worker."""
    for name, value in job.environment:
        os.environ.setdefault(name, value)
    return job.build()


def checked(grid: Grid, tasks: Iterable[Task]) -> Iterator[Task]:
    """The tasks, after making sure that this worker sees the files that the benchmark saw.

    Raises:
        FusionZooError: It does not.
    """
    for name, keys in tasks:
        item = grid.item(name)
        for position, key in keys.items():
            if grid.key(grid.predictors[position], item) != key:
                raise FusionZooError(
                    f"{grid.name} {name} has other content in {grid.listing.root} than where the "
                    "benchmark was started: give every worker the same data"
                )
        yield name, keys


def limit_threads(threads: int) -> None:
    """Let torch and OpenCV use that many threads in this process."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)

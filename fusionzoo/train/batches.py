"""Batches as a pure function of (seed, step, process), so that resuming needs no memory of them.

Sample number i of a stream is scene permutation(epoch)[i mod n] of epoch i // n; its crop, mirror
and augmentation come from a generator seeded by (seed, stream, i). A process takes its share of
the global batch, so two processes see together what one with a doubled batch sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fusionzoo import parallel
from fusionzoo.core import DataError, Item, Recipe, hash_of

Planes = dict[str, Tensor]
AHEAD = 2
"""Batches made while the network computes, beyond one for each thread."""
THREADS = 4
"""That make batches beside a GPU, whose launches keep a single one from the interpreter."""


def threads_beside(device: torch.device) -> int:
    """How many threads make batches: on a CPU the network needs the cores itself."""
    return max(1, min(THREADS, parallel.processors() // 2)) if device.type == "cuda" else 1


def seed_of(*parts: object) -> int:
    """A seed from anything JSON can hold."""
    return int(hash_of(*parts), 16) % 2**63


@dataclass
class Stream:
    """Endless crops of a dataset's scenes.

    Attributes:
        name: Key of the stream; "" for the main one.
        items: Scenes.
        recipe: Prepares a scene and augments a crop.
        size: Height and width of a crop.
        seed: Decides order, crops and augmentation.
    """

    name: str
    items: Sequence[Item]
    recipe: Recipe
    size: tuple[int, int]
    seed: int
    _cache: dict[int, Planes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A stream without scenes would never give a batch."""
        if not self.items:
            raise DataError("no scene to train on: the datasets named are empty")

    def sample(self, number: int) -> Planes:
        """Sample `number` of the endless sequence."""
        epoch, position = divmod(number, len(self.items))
        order = np.random.default_rng(seed_of(self.seed, self.name, epoch))
        scene = int(order.permutation(len(self.items))[position])
        generator = torch.Generator().manual_seed(seed_of(self.seed, self.name, "crop", number))
        return self.recipe.augment(self._crop(self._planes(scene), generator), generator)

    def _planes(self, scene: int) -> Planes:
        if scene not in self._cache:
            item = self.items[scene]
            planes = self.recipe.prepare(item.load())
            sizes = {tuple(plane.shape[-2:]) for plane in planes.values()}
            if len(sizes) != 1:
                raise DataError(f"{item.name}: planes differ in size: {sorted(sizes)}")
            self._cache[scene] = planes
        return self._cache[scene]

    def _crop(self, planes: Planes, generator: torch.Generator) -> Planes:
        """One window for all planes, mirrored in half of the cases."""
        height, width = self.size
        rows, columns = next(iter(planes.values())).shape[-2:]
        top = _draw(max(rows - height, 0), generator)
        left = _draw(max(columns - width, 0), generator)
        mirrored = bool(_draw(1, generator))
        cut = {}
        for name, plane in planes.items():
            window = plane[..., top : top + height, left : left + width]
            window = _enlarged(window, height, width)
            cut[name] = window.flip(-1) if mirrored else window.clone()
        return cut


def _draw(highest: int, generator: torch.Generator) -> int:
    return int(torch.randint(highest + 1, (), generator=generator))


def _enlarged(plane: Tensor, height: int, width: int) -> Tensor:
    """Repeat the last rows and columns where a picture is smaller than the crop."""
    below, right = height - plane.shape[-2], width - plane.shape[-1]
    if below <= 0 and right <= 0:
        return plane
    padded = functional.pad(plane[None].double(), (0, right, 0, below), mode="replicate")
    return padded[0].to(plane.dtype)


@dataclass(frozen=True)
class Batches:
    """Batches of all streams of a training.

    Attributes:
        streams: The main one first; planes of others are named "<stream>/<plane>".
        batch: Samples a process takes from each stream and step.
        rank: Number of this process.
        world: Number of processes.
    """

    streams: Sequence[Stream]
    batch: int
    rank: int = 0
    world: int = 1

    def at(self, step: int) -> Planes:
        """The batch of a step, (B, ...) per plane."""
        first = (step * self.world + self.rank) * self.batch
        stacked: Planes = {}
        for stream in self.streams:
            crops = [stream.sample(number) for number in range(first, first + self.batch)]
            prefix = f"{stream.name}/" if stream.name else ""
            for name in crops[0]:
                stacked[prefix + name] = torch.stack([crop[name] for crop in crops])
        return stacked

    def ahead(self, start: int, stop: int, threads: int = 1) -> Iterator[Planes]:
        """Batches start..stop-1 in order, made by threads while the caller works on one before."""
        waiting: list[Future[Planes]] = []
        with ThreadPoolExecutor(threads, thread_name_prefix="batches") as pool:
            try:
                for step in range(start, stop):
                    waiting.append(pool.submit(partial(self.at, step)))
                    if len(waiting) >= threads + AHEAD:
                        yield waiting.pop(0).result()
                while waiting:
                    yield waiting.pop(0).result()
            finally:
                for future in waiting:
                    future.cancel()


def to_device(batch: Mapping[str, Tensor], device: torch.device) -> Planes:
    """The batch where the network is."""
    return {name: plane.to(device, non_blocking=True) for name, plane in batch.items()}

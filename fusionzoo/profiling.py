"""Measures what a method costs: parameters, MACs, time, throughput and memory per picture size.

Times are of the whole call, from tensors to a tensor on the CPU, at the size asked for; the network
alone is timed inside it. Calls before the first timed one warm caches and allocators up, and a GPU
is waited for before every look at the clock. Pictures are seeded noise at three scales, since time
depends on content only for methods that segment first.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

import fusionzoo
from fusionzoo import devices, macs, methods, pipeline, predictor, tiling, weights
from fusionzoo.core import NO_WEIGHTS, Method
from fusionzoo.costs import Measurement, Profile
from fusionzoo.layers.folding import prepare_for_inference
from fusionzoo.predictor import Precision, Predictor

LEAST_RUNS = 3
Size = tuple[int, int]
"""Width and height, as people write them: 1024x768."""


@dataclass(frozen=True)
class Settings:
    """How a method is measured.

    Attributes:
        sizes: Width and height of the pictures.
        device: As for `fusionzoo.load`.
        precision: Likewise.
        runs: Timed calls at most.
        warmup: Calls before them.
        limit: Seconds after which no further call begins, once three are timed.
        batch: Pictures per call.
        threads: Of torch and OpenCV; None: as torch chooses.
        untrained: Measure networks whose weights are not at hand with random ones, which cost the
            same; their label has no tag.
    """

    sizes: Sequence[Size]
    device: str = "auto"
    precision: Precision = "float32"
    runs: int = 10
    warmup: int = 1
    limit: float = 20.0
    batch: int = 1
    threads: int | None = None
    untrained: bool = False


@dataclass
class _Timed:
    """A network that remembers how long it took."""

    network: Callable[..., Tensor]
    device: torch.device
    seconds: float = 0.0

    def __call__(self, *planes: Tensor, **dials: float) -> Tensor:
        _wait_for(self.device)
        start = time.perf_counter()
        output = self.network(*planes, **dials)
        _wait_for(self.device)
        self.seconds += time.perf_counter() - start
        return output


@dataclass
class _Times:
    calls: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)


def measure(name: str, settings: Settings) -> Profile:
    """Measure a method or a chain in this process.

    Raises:
        UnknownNameError: No such method.
        WeightsError: Its weights are not at hand.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
        cv2.setNumThreads(settings.threads)
    loaded = _load(name, settings)
    networks = [(part, one) for part in loaded.parts if (one := _published(part)) is not None]
    shas = [part.weights.sha256 for part in loaded.parts if part.weights]
    return Profile(
        method=loaded.name,
        weights=loaded.tag if len(loaded.parts) == 1 else NO_WEIGHTS,
        task=loaded.method.task,
        parameters=sum(p.numel() for _, one in networks for p in one.parameters()),
        weights_sha256="+".join(shas) or None,
        measurements=[
            replace(_measured(loaded, size, settings), macs=_macs(networks, size))
            for size in settings.sizes
        ],
    )


def _load(name: str, settings: Settings) -> Predictor:
    if settings.untrained and not pipeline.is_chain(name):
        entry: Method = methods.find(name.partition("@")[0])
        if "@" not in name and not _ready(name):
            where = devices.pick_device(settings.device)
            network = predictor.build(entry).to(where)
            folded = prepare_for_inference(network, predictor.DTYPES[settings.precision])
            return Predictor(name, entry, folded, None, where, settings.precision)
    return pipeline.load(name, None, settings.device, settings.precision)


def names(untrained: bool = False) -> list[str]:
    """Every method that needs no weights or has them on this machine; all if untrained ones do."""
    return sorted(name for name in methods.usable() if untrained or _ready(name))


def _ready(name: str) -> bool:
    entry: Method = methods.find(name)
    return weights.at_hand(entry, weights.default_tag(entry))


def measure_apart(name: str, settings: Settings) -> Profile:
    """The same in a process of its own, so that memory is not that of methods before it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, name, settings).result()


def _published(part: Predictor) -> nn.Module | None:
    """The network as its authors describe it, with nothing folded; None if there is none."""
    network = predictor.build(part.method)
    if not isinstance(network, nn.Module):
        return None
    if part.weights is not None:
        known = part.weights.tag in part.method.weights
        choice = part.weights.tag if known else part.weights.path
        weights.load(part.name, part.method, network, choice)
    return network


def _macs(networks: Sequence[tuple[Predictor, nn.Module]], size: Size) -> dict[str, int] | None:
    """Of one picture, at the size that padding makes of it, in one piece; summed over stages."""
    totals: dict[str, int] = {}
    for part, network in networks:
        rules = (part.method.multiple_of, part.method.minimum_side)
        height, width = tiling.pad(torch.zeros(1, 1, size[1], size[0]), *rules).shape[-2:]
        channels = [3 if part.method.colour == "rgb" else 1] * len(part.method.inputs)
        for rule, number in macs.of_size(network, channels, height, width).items():
            totals[rule] = totals.get(rule, 0) + number
    return totals or None


def _measured(loaded: Predictor, size: Size, settings: Settings) -> Measurement:
    pictures = _pictures(loaded.method.inputs, size, settings.batch)
    before = _reset_peak(loaded.device)
    times = _timed(loaded, pictures, settings)
    memory = {"process": _peak(), "before": before, "cuda": _cuda_peak(loaded.device)}
    quartiles = [float(q) for q in np.quantile(times.calls, [0.25, 0.5, 0.75])]
    return Measurement(
        width=size[0],
        height=size[1],
        batch=settings.batch,
        device=str(loaded.device),
        precision=loaded.precision,
        threads=torch.get_num_threads(),
        macs=None,
        seconds={
            "median": quartiles[1],
            "lower_quartile": quartiles[0],
            "upper_quartile": quartiles[2],
            "fastest": min(times.calls),
            "network": float(np.median(times.network)) if times.network else None,
            "runs": len(times.calls),
        },
        pictures_per_second=settings.batch * len(times.calls) / sum(times.calls),
        memory=memory,
        provenance=_provenance(loaded.device),
    )


def _timed(loaded: Predictor, pictures: Mapping[str, Tensor], settings: Settings) -> _Times:
    inner = _Timed(loaded.network, loaded.device)
    single = len(loaded.parts) == 1
    called = replace(loaded, network=inner) if single else loaded
    for _ in range(settings.warmup):
        called(**pictures)
    times = _Times()
    while len(times.calls) < settings.runs:
        if sum(times.calls) > settings.limit and len(times.calls) >= LEAST_RUNS:
            break
        inner.seconds = 0.0
        start = time.perf_counter()
        called(**pictures)
        _wait_for(loaded.device)
        times.calls.append(time.perf_counter() - start)
        times.network += [inner.seconds] if single else []
    return times


def _pictures(roles: Sequence[str], size: Size, batch: int) -> dict[str, Tensor]:
    """Seeded noise (B, 3, H, W) for every role: flat regions, blobs and grain."""
    width, height = size
    pictures = {}
    for number, role in enumerate(roles):
        rng = np.random.default_rng([7, number])
        planes = []
        for _ in range(batch):
            layers = [rng.random((side, side, 3), np.float32) for side in (4, 32)]
            large = [cv2.resize(one, size, interpolation=cv2.INTER_CUBIC) for one in layers]
            grain = rng.random((height, width, 3), np.float32)
            planes.append(0.5 * large[0] + 0.4 * large[1] + 0.1 * grain)
        stacked = torch.from_numpy(np.stack(planes)).permute(0, 3, 1, 2)
        pictures[role] = stacked.clamp(0, 1).contiguous()
    return pictures


def _wait_for(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _reset_peak(device: torch.device) -> int | None:
    """Forget the highest memory so far; bytes that the process holds now, if the system tells."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _peak() -> int | None:
    """Most bytes the process held since the reset; since its start where there is no reset."""
    if (highest := _status("VmHWM")) is not None:
        return highest
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(name: str) -> int | None:
    try:
        text = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return None
    line = next((line for line in text.splitlines() if line.startswith(f"{name}:")), "")
    return int(line.split()[1]) * 1024 if line else None


def _cuda_peak(device: torch.device) -> int | None:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def _provenance(device: torch.device) -> dict[str, Any]:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "fusionzoo": fusionzoo.__version__,
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    lines = (line.partition(":") for line in text.splitlines())
    names = (value.strip() for key, _, value in lines if key.strip() == "model name")
    return next(names, platform.machine())

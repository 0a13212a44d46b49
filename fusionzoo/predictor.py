"""From pictures to a picture: roles, colour, padding, tiles, device and precision.

A `Predictor` is what `fusionzoo.load` returns; it gives networks the planes they were made for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

import fusionzoo
from fusionzoo import catalog, colour, methods, segmentation, tiling
from fusionzoo.catalog import resolve
from fusionzoo.core import NO_WEIGHTS, FusionZooError, ImageError, Method, Sample, hash_of
from fusionzoo.devices import full_precision, pick_device
from fusionzoo.layers.folding import prepare_for_inference
from fusionzoo.weights import LoadedWeights
from fusionzoo.weights import load as load_weights

Precision = Literal["float32", "bfloat16"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

TILE_SIDE = 768
UNTILED_PIXELS = 1664 * 1664
"""Pictures up to this size go through in one piece: SAGE then peaks near 1.3 GB on a CPU. A network
that needs less says so by an attribute `untiled_pixels`."""
ROUNDING = 1e-3
"""By how much inputs may leave [0, 1]."""


def roles_for(method: Method, offered: Iterable[str]) -> tuple[str, ...] | None:
    """Which of the offered roles a method takes, in its order; None if it cannot run.

    A segmenter takes the first of its stand-ins if its own input is not offered.
    """
    present = set(offered)
    if set(method.inputs) <= present:
        return method.inputs
    return next(((role,) for role in method.stand_ins if role in present), None)


@dataclass(frozen=True)
class Predictor:
    """A method with its parameters, ready to be called on pictures.

    Attributes:
        name: Catalogue name.
        method: The entry.
        network: What runs, folded and cast for inference.
        weights: Parameters it runs with; None if it has none.
        device: Where it runs.
        precision: Of the network; inputs and outputs are float32.
        tile: Side of a tile in pixels; 0 never tiles; None tiles pictures that are too large.
        stretch: Fused luminance is stretched to span 0 to 1; None: as the method says.
        wrap: Columns of the other end that a full-circle panorama is continued by on each side.
        dials: Numbers that change what the network does (see `turned`).
    """

    name: str
    method: Method
    network: Callable[..., Tensor]
    weights: LoadedWeights | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "float32"
    tile: int | None = None
    stretch: bool | None = None
    wrap: int = 0
    dials: Mapping[str, float] = field(default_factory=dict)

    def turned(self, **dials: float) -> Predictor:
        """This predictor with some of the method's dials turned.

        Args:
            **dials: Numbers by name; `method.dials` says what each does.

        Raises:
            FusionZooError: The method has no such dial.
        """
        known = self.method.dials
        if unknown := sorted(set(dials) - set(known)):
            shown = f"it has {', '.join(known)}" if known else "it has none"
            raise FusionZooError(f"{self.name} has no dial '{unknown[0]}': {shown}")
        return replace(self, dials={**self.dials, **dials})

    @property
    def label(self) -> str:
        """For tables: "sage@official", or the bare name of a method without weights."""
        return f"{self.name}@{self.weights.tag}" if self.weights else self.name

    @property
    def tag(self) -> str:
        """The weights tag, or "-"."""
        return self.weights.tag if self.weights else NO_WEIGHTS

    @property
    def key(self) -> str:
        """Hash of everything but the input that an output depends on."""
        sha256 = self.weights.sha256 if self.weights else ""
        version = [fusionzoo.__version__, self.method.code_version]
        settings: list[object] = ["stretched"] if self.stretches else []
        settings += [[name, float(value)] for name, value in sorted(self.dials.items())]
        settings += [f"wrapped {self.wrap}"] if self.wrap else []
        return hash_of(self.name, sha256, version, self.precision, *settings)

    @property
    def parts(self) -> tuple[Predictor, ...]:
        """The methods it consists of: itself, or the stages of a chain (`fusionzoo.pipeline`)."""
        return (self,)

    def stage_seconds(self) -> dict[str, float]:
        """Mean seconds a picture of each stage of a chain, of what was computed so far."""
        return {}

    @property
    def stretches(self) -> bool:
        """Whether the fused luminance of each picture is stretched to span 0 to 1."""
        return self.method.stretch if self.stretch is None else self.stretch

    def fuse(self, sample: Sample) -> tuple[Tensor, float]:
        """The output (C, H, W) for one sample, and the seconds it took."""
        start = time.perf_counter()
        roles = roles_for(self.method, sample.images) or self.method.inputs
        lacking = [role for role in roles if role not in sample.images]
        if lacking:
            raise ImageError(f"{sample.name} has no {' and no '.join(lacking)} picture")
        output = self(**{role: sample.images[role] for role in roles})
        return output, time.perf_counter() - start

    @torch.inference_mode()
    def __call__(self, **images: Tensor) -> Tensor:
        """Run the method.

        Args:
            **images: One picture, or a batch, per role: (C, H, W) or (B, C, H, W) float in [0, 1],
                C 1 or 3, all of one height and width.

        Returns:
            float32 in [0, 1] on the CPU, with as many leading dimensions as the input: (3, H, W)
            if the method is one of colours ("rgb"), or keeps them and the first input ("blend":
            any input) has three channels; else (1, H, W). Segmenters: probabilities (K, H, W).

        Raises:
            ImageError: A role is missing or unknown, shapes differ or are empty, or values are
                integers, not finite, or outside [0, 1].
        """
        single, planes = self._checked(images)
        with full_precision(self.device):
            output = self._run(planes)
        if not torch.isfinite(output).all():
            raise ImageError(
                f"{self.label} gave NaN or infinity: its weights or input are unusable"
            )
        output = output.clamp(0, 1).cpu()
        return output[0] if single else output

    def _checked(self, images: Mapping[str, Tensor]) -> tuple[bool, list[Tensor]]:
        given = tuple(images)
        wanted = roles_for(self.method, given) or self.method.inputs
        if set(wanted) != set(given):
            raise ImageError(
                f"{self.name} takes {' and '.join(wanted)}; got {' and '.join(given) or 'nothing'}"
            )
        pictures = [images[role] for role in wanted]
        for role, picture in zip(wanted, pictures, strict=True):
            if picture.ndim not in (3, 4) or picture.shape[-3] not in (1, 3):
                raise ImageError(
                    f"{role} has shape {tuple(picture.shape)}: expected (C, H, W) or (B, C, H, W) "
                    "with 1 or 3 channels"
                )
            _check_values(role, picture)
        sizes = {role: tuple(p.shape[-2:]) for role, p in zip(wanted, pictures, strict=True)}
        if len({p.shape[:-3] for p in pictures}) > 1:
            found = [tuple(p.shape) for p in pictures]
            raise ImageError(f"{' and '.join(wanted)} are not equally many pictures: {found}")
        if len(set(sizes.values())) > 1:
            shown = ", ".join(f"{role} {w}x{h}" for role, (h, w) in sizes.items())
            raise ImageError(f"pictures differ in size: {shown}; register or crop them first")
        single = pictures[0].ndim == 3
        ready = [p.to(self.device, torch.float32) for p in pictures]
        return single, [p[None] if single else p for p in ready]

    def _run(self, pictures: list[Tensor]) -> Tensor:
        if self.method.colour == "copy":
            return self.network(*pictures)
        if self.method.colour == "rgb":
            output = self._forward([p.expand(-1, 3, -1, -1) for p in pictures])
            if self.method.task != "segment" or self.method.classes is None:
                return output
            return segmentation.probabilities(output, self.method.classes.ignored)
        luma = self.method.luma
        if self.method.colour == "blend":
            split = [colour.split_luma(picture, luma) for picture in pictures]
            chroma = colour.blend_chroma([chroma for _, chroma in split], luma)
            planes = [luminance for luminance, _ in split]
        else:
            luminance, chroma = colour.split_luma(pictures[0], luma)
            planes = [luminance, *(colour.grey_plane(p, luma) for p in pictures[1:])]
        fused = self._forward(planes)
        return colour.join_luma(colour.stretched(fused) if self.stretches else fused, chroma, luma)

    def _forward(self, planes: list[Tensor]) -> Tensor:
        height, width = planes[0].shape[-2:]
        method = self.method
        if self.wrap:
            return tiling.run_wrapped(self._padded, planes, self.wrap)
        side = self.tile
        if side is None:
            most = getattr(self.network, "untiled_pixels", UNTILED_PIXELS)
            side = TILE_SIDE if height * width > most else 0
        if side and method.overlap and max(height, width) > side:
            side = max(side // method.multiple_of, 1) * method.multiple_of
            return tiling.run_blended(self._padded, planes, side, method.overlap)
        if side and method.halo is not None and max(height, width) > side:
            return tiling.run_tiled(self._padded, planes, side, method.halo, method.tile_origin)
        return self._padded(*planes)

    def _padded(self, *planes: Tensor) -> Tensor:
        height, width = planes[0].shape[-2:]
        rules = (self.method.multiple_of, self.method.minimum_side)
        dtype = DTYPES[self.precision]
        padded = (tiling.pad(plane.to(dtype), *rules) for plane in planes)
        output = self.network(*padded, **self.dials)
        return output[..., :height, :width].float()


def title(name: str, method: Method) -> str:
    """A method's name for messages, with the task unless it is the usual one."""
    return name if method.pair in ("", "vif") else f"{name} ({method.pair})"


def _check_values(role: str, picture: Tensor) -> None:
    """Refuse what no method is made for; rounding beyond [0, 1] passes."""
    if not picture.numel():
        raise ImageError(f"{role} is empty: its shape is {tuple(picture.shape)}")
    if not picture.is_floating_point():
        raise ImageError(f"{role} is {picture.dtype}: expected floats in [0, 1]; divide by 255")
    low, high = (float(value) for value in picture.aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(f"{role} holds NaN or infinity")
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise ImageError(f"{role} runs from {low:g} to {high:g}: expected floats in [0, 1]")


def build(method: Method) -> Any:
    """The network (or plain callable) of an entry, without parameters loaded."""
    factory = resolve(method.network) if isinstance(method.network, str) else method.network
    return factory()


def load(
    name: str,
    weights: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    tile: int | None = None,
    task: str | None = None,
    stretch: bool | None = None,
    wrap: int = 0,
) -> Predictor:
    """Find a method, load its weights and prepare it for inference.

    Args:
        name: Catalogue name ("sage"), optionally with a tag ("sage@official").
        weights: Tag, file, or "hf://owner/repository/file"; None takes the default.
        device: "auto", "cpu", "cuda", "cuda:1", "mps", ...
        precision: "bfloat16" halves memory and time on recent CPUs and GPUs.
        tile: Side of a tile; None decides by size, 0 never tiles.
        task: Variant for "vif", "mef", "mff" or "medical" pairs; None takes the entry's first.
        stretch: Stretch the fused luminance of each picture to span 0 to 1; None: as the method
            was published.
        wrap: Columns by which a full-circle panorama is continued on each side; 0 for pictures
            whose left and right borders are not neighbours.

    Raises:
        UnknownNameError: No such method, or it has no variant for the task.
        WeightsError: Weights missing, altered or made for another network.
    """
    name, _, tag = name.partition("@")
    entry: Method = methods.find(name)
    method = entry if task is None else entry.form(task)
    name = catalog.spelled("fusionzoo.methods", name)
    where = pick_device(device)
    if precision not in DTYPES:
        raise FusionZooError(f"precision '{precision}' is unknown: use {' or '.join(DTYPES)}")
    network = build(method)
    loaded = None
    if isinstance(network, nn.Module):
        if method.weights:
            loaded = load_weights(title(name, method), method, network, weights or tag or None)
        network = prepare_for_inference(network.to(where), DTYPES[precision])
    elif weights or tag:
        raise FusionZooError(f"{name} has no weights: leave out '{weights or tag}'")
    return Predictor(name, method, network, loaded, where, precision, tile, stretch, wrap)

"""Masks by Segment Anything (Kirillov et al., ICCV 2023), with the user's own checkpoint.

`pip install fusionzoo[sam]` brings the package `segment-anything`; the checkpoint is Meta's, of
ViT-B, L or H, or any file with the same keys. Cost grows with the number of prompts, so it is told
before the first picture: the paper's setting asks 32,768 points of each picture.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fusionzoo import image
from fusionzoo.core import FusionZooError, WeightsError, hash_of
from fusionzoo.weights import read_state_dict

log = logging.getLogger(__name__)

Masks = NDArray[np.bool_]
WIDTHS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
"""Channels of the image encoder -> size of the model."""
SECONDS_PER_PROMPT = 0.2
"""One thread of a server CPU, measured with a MobileSAM-sized decoder: 12.8 s for 64 prompts."""


@dataclass(frozen=True)
class Preset:
    """Settings of segment-anything's automatic mask generator.

    Attributes:
        points_per_side: Points of the grid that is asked, per side.
        crop_layers: Layers of enlarged crops that are asked too; layer n has 4^n crops.
        smallest: Pixels of the smallest hole or island that is kept.
        points_per_batch: Points answered at once, which bounds memory.
    """

    points_per_side: int
    crop_layers: int
    smallest: int
    points_per_batch: int = 16

    @property
    def prompts(self) -> int:
        """Points asked of each picture; each layer of crops halves the grid's side."""
        layers = range(self.crop_layers + 1)
        return sum(4**n * (self.points_per_side // 2**n) ** 2 for n in layers)


PRESETS = {"official": Preset(128, 1, 100), "quick": Preset(16, 0, 100)}


@dataclass(frozen=True)
class Sam:
    """The provider.

    Attributes:
        checkpoint: SAM's weights.
        preset: One of `PRESETS`.
        device: Where SAM runs; None takes a GPU if there is one.
    """

    checkpoint: Path | None
    preset: str = "quick"
    device: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work before any picture is read, and tell the cost.

        Raises:
            FusionZooError: No such preset, or segment-anything is not installed.
            WeightsError: No checkpoint, or not one of SAM.
        """
        if self.preset not in PRESETS:
            known = ", ".join(PRESETS)
            raise FusionZooError(f"unknown SAM preset '{self.preset}': known are {known}")
        if self.checkpoint is None or not self.checkpoint.is_file():
            raise WeightsError(
                f"SAM's checkpoint is expected in a file, found {self.checkpoint}: "
                "--set sam_checkpoint=FILE, or --set masks=felzenszwalb, which needs nothing"
            )
        model_kind(read_state_dict(self.checkpoint), self.checkpoint)
        _package()
        prompts = PRESETS[self.preset].prompts
        log.warning(
            "SAM answers %d prompts a picture: about %.0f minutes each on one CPU thread, seconds "
            "on a GPU; finished pictures are kept, so it may be stopped",
            prompts,
            prompts * SECONDS_PER_PROMPT / 60,
        )

    @property
    def key(self) -> str:
        """Of checkpoint and preset."""
        assert self.checkpoint is not None
        return f"sam-{hash_of(image.digest(self.checkpoint), self.preset)}"

    def find(self, name: str, role: str, levels: image.Levels) -> Masks:
        """Masks of an RGB or grey picture.

        Raises:
            FusionZooError: SAM found nothing, or memory ran out.
        """
        picture = levels if levels.ndim == 3 else np.repeat(levels[..., None], 3, -1)
        try:
            found = self._generator.generate(picture)
        except torch.OutOfMemoryError:
            raise FusionZooError(
                f"out of memory while SAM looked at {name} ({role}): use another device, or "
                "--set sam_preset=quick; the masks found before are kept"
            ) from None
        if not found:
            raise FusionZooError(f"SAM found no mask in {name} ({role})")
        return np.stack([entry["segmentation"] for entry in found]).astype(bool)

    @cached_property
    def _generator(self) -> Any:
        package, preset = _package(), PRESETS[self.preset]
        assert self.checkpoint is not None
        tensors = read_state_dict(self.checkpoint)
        model = package.sam_model_registry[model_kind(tensors, self.checkpoint)]()
        try:
            model.load_state_dict(dict(tensors), strict=True)
        except RuntimeError as error:
            reason = str(error).replace("\n", " ")[:200]
            raise WeightsError(
                f"{self.checkpoint} is not a whole SAM checkpoint: {reason}"
            ) from None
        model.to(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        return package.SamAutomaticMaskGenerator(
            model,
            points_per_side=preset.points_per_side,
            points_per_batch=preset.points_per_batch,
            pred_iou_thresh=0.86,
            stability_score_thresh=0.92,
            crop_n_layers=preset.crop_layers,
            crop_n_points_downscale_factor=2,
            min_mask_region_area=preset.smallest,
        )


def model_kind(tensors: Mapping[str, Any], path: Path) -> str:
    """Size of the model (vit_b, vit_l or vit_h), by the width of its image encoder.

    Raises:
        WeightsError: It is none of them.
    """
    embedding = tensors.get("image_encoder.pos_embed")
    width = embedding.shape[-1] if embedding is not None else None
    if width not in WIDTHS:
        found = f"its width is {width}" if width else "it has no image_encoder.pos_embed"
        raise WeightsError(f"{path} is no SAM ViT-B, L or H checkpoint: {found}")
    return WIDTHS[width]


def _package() -> Any:
    try:
        return importlib.import_module("segment_anything")
    except ImportError:
        raise FusionZooError(
            "masks by SAM need the package segment-anything: pip install 'fusionzoo[sam]', or "
            "--set masks=felzenszwalb"
        ) from None

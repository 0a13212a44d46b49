"""Where SAGE's masks come from: objects of one picture as binary planes, largest first.

A provider finds masks (N, H, W) in a picture; `Cache` keeps what it found, bit-packed, one file a
picture, so that a preparation that was stopped goes on where it was. Four masks of each picture of
a pair are used, and travel through training as the eight bits of one plane (`pack`, `unpack`).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusionzoo import colour, image, weights
from fusionzoo.core import DataError, FusionZooError, Sample, hash_of
from fusionzoo.methods.sage.teacher import MASKS

Masks = NDArray[np.bool_]
PROVIDERS = ("felzenszwalb", "precomputed", "sam")
KEPT = 20
"""Masks of a picture that the cache keeps, as the released code does."""


class MaskProvider(Protocol):
    """Finds masks in a picture."""

    @property
    def key(self) -> str:
        """Changes whenever the masks of an equal picture would."""

    def find(self, name: str, role: str, levels: image.Levels) -> Masks:
        """Masks (N, H, W) of an 8-bit picture (H, W) or (H, W, 3), in any order."""


@dataclass(frozen=True)
class Felzenszwalb:
    """Regions of even brightness by Felzenszwalb and Huttenlocher (IJCV 2004); needs no weights.

    Attributes:
        scale: Larger values give larger regions.
        sigma: Of the Gaussian before, in pixels of the shrunken picture.
        smallest: Pixels of the smallest region there.
        shrink: The picture is halved this many times in each direction first.
    """

    scale: float = 150
    sigma: float = 0.8
    smallest: int = 100
    shrink: int = 1

    @property
    def key(self) -> str:
        """Of the parameters."""
        return f"felzenszwalb-{hash_of(self.scale, self.sigma, self.smallest, self.shrink)}"

    def find(self, name: str, role: str, levels: image.Levels) -> Masks:  # noqa: ARG002
        """The regions, at most `KEPT` of them."""
        from skimage.segmentation import felzenszwalb

        height, width = levels.shape[:2]
        size = (max(width >> self.shrink, 1), max(height >> self.shrink, 1))
        small = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
        regions = felzenszwalb(small, self.scale, self.sigma, self.smallest).astype(np.int32)
        counts = np.bincount(regions.ravel())
        largest = np.argsort(-counts, kind="stable")[:KEPT]
        whole = cv2.resize(
            regions.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST
        )
        return np.stack([whole == region for region in largest])


@dataclass(frozen=True)
class Precomputed:
    """A folder of masks: `<folder>/<role>/<name>/*.png`, not black where the object is.

    A picture `<folder>/<role>/<name>.png` of region numbers (0 for none) serves as well.
    """

    folder: Path

    @property
    def key(self) -> str:
        """Of the folder's place; its files are hashed with each picture's entry."""
        return f"precomputed-{hash_of(str(self.folder.resolve()))}"

    def find(self, name: str, role: str, levels: image.Levels) -> Masks:
        """Masks of a picture by its name.

        Raises:
            DataError: There are none, or they have another size.
        """
        place = self.folder / role / name
        regions = place.with_name(f"{name}.png")
        if place.is_dir():
            planes = [_flat(image.read(path)) > 0 for path in sorted(place.glob("*.png"))]
        elif regions.is_file():
            numbers = _flat(image.read(regions))
            planes = [numbers == number for number in np.unique(numbers) if number]
        else:
            raise DataError(f"no masks of {name} ({role}): expected {place}/*.png or {regions}")
        if not planes:
            raise DataError(f"{place} holds no mask: put PNG files there, or leave it out")
        wrong = [plane.shape for plane in planes if plane.shape != levels.shape[:2]]
        if wrong:
            raise DataError(
                f"{place}: a mask is {wrong[0][1]}x{wrong[0][0]}, the picture "
                f"{levels.shape[1]}x{levels.shape[0]}"
            )
        return np.stack(planes)


def _flat(levels: NDArray[Any]) -> NDArray[Any]:
    return levels.max(-1) if levels.ndim == 3 else levels


@dataclass(frozen=True)
class Cache:
    """Masks of a provider, kept on disk.

    Attributes:
        provider: Finds what is not there yet.
        folder: Where files go; None for the user's cache.
        kept: Masks a picture, largest first.
    """

    provider: MaskProvider
    folder: Path | None = None
    kept: int = KEPT

    @property
    def root(self) -> Path:
        """Where this provider's files are."""
        return (self.folder or weights.home() / "masks") / self.provider.key

    def path(self, name: str, role: str, levels: image.Levels) -> Path:
        """The file of a picture; it depends on its pixels and on the provider."""
        content = hash_of(levels.shape, hashlib.sha256(levels.tobytes()).hexdigest())
        return self.root / role / f"{name}-{content}.npz"

    def masks(self, name: str, role: str, levels: image.Levels) -> Masks:
        """Masks (N, H, W) of a picture, largest first."""
        path = self.path(name, role, levels)
        if path.exists():
            return self._read(path)
        found = self.provider.find(name, role, levels)
        order = np.argsort(-found.reshape(len(found), -1).sum(1), kind="stable")[: self.kept]
        buffer = io.BytesIO()
        np.savez(buffer, bits=np.packbits(found[order], axis=-1), width=np.array(levels.shape[1]))
        image.write_bytes(path, buffer.getvalue())
        return found[order]

    def _read(self, path: Path) -> Masks:
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
                bits, width = stored["bits"], int(stored["width"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} is damaged ({type(error).__name__}): remove it") from None
        return np.unpackbits(bits, axis=-1, count=width).astype(bool)[: self.kept]


def of_sample(cache: Cache, sample: Sample) -> tuple[Masks, Masks]:
    """Masks of both pictures of a pair: found in the colours, and in the infrared levels."""
    infrared = colour.grey_plane(sample.images["infrared"][None], "opencv_uint8")[0]
    levels = image.to_levels(sample.images["visible"])
    return (
        cache.masks(sample.name, "visible", levels),
        cache.masks(sample.name, "infrared", image.to_levels(infrared)),
    )


def pack(visible: Masks, infrared: Masks) -> Tensor:
    """The largest four masks of each picture as bits of one plane (1, H, W) uint8.

    Bits 0 to 3 are visible masks, 4 to 7 infrared ones; missing masks are the whole plane.
    """
    plane = np.zeros(visible.shape[1:], np.uint8)
    for first, masks in ((0, visible), (MASKS, infrared)):
        for index in range(MASKS):
            bit = np.uint8(1 << (first + index))
            plane |= np.where(masks[index], bit, np.uint8(0)) if index < len(masks) else bit
    return torch.from_numpy(plane)[None]


def unpack(bits: Tensor) -> tuple[Tensor, Tensor]:
    """Visible and infrared masks (B, 4, H, W) float32 of planes (B, 1, H, W) uint8."""
    shifts = torch.arange(2 * MASKS, device=bits.device, dtype=torch.uint8).view(1, -1, 1, 1)
    planes = ((bits >> shifts) & 1).float()
    return planes[:, :MASKS], planes[:, MASKS:]


def provider(name: str, masks: Path | None, checkpoint: Path | None, preset: str) -> MaskProvider:
    """A provider by name.

    Args:
        name: One of `PROVIDERS`.
        masks: Folder of precomputed masks.
        checkpoint: SAM's weights.
        preset: Of SAM's mask generator (see `sam.PRESETS`).

    Raises:
        FusionZooError: What the provider needs is missing.
    """
    if name == "felzenszwalb":
        return Felzenszwalb()
    if name == "precomputed":
        if masks is None or not masks.is_dir():
            raise FusionZooError(
                f"precomputed masks are expected in a folder, found {masks}: "
                "--set mask_folder=FOLDER, or --set masks=felzenszwalb, which needs nothing"
            )
        return Precomputed(masks)
    from fusionzoo.methods.sage import sam

    return sam.Sam(checkpoint, preset)

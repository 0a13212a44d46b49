"""Every pixel convention, once: files, 8-bit levels, grey, and luminance with chroma.

Files are opened by content, never by extension. Levels are uint8 arrays (H, W) or (H, W, 3) in RGB
order; planes are float32 tensors (C, H, W) in [0, 1]. The only rounding is round-half-up to 8 bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fusionzoo.core import ImageError, OutputError

if TYPE_CHECKING:
    from torch import Tensor

Levels = NDArray[np.uint8]
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
_EIGHT_BIT = {"1": "L", "L": "L", "LA": "L", "La": "L", "P": "RGB", "PA": "RGB", "RGB": "RGB",
              "RGBA": "RGB", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}  # fmt: skip


def is_picture(path: Path) -> bool:
    """True for files a dataset folder counts: a picture's suffix, not hidden, not a thumbnail."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def size(path: Path) -> tuple[int, int]:
    """(height, width) from the file's header, without decoding.

    Raises:
        ImageError: The file is missing, empty or not a picture.
    """
    with _opened(path, path) as picture:
        return picture.height, picture.width


def read(path: Path, part: Literal["colour", "alpha", "indices"] = "colour") -> NDArray[Any]:
    """Decode a picture: PNG, JPEG, BMP or TIFF, 8 or 16 bit, grey, RGB or RGBA.

    Args:
        path: File; its extension is ignored.
        part: "colour" drops an alpha channel, "alpha" returns only it (MFNet keeps thermal there),
            "indices" takes a palette's indices instead of its colours.

    Returns:
        (H, W) or (H, W, 3) RGB, uint8 or uint16.

    Raises:
        ImageError: The file is missing, empty, truncated, not a picture, of floats, or has no
            alpha channel when that was asked for.
    """
    data = _bytes(path)
    with _opened(io.BytesIO(data), path) as picture:
        mode = picture.mode
        try:
            picture.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise ImageError(
                f"{path} is damaged or truncated ({error}): get the file again"
            ) from None
        if part == "alpha":
            if "A" not in picture.getbands():
                raise ImageError(f"{path} has no alpha channel: expected thermal data in RGBA")
            return np.asarray(picture.getchannel("A"))
        if part == "indices" and mode == "P":
            return np.asarray(picture)
        if mode in _EIGHT_BIT and not _sixteen_bit(picture, data):
            return np.asarray(picture.convert(_EIGHT_BIT[mode]))
    return _read_deep(data, path)


def _sixteen_bit(picture: Image.Image, data: bytes) -> bool:
    """Pillow shows 16-bit colour as 8 bit; the header tells."""
    if picture.format == "TIFF":
        bits = picture.tag_v2.get(258, (8,))  # type: ignore[attr-defined]
        return bool(max(bits if isinstance(bits, tuple) else (bits,)) > 8)
    return bool(picture.format == "PNG" and data[24] == 16)


def _read_deep(data: bytes, path: Path) -> NDArray[Any]:
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype not in (np.uint8, np.uint16):
        found = "nothing decodable" if array is None else str(array.dtype)
        raise ImageError(f"{path} holds {found}: expected 8 or 16 bit per channel")
    return np.ascontiguousarray(array[..., 2::-1]) if array.ndim == 3 else array


def _bytes(path: Path) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror or error}") from None
    if not data:
        raise ImageError(f"{path} is empty (0 bytes): get the file again")
    return data


def _opened(source: Path | io.BytesIO, path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(source)
    except UnidentifiedImageError:
        raise ImageError(
            f"{path} is not a picture: expected PNG, JPEG, BMP or TIFF content"
        ) from None
    except (OSError, Image.DecompressionBombError) as error:
        raise ImageError(f"cannot read {path}: {error}") from None


def digest(path: Path) -> str:
    """sha256 of a file's bytes, in hex.

    Raises:
        ImageError: The file cannot be read.
    """
    return hashlib.sha256(_bytes(path)).hexdigest()


def write(path: Path, levels: NDArray[Any]) -> None:
    """Encode to the format of the suffix, first to a temporary name that is then renamed.

    Args:
        path: Destination; its folder is made if needed.
        levels: (H, W) or (H, W, 3) RGB, uint8 or uint16.

    Raises:
        OutputError: The folder cannot be written to or the disk is full.
    """
    write_bytes(path, encode(levels, path.suffix))


def encode(levels: NDArray[Any], suffix: str) -> bytes:
    """Bytes of a picture file.

    Args:
        levels: (H, W) or (H, W, 3) RGB, uint8 or uint16.
        suffix: Format, as in ".png".

    Raises:
        OutputError: OpenCV has no writer for that format.
    """
    ordered = levels[..., ::-1] if levels.ndim == 3 else levels
    done, data = cv2.imencode(suffix, np.ascontiguousarray(ordered))
    if not done:
        raise OutputError(f"cannot encode a picture: OpenCV has no writer for '{suffix}'")
    return data.tobytes()


def write_bytes(path: Path, data: bytes) -> None:
    """Put `data` at `path` whole or not at all.

    Raises:
        OutputError: The folder cannot be written to or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # a read-only place cannot even be tidied
            temporary.unlink(missing_ok=True)
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def to_plane(array: NDArray[Any]) -> Tensor:
    """(H, W) or (H, W, C) uint8 or uint16 -> (C, H, W) float32 in [0, 1]."""
    import torch

    peak = float(np.iinfo(array.dtype).max)
    channels_first = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels_first, np.float32) / np.float32(peak))


def to_levels(plane: Tensor) -> Levels:
    """(C, H, W) float in [0, 1], C 1 or 3 -> uint8 (H, W) or (H, W, 3): clamp, round half up."""
    scaled = plane.detach().float().cpu().mul(255).add_(0.5).clamp_(0, 255).byte().numpy()
    return scaled[0] if scaled.shape[0] == 1 else np.ascontiguousarray(scaled.transpose(1, 2, 0))


def grey(levels: Levels) -> Levels:
    """8-bit luma (19595 R + 38470 G + 7471 B + 32768) >> 16 (Pillow's L); grey stays as it is."""
    if levels.ndim == 2:
        return levels
    return np.asarray(Image.fromarray(levels).convert("L"))


def eight_bit(array: NDArray[Any]) -> Levels:
    """uint16 -> uint8 by rounding; uint8 as it is."""
    if array.dtype == np.uint8:
        return array
    return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)

"""Weights: find, verify by sha256, convert, cache as safetensors, load strictly.

A file is looked for in the package (weights we trained), in the cache, and in the folder that the
environment variable FUSIONZOO_WEIGHTS names; nothing is ever initialised at random instead.
"""

from __future__ import annotations

import difflib
import os
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusionzoo import image
from fusionzoo.core import Method, Weights, WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

    Converters = Sequence[Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]]

SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".bin", ".safetensors"})


@dataclass(frozen=True)
class LoadedWeights:
    """Which parameters a network runs with.

    Attributes:
        tag: Name in `Method.weights`, or the file's stem for weights of one's own.
        sha256: Hash of the file that was read.
        license: Terms of these parameters; "unknown" for one's own file.
        trained_on: Datasets they have seen, as far as known.
        path: The file.
    """

    tag: str
    sha256: str
    license: str
    trained_on: tuple[str, ...]
    path: Path


def home() -> Path:
    """Folder of caches: FUSIONZOO_HOME, else the user's cache folder."""
    if configured := os.environ.get("FUSIONZOO_HOME"):
        return Path(configured).expanduser()
    import pooch  # late: a third of a second that only this path needs

    return Path(pooch.os_cache("fusionzoo"))


def _shipped(spec: Weights) -> Path | None:
    return Path(str(files("fusionzoo") / spec.file)) if spec.file else None


def _in_folder(folder: Path, spec: Weights) -> Path | None:
    candidates = (path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES)
    for path in candidates:
        if spec.size in (None, path.stat().st_size) and image.digest(path) == spec.sha256:
            return path
    return None


def locate(spec: Weights) -> Path | None:
    """The file of `spec` on this machine, or None."""
    shipped = _shipped(spec)
    if shipped is not None:
        return shipped if shipped.exists() else None
    if spec.sha256 is None:
        return None  # a file that nobody has published the hash of is given with --weights
    folders = [home() / "weights"]
    if configured := os.environ.get("FUSIONZOO_WEIGHTS"):
        folders.append(Path(configured).expanduser())
    for folder in folders:
        if folder.is_dir() and (found := _in_folder(folder, spec)):
            return found
    return None


def at_hand(method: Method, tag: str | None = None) -> bool:
    """True if the method can run now: it needs no weights, or those of `tag` are here."""
    if not method.weights:
        return True
    spec = method.weights.get(tag or method.default_tag)
    return spec is not None and locate(spec) is not None


def default_tag(method: Method) -> str:
    """The first tag whose file is at hand, else the first one."""
    present = (tag for tag in method.weights if at_hand(method, tag))
    return next(present, method.default_tag)


def missing(name: str, tag: str, spec: Weights) -> WeightsError:
    """The one line that says what is missing, where it comes from, and what to type."""
    size = f", {spec.size / 1e6:.1f} MB" if spec.size else ""
    return WeightsError(
        f"{name} needs the weights '{tag}' (licence {spec.license}{size}), which are not on this "
        f"machine: get them from {spec.source}, then pass --weights FILE, write {name}@FILE, or "
        "put the file into a folder named by FUSIONZOO_WEIGHTS"
    )


def load(
    name: str, method: Method, network: nn.Module, choice: str | Path | None = None
) -> LoadedWeights:
    """Put parameters into `network`, strictly.

    Args:
        name: Catalogue name, for messages.
        method: Its entry.
        network: Module to fill.
        choice: A tag, a file, "hf://owner/repository/file", or None for the default.

    Raises:
        WeightsError: Unknown tag, missing or altered file, or keys or shapes that do not fit.
    """
    tag = str(choice) if choice is not None else default_tag(method)
    converters = [spec.convert for spec in method.weights.values() if spec.convert]
    if tag in method.weights:
        spec = method.weights[tag]
        path = locate(spec)
        if path is None:
            raise missing(name, tag, spec)
        return _fill(name, network, path, tag, spec, converters)
    path = _as_file(name, method, tag)
    sha256 = image.digest(path)
    for known, spec in method.weights.items():
        if spec.sha256 == sha256:
            return _fill(name, network, path, known, spec, converters)
    return _fill(name, network, path, path.stem, None, converters)


def _as_file(name: str, method: Method, text: str) -> Path:
    if text.startswith("hf://"):
        return from_hub(text)
    path = Path(text).expanduser()
    if path.is_file():
        return path
    near = difflib.get_close_matches(text, method.weights, n=1, cutoff=0.5)
    known = ", ".join(method.weights) or "no weights at all"
    hint = f"did you mean '{near[0]}'?" if near else f"{name} has {known}"
    raise WeightsError(f"'{text}' is neither a file nor a weights tag of {name}: {hint}")


def from_hub(text: str) -> Path:
    """Download "hf://owner/repository/file", or find it in the hub's cache.

    Raises:
        WeightsError: An incomplete address, or it cannot be had.
    """
    parts = text.removeprefix("hf://").split("/")
    if len(parts) < 3:
        raise WeightsError(f"'{text}' is incomplete: expected hf://owner/repository/file")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download("/".join(parts[:2]), "/".join(parts[2:])))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"cannot download {text}: {reason}") from None


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors by key from safetensors or a torch file; nothing else is ever unpickled.

    Raises:
        WeightsError: Empty, truncated, not a checkpoint, or holding more than tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{path} is not a whole safetensors file: {error}") from None
    try:
        with warnings.catch_warnings():  # torch warns of foreign pickles, then refuses them
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path} holds more than tensors (a pickle that could run code) or is damaged: refused"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsError(f"{path} is damaged or not a checkpoint: {reason}") from None
    tensors = _tensors(content)
    if not tensors:
        raise WeightsError(f"{path} holds no tensors: expected a state dict")
    return tensors


def _tensors(content: Any) -> dict[str, Tensor]:
    import torch

    if not isinstance(content, Mapping):
        return {}
    for wrapper in ("state_dict", "model"):
        if isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    return {str(key): value for key, value in content.items() if torch.is_tensor(value)}


def _fill(
    name: str,
    network: nn.Module,
    path: Path,
    tag: str,
    spec: Weights | None,
    converters: Converters,
) -> LoadedWeights:
    sha256 = image.digest(path)
    if spec is not None and spec.sha256 not in (None, sha256):
        raise WeightsError(
            f"{path} is not the published file '{tag}' of {name}: expected sha256 "
            f"{spec.sha256}, found {sha256}"
        )
    tensors = _matching(network, read_state_dict(path), converters)
    _check(name, path, tensors, network.state_dict())
    network.load_state_dict(dict(tensors), strict=True)
    if spec is None:
        return LoadedWeights(tag, sha256, "unknown", (), path)
    return LoadedWeights(tag, sha256, spec.license, spec.trained_on, path)


def fill(network: nn.Module, path: Path) -> None:
    """Put the parameters of a file into a network, strictly; where training starts from them.

    Raises:
        WeightsError: Missing or damaged, or keys or shapes that do not fit.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is not a file: expected parameters to start from")
    tensors = read_state_dict(path)
    _check(type(network).__name__, path, tensors, network.state_dict())
    network.load_state_dict(dict(tensors), strict=True)


def _matching(
    network: nn.Module, tensors: Mapping[str, Tensor], converters: Converters
) -> Mapping[str, Tensor]:
    """Tensors under the network's keys, if they have them or a converter can give them.

    A network with a method `adapt` is first asked to take the size they were made for.
    """
    adapt: Any = getattr(network, "adapt", lambda _: None)
    for convert in (None, *converters):
        try:
            candidate = convert(tensors) if convert else tensors
            adapt(candidate)
        except KeyError:
            continue
        if set(candidate) == set(network.state_dict()):
            return candidate
    return tensors


def _check(
    name: str, path: Path, tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    lacking = sorted(set(expected) - set(tensors))
    surplus = sorted(set(tensors) - set(expected))
    wrong = [k for k in expected if k in tensors and tensors[k].shape != expected[k].shape]
    parts = []
    if lacking:
        parts.append(f"{len(lacking)} keys missing ({lacking[0]}, ...)")
    if surplus:
        parts.append(f"{len(surplus)} unknown keys ({surplus[0]}, ...)")
    if wrong:
        shapes = f"{tuple(tensors[wrong[0]].shape)} for {tuple(expected[wrong[0]].shape)}"
        parts.append(f"{len(wrong)} shapes differ ({wrong[0]}: {shapes})")
    if parts:
        raise WeightsError(f"{path} was not made for {name}: {'; '.join(parts)}")

"""The folder is the registry: names without importing anything, one entry at a time.

An entry is a module or package inside a catalogue package (`fusionzoo.methods`, ...) with an
attribute `ENTRY`; modules whose name starts with an underscore are helpers. Other distributions
add entries through entry points of a group with the package's name.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import logging
import pkgutil
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from fusionzoo import core
from fusionzoo.core import PluginError, UnknownNameError

_log = logging.getLogger(__name__)

ENTRY_TYPES = {
    "fusionzoo.methods": core.Method,
    "fusionzoo.metrics": core.Metric,
    "fusionzoo.datasets": core.Dataset,
    "fusionzoo.benchmarks": core.Benchmark,
}


@cache
def _folder(package: str) -> tuple[str, ...]:
    path = importlib.import_module(package).__path__
    return tuple(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def _plugins(package: str) -> tuple[EntryPoint, ...]:
    return _plugins_along(package, tuple(sys.path))


@cache
def _plugins_along(package: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001
    # Reading the metadata of every distribution takes milliseconds; a new path is read anew.
    return tuple(sorted(entry_points(group=package), key=lambda point: point.name))


def names(package: str) -> list[str]:
    """Sorted names of a catalogue's entries, built in or from other distributions."""
    return sorted({*_folder(package), *(point.name for point in _plugins(package))})


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _single_claimant(package: str, name: str) -> EntryPoint | None:
    points = [point for point in _plugins(package) if point.name == name]
    claimants = sorted({_owner(point) for point in points})
    if name in _folder(package):
        claimants = ["fusionzoo", *claimants]
    if len(claimants) > 1:
        raise PluginError(
            f"{package.rpartition('.')[2][:-1]} '{name}' is claimed by "
            f"{' and '.join(claimants)}: uninstall one of them"
        )
    return points[0] if points else None


def spelling(package: str, name: str) -> str | None:
    """The catalogue's own spelling of a name; hyphens and capitals do not matter. None: unknown."""
    known = names(package)
    if name in known:
        return name
    wanted = _plain(name)
    return next((one for one in known if _plain(one) == wanted), None)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def spelled(package: str, name: str) -> str:
    """`spelling`, or an error that lists near names.

    Raises:
        UnknownNameError: No entry has that name.
    """
    found = spelling(package, name)
    if found is None:
        known = names(package)
        near = difflib.get_close_matches(_plain(name), known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
        raise UnknownNameError(f"unknown {package.rpartition('.')[2][:-1]} '{name}': {hint}")
    return found


def built_in(package: str, name: str) -> bool:
    """Whether an entry is part of this distribution."""
    return name in _folder(package)


def usable(package: str) -> dict[str, Any]:
    """Every entry by name, built-in ones first; a broken plug-in is left out, and logged."""
    found = {}
    for name in sorted(names(package), key=lambda name: (not built_in(package, name), name)):
        try:
            found[name] = find(package, name)
        except PluginError as error:
            warn_once(f"left out: {error}")
    return found


@cache
def warn_once(message: str) -> None:
    """Log a warning, once in a process."""
    _log.warning(message)


def find(package: str, name: str) -> Any:
    """The entry called `name`; hyphens and capitals do not matter.

    Raises:
        UnknownNameError: No entry has that name; the message lists near ones.
        PluginError: Two distributions claim the name, or the one that has it is broken.
    """
    kind, wanted = package.rpartition(".")[2][:-1], spelled(package, name)
    point = _single_claimant(package, wanted)
    if point is None:
        return importlib.import_module(f"{package}.{wanted}").ENTRY
    return _load_plugin(point, kind, ENTRY_TYPES[package])


def _load_plugin(point: EntryPoint, kind: str, expected: type) -> Any:
    try:
        loaded = point.load()
        entry = getattr(loaded, "ENTRY", loaded)
    except Exception as error:  # whatever another distribution raises, the user must learn whose
        raise PluginError(
            f"{kind} '{point.name}' of distribution '{_owner(point)}' cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(entry, expected):
        raise PluginError(
            f"{kind} '{point.name}' of distribution '{_owner(point)}' is a "
            f"{type(entry).__name__}; expected a module with ENTRY = {expected.__name__}(...)"
        )
    return entry


def documentation(package: str, name: str) -> str:
    """A built-in entry's docstring, read from its source without importing it."""
    folder = Path(next(iter(importlib.import_module(package).__path__)))
    source = folder / f"{name}.py"
    if not source.exists():
        source = folder / name / "__init__.py"
    return ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""


def summary(package: str, name: str) -> str:
    """First line of an entry's docstring, or whose it is; nothing is imported."""
    if name in _folder(package):
        return documentation(package, name).partition("\n")[0]
    owners = [_owner(point) for point in _plugins(package) if point.name == name]
    return f"from distribution {', '.join(owners)}"


def resolve(reference: str) -> Any:
    """Import "module:attribute"."""
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)

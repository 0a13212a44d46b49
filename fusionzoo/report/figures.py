"""Figures and tables of a results folder as files for papers, with captions.

Every caption names the metric convention, the splits and how many pictures were measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fusionzoo import analysis, compare, image, metrics, robustness, store, tables
from fusionzoo.core import FusionZooError
from fusionzoo.report import cost, drawing
from fusionzoo.report.comparison import comparison
from fusionzoo.report.cost import Axis, Costs
from fusionzoo.report.model import TASKS, Place, places
from fusionzoo.robustness import Robustness
from fusionzoo.store import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARROWS = {True: "↑", False: "↓"}


@dataclass(frozen=True)
class Captioned:
    """A figure, the stem of its files, and what stands below it."""

    stem: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Group:
    """The undisturbed datasets of one task, measured by one convention."""

    task: str
    convention: str
    places: tuple[Place, ...]

    @property
    def cells(self) -> list[Result]:
        """All results of the group."""
        return [cell for place in self.places for cell in place.cells]

    @property
    def stem(self) -> str:
        """Beginning of its file names."""
        return self.task if self.convention == "standard" else f"{self.task}+{self.convention}"

    @property
    def where(self) -> str:
        """Splits with their numbers of pictures, as captions name them."""
        parts = []
        for place in self.places:
            names = {record.image for cell in place.cells for record in cell.records}
            parts.append(f"{place.dataset}:{place.split} (n = {len(names)})")
        return ", ".join(parts)


def write_figures(folder: Path, out: Path, wanted: str = "core") -> tuple[list[Path], list[str]]:
    """Write PDF and PNG figures, LaTeX and Markdown tables, and their captions.

    Args:
        folder: Results folder.
        out: Folder for the files.
        wanted: Metrics, as `metrics.select` takes them.

    Returns:
        The files, and one line per result file that could not be read.

    Raises:
        FusionZooError: No results, an unknown metric, or a place that cannot be written to.
    """
    from matplotlib import rc_context

    found, problems = store.find(folder)
    prices, faults = cost.read(folder)
    written: list[Path] = []
    captions: list[Captioned] = []
    for group in groups(found):
        symbols = [m.symbol for m in metrics.select(wanted, group.convention)]
        symbols += [s for s in ("PSNR-T", "SSIM-T") if group.task == "restore"]
        with rc_context(drawing.SETTINGS):  # type: ignore[arg-type]
            for one in drawn(group, symbols, prices):
                captions.append(one)
                written += _both(one, out)
        written += _tables(group, symbols, out)
    curves, more = robustness.read_all(folder)
    with rc_context(drawing.SETTINGS):  # type: ignore[arg-type]
        for one in damaged(curves):
            captions.append(one)
            written += _both(one, out)
    for name, text in (("figures.md", _markdown(captions)), ("figures.tex", _latex(captions))):
        image.write_bytes(out / name, text.encode())
        written.append(out / name)
    return written, [*problems, *faults, *more]


def _both(one: Captioned, out: Path) -> list[Path]:
    paths = [out / f"{one.stem}.{kind}" for kind in ("pdf", "png")]
    for path in paths:
        image.write_bytes(path, drawing.encoded(one.figure, path.suffix[1:]))
    return paths


def groups(found: Sequence[Result]) -> list[Group]:
    """Results by task and convention, sorted; damaged sources and second image lists left out.

    Raises:
        FusionZooError: A split was measured on two image lists.
    """
    members: dict[tuple[str, str], list[Place]] = {}
    for place in places(found):
        if not place.condition:
            members.setdefault((place.task, place.convention), []).append(place)
    for group in members.values():
        analysis.check_comparable([cell for place in group for cell in place.cells])
    order = list(TASKS)
    keys = sorted(members, key=lambda key: (order.index(key[0]), key[1]))
    return [Group(*key, tuple(members[key])) for key in keys]


def drawn(group: Group, symbols: Sequence[str], prices: Costs) -> Iterator[Captioned]:
    """Every figure of a group that its results allow."""
    directions = analysis.directions_of(group.cells)
    for symbol in (s for s in symbols if s in directions):
        higher = directions[symbol]
        name = f"{symbol} {ARROWS[higher]}"
        stem = f"{group.stem}-{_plain(symbol)}"
        measured = [cell for cell in group.cells if cell.scores.get(symbol) is not None]
        if test := analysis.compare(measured, symbol, higher):
            figure = drawing.critical_difference(test)
            yield Captioned(f"{stem}-differences", figure, _of_test(group, name, test))
        for axis in prices.axes():
            points = points_of(group, symbol, axis, prices)
            if len(points) >= 2:
                label = f"{axis.title} ({axis.unit})" if axis.unit else axis.title
                figure = drawing.tradeoff(points, higher, label, name)
                caption = _of_tradeoff(group, name, axis, points, higher)
                yield Captioned(f"{stem}-{axis.key}", figure, caption)


def damaged(found: Sequence[Robustness]) -> Iterator[Captioned]:
    """One figure per dataset, convention and metric of the curves of all methods."""
    groups: dict[tuple[str, ...], list[tuple[str, robustness.Curve]]] = {}
    for one in found:
        for curve in (c for c in one.curves if c.scores):
            key = (curve.dataset, curve.split, one.convention, curve.metric)
            groups.setdefault(key, []).append((one.label, curve))
    for (dataset, split, convention, symbol), members in sorted(groups.items()):
        name = f"{symbol} {ARROWS[members[0][1].higher_is_better]}"
        lines = [drawing.Curve(m, c.corruption, c.severities, c.scores) for m, c in members]
        counts = sorted({curve.pictures for _, curve in members})
        text = (
            f"{name} of outputs from damaged sources, compared with the undamaged ones, by "
            f"severity (0: undamaged), on {dataset}:{split} (n = "
            f"{' to '.join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))}); "
            f"metric convention: {convention}."
        )
        stem = "-".join(_plain(part) for part in ("robustness", dataset, split, symbol))
        stem += "" if convention == "standard" else f"+{convention}"
        yield Captioned(stem, drawing.robustness(lines, name), text)


def points_of(group: Group, symbol: str, axis: Axis, prices: Costs) -> list[drawing.Point]:
    """Methods that have the metric and the cost on every dataset of the group: plain means."""
    points = []
    for label in sorted({cell.label for cell in group.cells}):
        cells = [cell for cell in group.cells if cell.label == label]
        values = [cell.scores.get(symbol) for cell in cells]
        spent = [prices.of(cell).get(axis.key, 0.0) for cell in cells]
        known = [value for value in values if value is not None]
        if len(known) < len(group.places) or min(spent) <= 0:
            continue
        bound = analysis.interval(cells[0], symbol) if len(cells) == 1 else None
        points.append(drawing.Point(label, float(np.mean(spent)), float(np.mean(known)), bound))
    return points


def _of_test(group: Group, name: str, test: analysis.Comparison) -> str:
    missing = sorted({cell.label for cell in group.cells} - set(test.methods))
    text = (
        f"Average ranks of {len(test.methods)} methods by {name} over {test.blocks} pictures of "
        f"{group.where}; metric convention: {group.convention}. 1 is best; methods joined by a "
        f"bar do not differ by Nemenyi's test at 5 % (critical difference {test.difference:.2f})."
    )
    if test.friedman:
        p = test.friedman.p_value
        shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
        text += f" Friedman's test: chi-square {test.friedman.chi_square:.1f}, {shown}."
    if missing:
        text += f" Not measured on all of these: {', '.join(missing)}."
    return text


def _of_tradeoff(
    group: Group, name: str, axis: Axis, points: Sequence[drawing.Point], higher: bool
) -> str:
    best = ", ".join(point.label for point in drawing.front(points, higher))
    text = (
        f"{name} against {axis.title.lower()} ({axis.note}): means over {group.where}; metric "
        f"convention: {group.convention}. Dashed: the Pareto front ({best})."
    )
    if any(point.bound for point in points):
        text += " Vertical lines: 95 % intervals over pictures."
    return text


def _tables(group: Group, symbols: Sequence[str], out: Path) -> list[Path]:
    present = {symbol for cell in group.cells for symbol in cell.scores}
    columns = [metric for s in symbols if s in present and (metric := analysis.metric_of(s))]
    if not columns:
        return []
    defaults = {cell.dataset: compare.default_split(cell.dataset, "") for cell in group.cells}
    table = comparison(group.cells, columns, defaults, intervals=True)
    paths = [out / f"{group.stem}-table{suffix}" for suffix in (".tex", ".md", ".csv")]
    for path in paths:
        table.write(path)
    return paths


def _markdown(captions: Sequence[Captioned]) -> str:
    parts = [f"![{one.stem}]({one.stem}.png)\n\n{tables.plain(one.caption)}\n" for one in captions]
    return "\n".join(["# Figures\n", *parts])


def _latex(captions: Sequence[Captioned]) -> str:
    return "\n".join(
        f"\\begin{{figure}}\n\\centering\n\\includegraphics{{{one.stem}.pdf}}\n"
        f"\\caption{{{tables.escape(one.caption)}}}\n\\label{{fig:{one.stem}}}\n\\end{{figure}}\n"
        for one in captions
    )


def _plain(symbol: str) -> str:
    """A symbol as a part of a file name."""
    text = re.sub(r"[^A-Za-z0-9]+", "-", symbol).strip("-").lower()
    if not text:
        raise FusionZooError(f"a metric is named '{symbol}': no file can be named after it")
    return text

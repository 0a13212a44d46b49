"""Figures for papers: critical differences, quality against cost, robustness curves.

Each function draws on an axes or returns a figure of matplotlib, which is imported when one is
drawn; nothing global is changed. Colours repeat after ten methods, markers after seven, so that
lines can be told apart in grey.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusionzoo.analysis import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (
    "#3b6fd4", "#d9772b", "#2f9264", "#b0479a", "#8a6d1d",
    "#0f8ea3", "#c8434f", "#6c5bd0", "#5f7a1f", "#7b7f86",
)  # fmt: skip
MARKERS = "os^DvPX"
INK, SOFT, LINE = "#1d1f21", "#62666b", "#d9d9d4"
SETTINGS = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "pdf.fonttype": 42,  # fonts as text, which journals ask for
    "savefig.dpi": 200,
}


@dataclass(frozen=True)
class Point:
    """A method in the plot of quality against cost; `bound` is the interval of its quality."""

    label: str
    cost: float
    quality: float
    bound: tuple[float, float] | None = None


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, sides in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def encoded(figure: Figure, kind: str) -> bytes:
    """The figure as "pdf" or "png"; the same figure gives the same bytes."""
    stream = io.BytesIO()
    metadata: dict[str, Any] = {"Software": None} if kind == "png" else {"CreationDate": None}
    figure.savefig(stream, format=kind, metadata=metadata, bbox_inches="tight")
    return stream.getvalue()


def look(labels: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Label to colour and marker, by alphabetical order."""
    return {
        label: (COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)])
        for i, label in enumerate(sorted(set(labels)))
    }


def critical_difference(test: Comparison) -> Figure:
    """Demsar's diagram (JMLR 7, 2006, figure 1): average ranks, the best at the left.

    Bars join methods that do not differ by Nemenyi's test; the line on top is as long as the
    critical difference.
    """
    methods = len(test.methods)
    half = -(-methods // 2)
    bars = len(test.cliques)
    figure = new_figure(6.4, 0.75 + 0.14 * bars + 0.23 * half)
    axes = figure.add_subplot()
    colours = look(test.methods)
    axes.set_axis_off()
    span = methods - 1
    axes.set_xlim(1 - 0.34 * span, methods + 0.34 * span)
    axes.set_ylim(-(0.6 * bars + half + 0.8), 2.4)
    axes.plot([1, methods], [0, 0], color=INK, linewidth=1, clip_on=False)
    for tick in range(1, methods + 1):
        axes.plot([tick, tick], [0, 0.25], color=INK, linewidth=1)
        axes.text(tick, 0.38, str(tick), ha="center", va="bottom", color=SOFT, fontsize=8)
    reach = 1 + min(test.difference, float(span))
    axes.plot([1, reach], [1.75, 1.75], color=INK, linewidth=1.2, marker="|", markersize=6)
    axes.text(1, 1.95, f"critical difference {test.difference:.2f}", fontsize=8, va="bottom")
    for row, (first, last) in enumerate(test.cliques):
        ends = [test.average_ranks[first] - 0.012 * span, test.average_ranks[last] + 0.012 * span]
        axes.plot(ends, [-0.45 - 0.6 * row] * 2, color=INK, linewidth=3.2, solid_capstyle="round")
    for position, (label, rank) in enumerate(zip(test.methods, test.average_ranks, strict=True)):
        left = position < half
        level = -(0.6 * bars + 0.6 + (position if left else methods - 1 - position))
        end = 1 - 0.03 * span if left else methods + 0.03 * span
        axes.plot([rank, rank, end], [0, level, level], color=colours[label][0], linewidth=1)
        text = f"{label}  {rank:.2f}" if left else f"{rank:.2f}  {label}"
        axes.annotate(text, (end, level), (-4 if left else 4, 0), textcoords="offset points",
                      ha="right" if left else "left", va="center", fontsize=8.5)  # fmt: skip
    return figure


def front(points: Sequence[Point], higher_is_better: bool) -> list[Point]:
    """The Pareto front, cheapest first: no other point is as cheap and better, or cheaper."""
    sign = -1 if higher_is_better else 1
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.cost, sign * p.quality)):
        if not kept or sign * point.quality < sign * kept[-1].quality:
            kept.append(point)
    return kept


def tradeoff(points: Sequence[Point], higher_is_better: bool, cost: str, quality: str) -> Figure:
    """Quality against cost on a logarithmic axis, with intervals and the Pareto front.

    Args:
        points: Methods; costs are positive.
        higher_is_better: Direction of the quality.
        cost: Label of the horizontal axis.
        quality: Label of the vertical axis.
    """
    figure = new_figure(5.6, 3.6)
    axes = figure.add_subplot()
    looks = look(point.label for point in points)
    best = front(points, higher_is_better)
    _logarithmic(axes)
    axes.step([p.cost for p in best], [p.quality for p in best], where="post", color=SOFT,
              linewidth=1, linestyle=(0, (4, 3)), zorder=1)  # fmt: skip
    for point in points:
        colour, marker = looks[point.label]
        if point.bound:
            axes.vlines(point.cost, *point.bound, color=colour, alpha=0.55, linewidth=1.2)
        size = 46 if point in best else 26
        axes.scatter(point.cost, point.quality, s=size, color=colour, marker=marker, zorder=3,
                     edgecolors="white", linewidths=0.5)  # fmt: skip
    axes.margins(x=0.12, y=0.08)
    axes.grid(color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel(cost)
    axes.set_ylabel(quality)
    _label_points(figure, axes, points)
    return figure


def _logarithmic(axes: Axes) -> None:
    """Costs span decades; the ticks have prefixes (10 m, 1, 20 G) instead of powers."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _label_points(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """Names right of their points, moved up or down by lines until none covers another."""
    from matplotlib.patheffects import withStroke

    figure.draw_without_rendering()
    taken: list[tuple[float, float, float]] = []
    scale = figure.dpi / 72
    for point in sorted(points, key=lambda p: p.quality):
        x, y = axes.transData.transform((point.cost, point.quality)) / scale
        width = 5.2 * len(point.label) + 8
        for shift in (0, 9, -9, 18, -18, 27, -27):
            clear = all(
                abs(y + shift - top) >= 9 or x > left + wide or left > x + width
                for left, top, wide in taken
            )
            if clear:
                break
        taken.append((x, y + shift, width))
        axes.annotate(point.label, (point.cost, point.quality), (7, shift), fontsize=8,
                      textcoords="offset points", va="center", zorder=4,
                      path_effects=[withStroke(linewidth=2.5, foreground="white")])  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Scores of one method at rising severities of one corruption."""

    label: str
    corruption: str
    severities: Sequence[int]
    scores: Sequence[float]


def robustness(curves: Sequence[Curve], quality: str) -> Figure:
    """One panel per corruption, one line per method; all panels share the vertical axis."""
    panels: dict[str, list[Curve]] = {}
    for curve in curves:
        panels.setdefault(curve.corruption, []).append(curve)
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(max(3.4, 1.75 * columns), 1.5 * rows + 0.7)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    looks = look(curve.label for curve in curves)
    handles: Mapping[str, Any] = {}
    for axes, (name, members) in zip(grid.flat, sorted(panels.items()), strict=False):
        for curve in sorted(members, key=lambda c: c.label):
            colour, marker = looks[curve.label]
            (line,) = axes.plot(curve.severities, curve.scores, color=colour, marker=marker,
                                markersize=3, linewidth=1.2, label=curve.label)  # fmt: skip
            handles = {curve.label: line, **handles}
        axes.set_title(name.replace("_", " "), fontsize=8.5)
        axes.grid(color=LINE, linewidth=0.5)
        axes.set_xticks(sorted({severity for curve in members for severity in curve.severities}))
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes in grid.flat[max(0, len(panels) - columns) : len(panels)]:
        axes.set_xlabel("severity")
    figure.supylabel(quality, fontsize=9)
    names = sorted(handles)
    figure.legend([handles[name] for name in names], names, loc="outside upper center",
                  ncols=min(columns, len(names)), fontsize=8, frameon=False)  # fmt: skip
    return figure

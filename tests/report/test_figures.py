"""Figures and tables for papers: what is drawn is what was computed, captions say what it is."""

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hostile import HOSTILE, METRICS, NAMES

from fusionzoo import analysis, report, robustness, tables
from fusionzoo.report import cost, drawing, figures
from fusionzoo.report.drawing import Point


def test_the_front_is_what_no_other_point_beats() -> None:
    points = [Point(name, cost, quality) for name, cost, quality in [
        ("cheap", 1, 5), ("equal", 1, 4), ("worse", 2, 5), ("better", 3, 6), ("dear", 9, 6),
        ("best", 10, 7)]]  # fmt: skip
    assert [p.label for p in drawing.front(points, True)] == ["cheap", "better", "best"]
    assert [p.label for p in drawing.front(points, False)] == ["equal"]


def test_the_diagram_shows_ranks_and_cliques_where_they_are(maker: ModuleType) -> None:
    cells = [maker.cell(f"m{i}", "one", NAMES, i, METRICS) for i in range(4)]
    test = analysis.compare(cells, "EN", True)
    assert test is not None
    (axes,) = drawing.critical_difference(test).axes
    starts = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 3]
    assert starts == list(test.average_ranks)
    bars = [tuple(line.get_xdata()) for line in axes.lines if line.get_linewidth() > 3]
    assert len(bars) == len(test.cliques) > 0
    for (low, high), (first, last) in zip(bars, test.cliques, strict=True):
        assert low < test.average_ranks[first] <= test.average_ranks[last] < high
    ruler = next(line for line in axes.lines if line.get_marker() == "|")
    assert ruler.get_xdata()[1] - 1 == pytest.approx(min(test.difference, 3))
    shown = " ".join(text.get_text() for text in axes.texts)
    for label, rank in zip(test.methods, test.average_ranks, strict=True):
        assert label in shown
        assert f"{rank:.2f}" in shown


def test_points_are_means_over_datasets_that_all_have(maker: ModuleType, tmp_path: Path) -> None:
    cells = [maker.cell(m, d, NAMES, i, METRICS) for i, (m, d) in enumerate(
        [("x", "one"), ("y", "one"), ("x", "two")])]  # fmt: skip
    prices, _ = cost.read(tmp_path)
    (group,) = figures.groups(cells)
    (axis,) = prices.axes()
    (point,) = figures.points_of(group, "EN", axis, prices)
    assert point.label == "x"
    assert point.quality == pytest.approx((cells[0].scores["EN"] + cells[2].scores["EN"]) / 2)
    assert point.cost == pytest.approx((cells[0].seconds + cells[2].seconds) / 2)


def test_damaged_sources_are_no_dataset(maker: ModuleType) -> None:
    clean = maker.cell("x", "one", NAMES, 1, METRICS)
    groups = figures.groups([clean, replace(clean, condition="noise-3")])
    assert [group.cells for group in groups] == [[clean]]


def test_files_and_captions(maker: ModuleType, tmp_path: Path) -> None:
    methods = ("first@zoo", "second", HOSTILE)
    cells = [maker.cell(m, "one", NAMES, i, METRICS) for i, m in enumerate(methods)]
    maker.write_results(tmp_path / "results", cells)
    written, problems = report.write_figures(tmp_path / "results", tmp_path / "out", "EN")
    assert problems == []
    assert sorted(path.name for path in written) == sorted([
        "vif-en-differences.pdf", "vif-en-differences.png", "vif-en-seconds.pdf",
        "vif-en-seconds.png", "vif-table.tex", "vif-table.md", "vif-table.csv", "figures.md",
        "figures.tex"])  # fmt: skip
    assert (tmp_path / "out/vif-en-differences.pdf").read_bytes().startswith(b"%PDF")
    for name in ("vif-table.tex", "vif-table.md", "figures.md", "figures.tex"):
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert "standard" in text
        assert "one:all (n = 7)" in text
        assert "95" in text
    again, _ = report.write_figures(tmp_path / "results", tmp_path / "again", "EN")
    for one, other in zip(written, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_robustness_has_a_panel_for_each_corruption() -> None:
    curves = [drawing.Curve(m, c, (0, 1, 2), (3.0, 2.0, 1.0)) for m in "ab" for c in ("x", "y_z")]
    panels = drawing.robustness(curves, "SSIM ↑").axes
    assert [axes.get_title() for axes in panels] == ["x", "y z"]
    assert all(len(axes.lines) == 2 for axes in panels)


def test_the_key_of_robustness_lies_within_the_figure() -> None:
    curves = [drawing.Curve(f"a_long_method@{i}", "x", (0, 1), (2.0, 1.0)) for i in range(6)]
    figure = drawing.robustness(curves, "SSIM ↑")
    figure.draw_without_rendering()
    (key,) = figure.legends
    box = key.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_captions_of_robustness_name_what_was_measured() -> None:
    made = [
        robustness.Robustness(name, "-", "standard", None, [], [
            robustness.Curve("tno", "all", corruption, "SSIM", True, (0, 1), (1.5, 1.2), 42, 0.1,
                             None, None) for corruption in ("noise", "blur")])
        for name in ("a", "b")
    ]  # fmt: skip
    (one,) = figures.damaged(made)
    assert one.stem == "robustness-tno-all-ssim"
    assert "tno:all (n = 42); metric convention: standard" in one.caption


def test_hostile_names_in_tables_are_text() -> None:
    name = r"a|b<script>\input{x}^~$1"
    table = tables.Table(("m",), (tables.Column("EN", True),), (tables.Row((name,), (1.0,)),))
    row = table.markdown().splitlines()[2]
    assert "<" not in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    latex = table.latex()
    assert r"a|b\textless{}script\textgreater{}\textbackslash{}input\{x\}" in latex
    assert r"\textasciicircum{}\textasciitilde{}\$1" in latex

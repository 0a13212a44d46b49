"""Tables for people and programs: CSV and JSON with every digit, Markdown and LaTeX with marks.

Best values are bold and second-best ones underlined, separately for each group of rows; a dash
stands where a metric does not apply. The caption names the convention.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from fusionzoo import image
from fusionzoo.core import OutputError

DASH = "–"
PARTIAL = "*"
"""Behind a mean that some pictures are missing from."""
Mark = Callable[[str], str]
FORMATS = (".csv", ".json", ".md", ".tex")
_LATEX_ESCAPES = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", DASH: "--", "±": r"$\pm$"}
    | {"‡": r"$\ddagger$", "§": r"\S{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "\n": " "}
)
_MARKDOWN_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": r"\|", "\n": " ", "\r": " "}
)


@dataclass(frozen=True)
class Column:
    """A numeric column; `higher_is_better` None means a plain number without arrow or marks."""

    name: str
    higher_is_better: bool | None = None
    digits: int = 0
    """Behind the point, of a plain number."""

    @property
    def arrow(self) -> str:
        """Direction in which the column improves."""
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]

    def shown(self, value: float | None) -> str:
        """A value of this column as people read it."""
        if self.higher_is_better is None and value is not None:
            return f"{value:.{self.digits}f}"
        return format_number(value)


@dataclass(frozen=True)
class Row:
    """Texts for the leading columns, then one number per column (None: does not apply)."""

    keys: tuple[str, ...]
    values: tuple[float | None, ...]
    group: str = ""
    partial: frozenset[int] = frozenset()
    """Positions of values that some pictures are missing from."""
    bounds: tuple[tuple[float, float] | None, ...] = ()
    """Confidence intervals of the first columns; empty if there are none."""

    def bound(self, position: int) -> tuple[float, float] | None:
        """Interval of one value."""
        return self.bounds[position] if position < len(self.bounds) else None


@dataclass(frozen=True)
class Table:
    """Rows under named columns.

    Attributes:
        keys: Headings of the text columns.
        columns: The numeric columns.
        rows: In the order they are printed.
        caption: What a reader must know: convention, splits, marks.
        convention: Metric convention; the last column of CSV, a key of JSON.
    """

    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""
    convention: str = ""

    def csv(self) -> str:
        """Comma-separated, full precision, empty where a metric does not apply."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        last = ["convention"] if self.convention else []
        widest = max((len(row.bounds) for row in self.rows), default=0)
        ends = [f"{c.name}_{end}" for c in self.columns[:widest] for end in ("low", "high")]
        names = (column.name for column in self.columns)
        writer.writerow([*self.keys, *names, *ends, *last])
        last = [self.convention] if self.convention else []
        for row in self.rows:
            limits = [v for i in range(widest) for v in row.bound(i) or (None, None)]
            texts = ("" if v is None else repr(v) for v in (*row.values, *limits))
            writer.writerow([*row.keys, *texts, *last])
        return stream.getvalue()

    def json(self) -> str:
        """One object per row; null where a metric does not apply."""
        names = [*self.keys, *(column.name for column in self.columns)]
        rows = [dict(zip(names, [*r.keys, *r.values], strict=True)) for r in self.rows]
        head = {"caption": self.caption, "convention": self.convention}
        return json.dumps({**head, "rows": rows}, indent=1, ensure_ascii=False)

    def markdown(self) -> str:
        """A pipe table with arrows, best bold, second underlined."""
        heads = [*self.keys, *(f"{c.name} {c.arrow}".strip() for c in self.columns)]
        cells = self._cells("**{}**".format, "<u>{}</u>".format, plain)
        body = tabulate(cells, heads, tablefmt="github", disable_numparse=True)
        return f"{body}\n\n{plain(self.caption)}\n" if self.caption else f"{body}\n"

    def latex(self) -> str:
        """A booktabs table, for documents that use that package."""
        arrows = {"↑": r" $\uparrow$", "↓": r" $\downarrow$", "": ""}
        heads = [escape(k) for k in self.keys]
        heads += [escape(c.name) + arrows[c.arrow] for c in self.columns]
        cells = self._cells("\\textbf{{{}}}".format, "\\underline{{{}}}".format, escape)
        align = "l" * len(self.keys) + "r" * len(self.columns)
        lines = ["\\begin{table}", "\\centering", f"\\begin{{tabular}}{{{align}}}", "\\toprule"]
        lines.append(" & ".join(heads) + r" \\")
        previous = None
        for row, texts in zip(self.rows, cells, strict=True):
            if row.group != previous:
                lines.append("\\midrule")
                previous = row.group
            lines.append(" & ".join(texts) + r" \\")
        lines += ["\\bottomrule", "\\end{tabular}"]
        if self.caption:
            lines.append(f"\\caption{{{escape(self.caption)}}}")
        return "\n".join([*lines, "\\end{table}", ""])

    def _cells(self, best: Mark, second: Mark, text: Mark) -> list[list[str]]:
        marks = self._ranks()
        rows = []
        for index, row in enumerate(self.rows):
            cells = [text(key) for key in row.keys]
            for position, value in enumerate(row.values):
                shown = self.columns[position].shown(value)
                if (limits := row.bound(position)) and value is not None:
                    shown += f" ± {format_number((limits[1] - limits[0]) / 2)}"
                shown += PARTIAL if position in row.partial and value is not None else ""
                rank = marks.get((index, position))
                shown = text(shown)
                cells.append(best(shown) if rank == 0 else second(shown) if rank == 1 else shown)
            rows.append(cells)
        return rows

    def _ranks(self) -> dict[tuple[int, int], int]:
        """(row, column) of the best (0) and second-best (1) distinct values of each group."""
        ranks: dict[tuple[int, int], int] = {}
        groups: dict[str, list[int]] = {}
        for index, row in enumerate(self.rows):
            groups.setdefault(row.group, []).append(index)
        for position, column in enumerate(self.columns):
            if column.higher_is_better is None:
                continue
            for members in groups.values():
                shown = {i: v for i in members if (v := self.rows[i].values[position]) is not None}
                order = sorted(set(shown.values()), reverse=column.higher_is_better)
                if len(order) > 1:
                    ranks |= {
                        (i, position): r for i, v in shown.items() if (r := order.index(v)) < 2
                    }
        return ranks

    def write(self, path: Path) -> None:
        """Write in the format of the suffix: .csv, .json, .md or .tex.

        Raises:
            OutputError: Another suffix, or a place that cannot be written to.
        """
        check_suffix(path)
        forms = dict(zip(FORMATS, (self.csv, self.json, self.markdown, self.latex), strict=True))
        image.write_bytes(path, forms[path.suffix.lower()]().encode())


def check_suffix(path: Path) -> None:
    """Refuse a table file whose format is not known, before any work is done."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot write a table to {path}: use one of {', '.join(FORMATS)}")


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return text.translate(_LATEX_ESCAPES)


def plain(text: str) -> str:
    """Text that Markdown shows as it is, without columns or elements of HTML in it."""
    return text.translate(_MARKDOWN_ESCAPES)


def format_number(value: float | None) -> str:
    """Four digits behind the point below 10, three above; a dash for None."""
    if value is None:
        return DASH
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.3f}"

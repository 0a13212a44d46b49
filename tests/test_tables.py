"""Tables: every digit for programs, marks and arrows for people, hostile names as text."""

import csv
import io
import json
from pathlib import Path

import pytest

from fusionzoo.core import OutputError
from fusionzoo.tables import Column, Row, Table, format_number

TABLE = Table(
    ("method", "dataset"),
    (Column("EN", True), Column("Nabf", False), Column("n")),
    (
        Row(("a_b", "tno"), (6.123456789012345, 0.5, 3.0), "tno"),
        Row(("c", "tno"), (7.5, None, 3.0), "tno"),
        Row(("d", "tno"), (7.0, 0.25, 3.0), "tno"),
        Row(("a_b", "fmb"), (12.25, 0.1, 5.0), "fmb"),
    ),
    "Convention: standard.",
)


def test_csv_has_every_digit_and_blanks() -> None:
    rows = list(csv.reader(io.StringIO(TABLE.csv())))
    assert rows[0] == ["method", "dataset", "EN", "Nabf", "n"]
    assert rows[1][2] == "6.123456789012345"
    assert rows[2][3] == ""


def test_json_has_nulls() -> None:
    plain = json.loads(TABLE.json())
    assert plain["rows"][1] == {"method": "c", "dataset": "tno", "EN": 7.5, "Nabf": None, "n": 3.0}
    assert plain["caption"] == "Convention: standard."


def test_markdown_marks_best_and_second_per_group() -> None:
    lines = [[c.strip() for c in line.split("|")] for line in TABLE.markdown().splitlines()]
    assert lines[0][3:6] == ["EN ↑", "Nabf ↓", "n"]
    assert lines[2][3:6] == ["6.1235", "<u>0.5000</u>", "3"]
    assert lines[3][3:6] == ["**7.5000**", "–", "3"]
    assert lines[4][3:6] == ["<u>7.0000</u>", "**0.2500**", "3"]
    assert lines[5][3] == "12.250"


def test_latex_is_escaped_and_ruled() -> None:
    latex = TABLE.latex()
    assert r"a\_b" in latex
    assert r"EN $\uparrow$" in latex
    assert r"\textbf{7.5000}" in latex
    assert latex.count(r"\midrule") == 2


def test_ties_share_their_mark() -> None:
    rows = tuple(Row((name,), (value,)) for name, value in [("a", 1.0), ("b", 1.0), ("c", 0.5)])
    text = Table(("m",), (Column("EN", True),), rows).markdown()
    assert text.count("**1.0000**") == 2
    assert text.count("<u>0.5000</u>") == 1


@pytest.mark.parametrize("suffix", [".csv", ".json", ".md", ".tex"])
def test_suffix_chooses_the_format(tmp_path: Path, suffix: str) -> None:
    TABLE.write(tmp_path / f"table{suffix}")
    assert (tmp_path / f"table{suffix}").stat().st_size > 50


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.csv, \.json, \.md, \.tex"):
        TABLE.write(tmp_path / "table.xlsx")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.12345, "0.1235"), (35.48142, "35.481"), (-1.0, "-1.0000")]
)
def test_digits(value: float | None, text: str) -> None:
    assert format_number(value) == text

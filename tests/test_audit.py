"""The audit recognises published tables, says why, and converts what can be converted."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from fusionzoo import audit_table
from fusionzoo.audit import audit
from fusionzoo.audit_rules import OFFSET
from fusionzoo.core import DataError, UnknownNameError
from tests.test_cli import error_line

GOLDEN = Path(__file__).parent / "golden" / "metrics"
CASES = json.loads((GOLDEN / "conventions.json").read_text())["cases"]
REAL = ("00000", "00001", "00002")


def tno() -> dict[str, list[float]]:
    """Means of nine methods over 42 TNO pictures, as published in 2022."""
    values = json.loads((GOLDEN / "tang_tno_published_2022.json").read_text())["values"]
    return {audit_table.symbol_of(k): [float(np.mean(v)) for v in values[k].values()]
            for k in values}  # fmt: skip


def vifb() -> dict[str, np.ndarray]:
    """Published values, (21 pictures, 25 methods), by symbol."""
    plain = json.loads((GOLDEN / "vifb_published.json").read_text())
    values = np.array([[plain["values"][i][m] for m in plain["methods"]] for i in plain["images"]])
    return {audit_table.symbol_of(k): values[..., j] for j, k in enumerate(plain["metrics"])}


def test_the_published_tno_table_is_recognised_and_converted() -> None:
    report = audit(tno())
    assert report.conventions == ("tang2022",)
    assert report.confidence == "likely"
    assert {"SD", "SF", "VIFp"} <= set(report.support)
    assert report.converted["SF"] == pytest.approx([255 * v for v in tno()["SF"]])
    assert report.converted["PSNR"] == pytest.approx([v - OFFSET for v in tno()["PSNR"]])
    assert "SD" not in report.converted


def test_the_published_vifb_table_is_recognised() -> None:
    for columns in (
        {symbol: list(values.mean(0)) for symbol, values in vifb().items()},
        {symbol: list(values.ravel()) for symbol, values in vifb().items()},
    ):
        report = audit(columns)
        assert (report.conventions, report.confidence) == (("vifb",), "likely")
        assert {"PSNR", "RMSE", "SSIM"} <= set(report.support)


@pytest.mark.parametrize("convention", CASES["00000"])
def test_every_convention_is_among_those_named_for_its_own_values(convention: str) -> None:
    columns = {}
    for name in CASES["00000"][convention]:
        cells = [CASES[case][convention].get(name, {}).get("value") for case in REAL]
        columns[audit_table.symbol_of(name)] = cells
    report = audit(columns)
    assert convention in report.conventions
    assert report.confidence == "likely"


@pytest.mark.parametrize(
    ("columns", "conclusion"),
    [
        ({"SD": [45.0]}, "No rule points to a convention."),
        ({"SD": [9.0]}, "Possible: tang2022, for SD alone speaks; two columns must agree."),
        ({"SD": [9.0], "SF": [0.05]}, "Likely: tang2022, on which SD, SF agree."),
        ({"PSNR": [62.0], "MSE": [0.0409]},
         "Likely one of tang, tang_py, tang2022, ivif_zoo, on which MSE, PSNR agree."),
        ({"PSNR": [62.0], "MSE": [0.0409], "SD": [40.0]},
         "Likely one of tang, tang_py, ivif_zoo, on which MSE, PSNR agree."),
        ({"PSNR": [62.0], "MS-SSIM": [0.93]}, "Likely: tang, on which MS-SSIM, PSNR agree."),
    ],
)  # fmt: skip
def test_confidence_is_what_the_rules_justify(columns: dict, conclusion: str) -> None:
    assert audit_table.conclusion(audit(columns)) == conclusion


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        ({"EN": [8.5]}, "not possible"),
        ({"SCD": [-2.5]}, "not possible"),
        ({"EN": [6.0, 7.0, 7.1], "MI": [6.0, 7.0, 7.1]}, "copied column"),
        ({"MS-SSIM": [0.0, 0.0]}, "a stub, not computed"),
        ({"EI": [40.0], "AG": [9.0]}, "does not fit AG"),
        ({"FMI_pixel": [0.886]}, "edge maps"),
        (
            {"Nabf": [0.004, 0.006, 0.009, 0.011, 0.02], "Qabf": [0.6, 0.55, 0.5, 0.52, 0.4]},
            "arguments exchanged",
        ),
    ],
)
def test_faults_are_named(columns: dict, verdict: str) -> None:
    assert verdict in {finding.verdict for finding in audit(columns).findings}


def test_a_true_table_is_left_alone() -> None:
    report = audit({"EN": [6.9], "SD": [35.4], "PSNR": [14.6], "SSIM": [1.446], "CE": [1.03]})
    assert report.conventions == ("standard",)
    assert not report.converted


def test_the_command_on_a_table(zoo, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "Method,Venue,EN ↑,SD (↑),SF,PSNR,MSE,Q^{AB/F}\n"
        "SeAFusion,IF 2022,7.0,**9.80**,0.0456,62.02,0.0409,0.48\n"
        "DenseFuse,TIP 2019,6.8,8.7,0.0251,62.62,0.03555,–\n"
    )
    code, out, _ = zoo("audit", table, "--out", "c.csv")
    assert code == 0
    assert "Likely: tang2022" in out
    assert "saturated squares cannot exceed 15.97" in out
    rows = list(csv.DictReader(Path("c.csv").read_text().splitlines()))
    assert [row["row"] for row in rows] == ["SeAFusion", "DenseFuse"]
    assert float(rows[0]["SF"]) == pytest.approx(11.628)
    assert rows[0]["convention"] == "standard"


def test_the_command_on_values_and_on_a_transposed_table(zoo) -> None:
    assert "Likely: standard" in zoo("audit", "SSIM=1.45,1.43", "psnr=14.6,14.7")[1]
    Path("t.csv").write_text("metric,a,b\nSD,9.8,8.7\nSF,0.05,0.04\n")
    assert "Likely: tang2022, on which SD, SF agree" in zoo("audit", "t.csv")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv",), "cannot read none.csv"),
        (("SD",), "cannot read SD"),
        (("SD=high",), "give a CSV file, or values such as"),
        (("SDD=9",), "'SDD' names no metric"),
        (("SD=45", "--out", "c.csv"), "c.csv is not written"),
        (("SD=9", "--out", "c.doc"), ".csv, .json, .md, .tex"),
    ],
)
def test_what_cannot_be_read_is_one_line(zoo, arguments: tuple, message: str) -> None:
    code, _, err = zoo("audit", *arguments)
    assert code == 1
    assert message in error_line(err)


def test_a_table_without_metrics(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="names no metric with numbers"):
        audit_table.read(tmp_path / "t.csv")
    with pytest.raises(UnknownNameError, match="names no metric"):
        audit_table.parse(["XY=3"])

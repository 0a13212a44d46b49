"""Rankings under two conventions: by hand, what is left out, and the command."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from fusionzoo import rank_stability, store
from fusionzoo.cli import cli
from fusionzoo.core import FusionZooError
from fusionzoo.store import Result


def cell(
    method: str, convention: str, scores: dict[str, float | None], dataset: str = "tno",
    sha: str = "ab", condition: str = "",
) -> Result:  # fmt: skip
    facts = {"weights_sha256": sha, "list_hash": "cd"}
    directions = {symbol: symbol != "QCV" for symbol in scores}
    return Result(method, "zoo", dataset, "all", convention, scores, {}, [], facts, condition,
                  directions)  # fmt: skip


def grid(
    first: dict[str, float], second: dict[str, float], symbol: str = "SSIM", dataset: str = "tno"
) -> list[Result]:
    return [
        *(cell(m, "standard", {symbol: score}, dataset) for m, score in first.items()),
        *(cell(m, "tang", {symbol: score}, dataset) for m, score in second.items()),
    ]


ABC = {"a": 3.0, "b": 2.0, "c": 1.0}


def test_one_swap_of_three_by_hand() -> None:
    found = grid(ABC, {"a": 2.0, "b": 3.0, "c": 1.0})
    (row,) = rank_stability.agreements(found)
    assert (row.metric, row.conventions, row.methods) == ("SSIM", ("standard", "tang"), 3)
    assert row.mean_tau == pytest.approx(1 / 3)
    assert row.winner_changes == 1
    assert row.datasets["tno:all"].winners == ("a@zoo", "b@zoo")
    values = rank_stability.table([row]).rows[0].values
    assert values == pytest.approx((1 / 3, 1 / 3, 100, 100 / 3, 1, 3, 1))


def test_means_over_datasets_and_the_order_of_rows() -> None:
    found = [
        *grid(ABC, ABC),
        *grid(ABC, {"a": 1.0, "b": 2.0, "c": 3.0}, dataset="fmb"),
        *grid(ABC, ABC, "EN", "vifb"),
    ]
    rows = rank_stability.agreements(found)
    assert [row.metric for row in rows] == ["SSIM", "EN"]
    assert rows[0].mean_tau == 0
    assert rows[0].winner_changes == 0.5
    assert rows[1].winner_changes == 0


def test_the_direction_is_that_of_the_metric() -> None:
    (row,) = rank_stability.agreements(grid(ABC, ABC, "QCV"))
    assert row.datasets["tno:all"].winners == ("c@zoo", "c@zoo")


def test_what_is_not_the_same_is_not_compared() -> None:
    lacking = [cell("a", "standard", {"SSIM": None}), *grid({"b": 2.0, "c": 1.0}, ABC)]
    other = [*grid(ABC, {"a": 1.0, "b": 2.0}), cell("c", "tang", {"SSIM": 3.0}, sha="other")]
    damaged = [*grid(ABC, {}), *(cell(m, "tang", {"SSIM": 1.0}, condition="noise-1") for m in ABC)]
    equal = grid(ABC, dict.fromkeys(ABC, 1.0))
    for found in (lacking, other, damaged, equal):
        with pytest.raises(FusionZooError, match="--convention NAME"):
            rank_stability.agreements(found)


def test_pairs_without_the_standard_are_asked_for() -> None:
    found = [*grid(ABC, ABC), *(cell(m, "vifb", {"SSIM": score}) for m, score in ABC.items())]
    assert len(rank_stability.agreements(found)) == 2
    pairs = [row.conventions for row in rank_stability.agreements(found, None)]
    assert ("tang", "vifb") in pairs
    assert len(pairs) == 3


def test_the_command(tmp_path: Path) -> None:
    for result in grid(ABC, {"a": 2.0, "b": 3.0, "c": 1.0}):
        store.write(
            store.cell_path(tmp_path, "tno", "all", "all", result.label, result.convention), result
        )
    out = tmp_path / "stability.csv"
    command = ["results", "stability", str(tmp_path), "--per-dataset", "--out", str(out)]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.exit_code == 0
    assert "| SSIM     | standard     | tang  | 0.333" in done.output
    assert "SSIM by standard and tang on tno:all: a@zoo, b@zoo (tau 0.333)" in done.output
    assert out.read_text().startswith("metric,convention,and,tau")

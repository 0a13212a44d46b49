"""Who takes part, what is due, and that the command measures only that and writes the page."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from fusionzoo import benchmarks, leaderboard, store
from fusionzoo.cli import cli
from fusionzoo.core import PAIRS, Benchmark
from fusionzoo.predictor import Predictor

FEW = Benchmark("A few", ("average", "max", "visible"), ("demo", "tno"), ("EN", "SSIM"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(benchmarks, "find", lambda _: FEW)
    monkeypatch.delenv("FUSIONZOO_DATA", raising=False)
    monkeypatch.setenv("FUSIONZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "results"


def run(out: Path, *options: str) -> str:
    command = ["leaderboard", "infrared_visible", "--limit", "1", "--no-cost", "--out", str(out)]
    done = CliRunner().invoke(cli, [*command, *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_shipped_method_takes_part() -> None:
    entry = benchmarks.find("infrared_visible")
    names = [label for label, _ in leaderboard.entrants(entry, PAIRS["vif"])]
    assert {"average", "visible", "sage@zoo", "refusion@zoo", "tc_moa@zoo"} <= set(names)
    assert not [
        name for name in names if name.startswith(("sage_teacher", "trans4pass", "mertens"))
    ]
    tasks = dict(leaderboard.entrants(benchmarks.find("multi_focus"), PAIRS["mff"]))
    assert tasks["refusion@zoo"] == tasks["focus_measure"] == "mff"
    restorers = leaderboard.entrants(benchmarks.find("restoration"), PAIRS["vif"])
    assert [label for label, _ in restorers][:3] == ["visible", "contrast_stretch", "dark_channel"]


def test_the_command_measures_what_is_due_and_nothing_else(
    few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = run(few, "--dry-run")
    assert "average: 1 of 1 pictures are due" in shown
    assert "3 pictures are due" in shown
    assert not few.exists()
    run(few)
    text = (few / "leaderboard.md").read_text()
    assert "## A few" in text
    assert "| visible" in text
    assert "mean rank" in text
    assert (
        run(few, "--dry-run") == "skipped dataset tno: " + run(few, "--dry-run").split(": ", 1)[1]
    )
    assert "0 pictures are due" in run(few, "--dry-run")

    calls: list[str] = []
    fuse = Predictor.fuse

    def spy(self: Predictor, sample: object) -> object:
        calls.append(self.label)
        return fuse(self, sample)

    monkeypatch.setattr(Predictor, "fuse", spy)
    before = {path: path.read_bytes() for path in few.rglob("*.*")}
    run(few)
    assert calls == []
    assert {path: path.read_bytes() for path in few.rglob("*.*")} == before

    path = next(few.rglob("max.json"))
    result = store.read(path)
    old = [replace(record, key="of other weights") for record in result.records]
    store.write(path, replace(result, records=old))
    assert "max: 1 of 1 pictures are due" in run(few, "--dry-run")
    run(few)
    assert calls == ["max"]
    assert {path: path.read_bytes() for path in few.rglob("*.md")} == {
        path: data for path, data in before.items() if path.suffix == ".md"
    }


def test_the_page_is_made_without_measuring(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(few)
    page = few / "elsewhere.md"
    monkeypatch.setattr(Predictor, "fuse", None)
    run(few, "--page-only", "--page", str(page))
    assert page.read_text() == (few / "leaderboard.md").read_text()


def test_methods_without_a_profile_are_found(few: Path) -> None:
    run(few)
    settings = leaderboard.Settings(few, ["infrared_visible"])
    assert leaderboard.unprofiled(settings) == ["average", "max", "visible"]
    command = ["profile", "average", "--size", "32x32", "--runs", "1", "--out", str(few)]
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert leaderboard.unprofiled(settings, (32, 32)) == ["max", "visible"]
    assert leaderboard.unprofiled(settings) == ["average", "max", "visible"]
    assert "MACs" in leaderboard.page(settings, (32, 32))[0]

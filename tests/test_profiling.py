"""What methods cost: measured, kept, read back, shown beside quality."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from fusionzoo import costs, profiling, store
from fusionzoo.cli import cli
from fusionzoo.core import FusionZooError, WeightsError
from fusionzoo.costs import Measurement, Profile
from fusionzoo.tables import Column, Row, Table

SMALL = profiling.Settings([(64, 48)], "cpu", runs=3)


def measurement(width: int = 64, **changes: object) -> Measurement:
    seconds = {"median": 0.5, "lower_quartile": 0.4, "upper_quartile": 0.7, "network": None}
    memory = {"process": 3 << 20, "before": 1 << 20, "cuda": None}
    counts = {"torch": 2_000_000_000, "thop": 3_000_000_000}
    one = Measurement(width, 48, 1, "cpu", "float32", 2, counts, seconds, 1.9, memory,
                      {"processor": "one"})  # fmt: skip
    return replace(one, **changes)


def profile(*measurements: Measurement, sha: str | None = "ab") -> Profile:
    return Profile("sage", "zoo", "fuse", 135_617, sha, measurements or [measurement()])


def test_a_network_is_measured() -> None:
    found = profiling.measure("sage@zoo", replace(SMALL, sizes=[(64, 48), (66, 47)]))
    assert (found.label, found.task, found.parameters) == ("sage@zoo", "fuse", 135_617)
    first, second = found.measurements
    assert first.macs["torch"] == 51_162_120_192 * 48 // 768 * 64 // 1024
    assert second.macs["torch"] > first.macs["torch"]
    times = first.seconds
    assert times["fastest"] <= times["lower_quartile"] <= times["median"]
    assert times["median"] <= times["upper_quartile"]
    assert 0 < times["network"] <= times["upper_quartile"]
    assert times["runs"] == 3
    assert first.pictures_per_second > 0
    if sys.platform == "linux":
        assert first.memory["process"] >= first.memory["before"] > 50 << 20
    assert first.provenance["torch"] == torch.__version__


def test_a_baseline_has_no_network() -> None:
    found = profiling.measure("average", SMALL)
    assert (found.label, found.parameters, found.weights_sha256) == ("average", 0, None)
    assert found.measurements[0].macs is None


def test_a_chain_is_the_sum_of_its_stages() -> None:
    chain = profiling.measure("mitnet+sage", SMALL)
    parts = [profiling.measure(name, SMALL) for name in ("mitnet", "sage")]
    assert chain.label == "mitnet@zoo+sage@zoo"
    assert chain.parameters == sum(part.parameters for part in parts)
    counted = [one.measurements[0].macs["torch"] for one in parts]
    assert chain.measurements[0].macs["torch"] == sum(counted)


def test_padding_is_counted() -> None:
    # With margin and shifts, every pass of the first two sees 112x112 pixels, of the third 168x112.
    sizes = [(10, 10), (37, 37), (93, 37)]
    found = profiling.measure("tc_moa", replace(SMALL, sizes=sizes, runs=1, warmup=0))
    small, exact, more = (one.macs["torch"] for one in found.measurements)
    assert small == exact
    assert more == pytest.approx(1.5 * exact, rel=0.02)


def test_a_network_without_weights_is_measured_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUSIONZOO_HOME", str(tmp_path))
    monkeypatch.delenv("FUSIONZOO_WEIGHTS", raising=False)
    small = replace(SMALL, runs=1, warmup=0)
    with pytest.raises(WeightsError):
        profiling.measure("trans4pass_t", small)
    found = profiling.measure("trans4pass_t", replace(small, untrained=True))
    assert (found.label, found.parameters) == ("trans4pass_t", 15_274_427)
    assert "trans4pass_t" in profiling.names(untrained=True)
    assert "trans4pass_t" not in profiling.names()
    # Weights that are at hand are used all the same.
    assert profiling.measure("sage", replace(small, untrained=True)).label == "sage@zoo"


def test_the_time_limit_leaves_three_runs() -> None:
    found = profiling.measure("average", replace(SMALL, runs=50, limit=0.0))
    assert found.measurements[0].seconds["runs"] == 3


def test_profiles_are_joined_and_read_back(tmp_path: Path) -> None:
    path = costs.write(tmp_path, profile(measurement(64), measurement(128)))
    assert path == tmp_path / "profile" / "sage@zoo.json"
    newer = measurement(64, pictures_per_second=7.0)
    costs.write(tmp_path, profile(newer, measurement(64, precision="bfloat16")))
    found = costs.read(path)
    assert len(found.measurements) == 3
    assert found.at(64, 48) == newer
    assert found.at(128, 48) == measurement(128)
    assert found.at(1, 1) is None
    costs.write(tmp_path, profile(newer, sha="cd"))
    assert costs.read(path).measurements == [newer]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 0}, "schema 0"),
        ({"parameters": "many"}, "whole number"),
        ({"method": 3}, "expected text"),
        ({"measurements": [{}]}, "not a whole profile"),
        ({"width": 0}, "positive number"),
        ({"pictures_per_second": "NaN"}, "not negative"),
        ({"macs": {"torch": 1.5}}, "whole number"),
        ({"seconds": {"median": 1.0}}, "missing"),
    ],
)
def test_what_is_no_profile_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = costs.write(tmp_path, profile())
    plain = json.loads(path.read_text())
    for key, value in change.items():
        (plain if key in plain else plain["measurements"][0])[key] = value
    path.write_text(json.dumps(plain))
    with pytest.raises(FusionZooError, match=message):
        costs.read(path)
    assert costs.read_all(tmp_path)[1]


def test_half_a_file_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    path = costs.write(tmp_path, profile())
    path.with_name("max.json").write_text(path.read_text()[:100])
    found, problems = costs.read_all(tmp_path)
    assert list(found) == ["sage@zoo"]
    assert len(problems) == 1
    assert "max.json is not a whole profile" in problems[0]


def test_costs_stand_beside_quality() -> None:
    rows = (Row(("sage‡", "zoo", "tno"), (6.5,)), Row(("max", "-", "tno"), (6.1,)))
    table = Table(("method", "weights", "dataset"), (Column("EN", True),), rows, "Means.")
    found = costs.beside(table, {"sage@zoo": profile()}, 64, 48)
    assert found.rows[0].values == (6.5, 0.135617, 2.0, 3.0, 0.5, 3.0)
    assert found.rows[1].values == (6.1, *[None] * 5)
    shown = found.markdown()
    assert "0.136" in shown
    assert "Costs at 64x48: one, 2 threads, float32." in shown


def test_the_command_writes_files_and_one_table(tmp_path: Path) -> None:
    options = ["--size", "48x32", "--runs", "1", "--device", "cpu", "--threads", "1"]
    table = tmp_path / "cost.md"
    command = ["profile", "average", "visible", *options, "--out", str(tmp_path)]
    command += ["--table", str(table)]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "| visible" in done.output
    assert table.read_text() in done.output
    found, problems = costs.read_all(tmp_path)
    assert (list(found), problems) == (["average", "visible"], [])
    assert found["average"].at(48, 32).threads == 1


@pytest.mark.parametrize("size", ["48", "0x5", "axb", "4x4x4"])
def test_a_size_is_two_numbers(size: str) -> None:
    done = CliRunner().invoke(cli, ["profile", "average", "--size", size])
    assert isinstance(done.exception, FusionZooError)
    assert "1024x768" in str(done.exception)


def test_results_do_not_mistake_profiles_for_cells(tmp_path: Path) -> None:
    command = ["bench", "--methods", "average", "--datasets", "demo", "--metrics", "EN"]
    done = CliRunner().invoke(cli, [*command, "--limit", "1", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    costs.write(tmp_path, replace(profile(), method="average", weights="-"))
    found, _ = store.find(tmp_path)
    assert [result.label for result in found] == ["average", "infrared", "visible"]
    table = ["results", "table", str(tmp_path), "--cost"]
    done = CliRunner().invoke(cli, [*table, "--size", "64x48"])
    assert "MACs" in done.output
    assert "0.500" in done.output
    done = CliRunner().invoke(cli, table)
    assert "profiled at 1024x768" in str(done.exception)

"""Loss areas by hand, curves from cells, files read back, the command, and that it resumes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fusionzoo import datasets, image, metrics, predictor, robustness, robustness_curves, store
from fusionzoo.cli import cli
from fusionzoo.cli_robustness import damage, wanted
from fusionzoo.core import FusionZooError, Observation
from fusionzoo.foreign import Foreign
from fusionzoo.plan import Grid
from fusionzoo.records import Record
from fusionzoo.store import Result

NAMES = [f"p{i}" for i in range(8)]
RESULT = Result("average", "-", "demo", "test", "standard", {}, {}, [], {})


def put(
    out: Path, condition: str, values: dict[str, float], symbol: str = "SSIM", **changes: object
) -> None:
    records = [
        Record(name, "k", {symbol: Observation(value)}, {symbol: "1/standard"}, 0.1)
        for name, value in values.items()
    ]
    facts = {"weights_sha256": "ab", "list_hash": "cd", **changes}
    score = float(np.mean(list(values.values())))
    result = Result("sage", "zoo", "tno", "all", "standard", {symbol: score}, {symbol: len(values)},
                    records, facts, condition, {symbol: symbol != "QCV"})  # fmt: skip
    folder = out / "robustness" if condition else out
    store.write(
        store.cell_path(folder, "tno", "all", "all", "sage@zoo", "standard", condition), result
    )


def flat(value: float) -> dict[str, float]:
    return dict.fromkeys(NAMES, value)


def test_areas_by_hand() -> None:
    scores = np.array([1.0, 0.8, 0.6])
    # Trapezoids of the losses 0, 0.2, 0.4 over severities 0, 1, 5: (0.1 + 4 * 0.3) / 5.
    assert robustness_curves.loss_areas(scores, (0, 1, 5), True) == pytest.approx(0.26)
    assert robustness_curves.loss_areas(scores, (0, 1, 5), False) == pytest.approx(-0.26)
    assert robustness_curves.loss_areas(2 * scores, (0, 1, 5), True) == pytest.approx(0.26)
    gone = np.array([1.0, 0, 0, 0])
    assert robustness_curves.loss_areas(gone, (0, 1, 2, 3), True) == pytest.approx(2.5 / 3)
    rows = np.stack([scores, np.ones(3)])
    assert robustness_curves.loss_areas(rows, (0, 1, 5), True) == pytest.approx([0.26, 0])


def test_curves_of_cells(tmp_path: Path) -> None:
    put(tmp_path, "", flat(1.0))
    for severity, score in ((1, 0.8), (5, 0.6)):
        put(tmp_path, f"noise-{severity}", flat(score))
        put(tmp_path, f"blur-{severity}", flat(1.0))
    (found,), problems = robustness_curves.collect(tmp_path)
    assert problems == []
    noise, blur = found.curves
    assert (noise.corruption, noise.metric, noise.pictures) == ("noise", "SSIM", 8)
    assert list(noise.severities) == [0, 1, 5]
    assert noise.scores == pytest.approx([1.0, 0.8, 0.6])
    assert (noise.loss_area, blur.loss_area) == (pytest.approx(0.26), 0)
    assert (noise.low, noise.high) == (pytest.approx(0.26), pytest.approx(0.26))
    (summary,) = found.summaries
    assert summary.loss_area == pytest.approx(0.13)
    assert list(summary.corruptions) == ["noise", "blur"]
    shown = robustness.table([found]).markdown()
    assert "0.1300" in shown
    assert "mean over SSIM" in shown


def test_intervals_hold_the_same_pictures_at_every_severity(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    values = {name: float(value) for name, value in zip(NAMES, rng.uniform(1, 2, 8), strict=True)}
    put(tmp_path, "", values)
    put(tmp_path, "noise-1", {name: value / 2 for name, value in values.items()})
    curve = robustness_curves.collect(tmp_path)[0][0].curves[0]
    # Every picture loses half, so no resample of the same pictures says anything else.
    assert (curve.low, curve.high) == (pytest.approx(0.25), pytest.approx(0.25))


def test_pictures_without_a_value_are_left_out_everywhere(tmp_path: Path) -> None:
    put(tmp_path, "", flat(1.0) | {"p0": 9.0})
    put(tmp_path, "noise-1", dict.fromkeys(NAMES[1:], 0.5))
    curve = robustness_curves.collect(tmp_path)[0][0].curves[0]
    assert curve.pictures == 7
    assert curve.scores == pytest.approx([1.0, 0.5])


@pytest.mark.parametrize(("clean", "area"), [(0.0, None), (-1.0, None), (4.0, 0.5)])
def test_areas_exist_for_positive_clean_scores(
    tmp_path: Path, clean: float, area: float | None
) -> None:
    put(tmp_path, "", flat(clean), "QCV")
    put(tmp_path, "noise-1", flat(8.0), "QCV")
    found = robustness_curves.collect(tmp_path)[0][0]
    assert found.curves[0].loss_area == area
    assert found.summaries[0].undefined == (area is None)
    assert robustness.table([found]).rows[0].values[0] == area


def test_cells_that_do_not_belong_are_named(tmp_path: Path) -> None:
    put(tmp_path, "", flat(1.0))
    put(tmp_path, "noise-1", flat(0.5))
    put(tmp_path, "noise-2", flat(0.5))
    put(tmp_path, "blur-1", flat(0.5))
    put(tmp_path, "haze-1", flat(0.5), weights_sha256="other")
    put(tmp_path, "rust-1", flat(0.5))
    found, problems = robustness_curves.collect(tmp_path)
    assert [curve.corruption for curve in found[0].curves] == ["noise"]
    assert len(problems) == 3
    assert "sage@zoo on tno:all: blur lacks severities" in problems[2]


def test_files_are_read_back_and_checked(tmp_path: Path) -> None:
    put(tmp_path, "", flat(1.0))
    put(tmp_path, "noise-1", flat(0.5))
    found = robustness_curves.collect(tmp_path)[0][0]
    path = robustness.write(tmp_path, found)
    assert path == tmp_path / "robustness" / "sage@zoo.json"
    assert robustness.read(path) == found
    assert robustness.read_all(tmp_path) == ([found], [])
    assert len(store.find(tmp_path)[0]) == 1
    plain = json.loads(path.read_text())
    for change, message in (
        ({"schema": 0}, "schema 0"),
        ({"curves": [{**plain["curves"][0], "severities": [1, 2]}]}, "do not rise from 0"),
        ({"curves": [{**plain["curves"][0], "scores": [1.0]}]}, "1 scores"),
        ({"curves": [{**plain["curves"][0], "low": "x"}]}, "no number"),
        ({"curves": [{}]}, "no whole"),
    ):
        path.write_text(json.dumps(plain | change))
        with pytest.raises(FusionZooError, match=message):
            robustness.read(path)
    path.write_text("{")
    assert len(robustness.read_all(tmp_path)[1]) == 1


def test_what_the_command_line_asks_for() -> None:
    assert wanted(None, "1") == {}
    assert wanted("noise, blur", "3,1") == {"noise": [1, 3], "blur": [1, 3]}
    assert len(wanted("all", "1,2,3,4,5")) == 13
    for names, severities in (("rust", "1"), ("noise", "6"), ("noise", "x")):
        with pytest.raises(FusionZooError, match="1 to 5"):
            wanted(names, severities)


def test_the_command_and_that_it_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["bench", "--methods", "average,visible", "--datasets", "demo", "--metrics", "SSIM",
               "--limit", "1", "--robustness", "noise,missing_second", "--severities", "5",
               "--out", str(tmp_path)]  # fmt: skip
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found, problems = robustness.read_all(tmp_path)
    assert problems == []
    average, _, visible = found
    assert [curve.corruption for curve in average.curves] == ["noise", "missing_second"]
    assert all(curve.scores[0] > curve.scores[1] for curve in average.curves)
    # A method that never looks at the infrared picture loses nothing with it.
    assert visible.curves[1].loss_area == 0
    cells = sorted((tmp_path / "robustness").rglob("*.json"))
    before = {path: path.read_bytes() for path in cells}
    from fusionzoo.predictor import Predictor

    monkeypatch.setattr(Predictor, "fuse", None)
    assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    assert {path: path.read_bytes() for path in cells} == before


def test_nothing_to_damage_is_an_error(tmp_path: Path) -> None:
    entry = replace(datasets.find("demo"), roles=("panorama",))
    grid = Grid("demo", entry, entry.listing(None, "test"), [], [], tmp_path)
    assert damage([grid], {}, pytest.fail) == 0
    with pytest.raises(FusionZooError, match="no dataset here has pairs"):
        damage([grid], {"noise": [1]}, pytest.fail)


def test_folders_of_pictures_are_not_damaged(tmp_path: Path) -> None:
    listing = datasets.find("demo").listing(None, "test")
    picture = tmp_path / "theirs" / f"{listing.items[0].name}.png"
    image.write(picture, np.zeros((8, 8), np.uint8))
    theirs = Foreign.of("theirs", picture.parent)
    methods = [theirs, predictor.load("average", device="cpu")]
    entry = datasets.find("demo")
    ssim = metrics.select("SSIM", "standard")
    grid = Grid("demo", entry, listing, methods, ssim, tmp_path / "out")
    seen = []

    def run(step: Grid) -> list[Result]:
        seen.append([one.label for one in step.predictors])
        return [replace(RESULT, records=[Record("p", "k", error="lost")])]

    with pytest.raises(FusionZooError, match="not a folder"):
        damage([grid], {"noise": [1, 2]}, run)
    assert seen == [["average"], ["average"]]


def test_lost_pictures_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "", flat(1.0))
    put(tmp_path, "noise-1", flat(0.5))
    entry = datasets.find("demo")
    average = predictor.load("average", device="cpu")
    listing = entry.listing(None, "test")
    grid = Grid("demo", entry, listing, [average], metrics.select("SSIM", "standard"), tmp_path)
    lost = replace(RESULT, records=[Record("p", "k", error="lost"), Record("q", "k", error="lost")])
    assert damage([grid], {"noise": [1]}, lambda _: [lost, RESULT]) == 2

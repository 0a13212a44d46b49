"""Other programs' pictures as rows: measured like a method's, with every fault named."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import fusionzoo
from fusionzoo import bench, compare, engines, foreign, grid, image, metrics, report, store
from fusionzoo.core import DataError

HOSTILE = "<img src=x onerror=alert(1)>|`[a](b)"


@pytest.fixture
def root(tmp_path: Path, draw: Callable) -> Path:
    """Data root with four pairs that are laid out like TNO."""
    for seed, name in enumerate("abcd"):
        for role, shift in (("visible", 0), ("infrared", 100)):
            path = tmp_path / "data" / "TNO" / role / f"{name}.png"
            image.write(path, draw(48, 64, 1, seed + shift))
    return tmp_path / "data"


@pytest.fixture
def fused(tmp_path: Path, root: Path) -> Path:
    """What `max` makes of them, as another program would leave it."""
    name, entry, listing = grid.open_dataset("tno", root)
    method = fusionzoo.load("max", device="cpu")
    cells = bench.Grid(name, entry, listing, [method], [], tmp_path / "first", keep=None)
    bench.run(cells)
    shutil.copytree(tmp_path / "first" / "tno" / "pictures" / "max", tmp_path / "fused")
    return tmp_path / "fused"


def cells(root: Path, out: Path, *rows: foreign.Foreign) -> bench.Grid:
    name, entry, listing = grid.open_dataset("tno", root)
    methods = [fusionzoo.load("max", device="cpu"), *rows]
    return bench.Grid(name, entry, listing, methods, metrics.select("EN,SSIM"), out, data=root)


def test_pictures_from_files_are_measured_like_the_methods_own(
    tmp_path: Path, root: Path, fused: Path
) -> None:
    row = foreign.Foreign.of(HOSTILE, fused)
    own, other = bench.run(cells(root, tmp_path / "out", row))
    assert other.scores == own.scores
    assert other.method == HOSTILE
    assert other.seconds is None
    assert other.provenance["trained_on"] is None
    found, problems = store.find(tmp_path / "out")
    assert [r.label for r in found] == [HOSTILE, "max"]
    assert problems == []
    table = report.comparison(found, metrics.select("EN,SSIM"), {"tno": "all"})
    assert table.rows[0].keys[0] == f"{HOSTILE}§"
    assert "§ pictures of another program" in table.caption
    shown = table.markdown()
    assert "&lt;img src=x onerror=alert(1)&gt;\\|`[a](b)" in shown
    assert len({line.replace("\\|", "").count("|") for line in shown.splitlines()[:4]}) == 1
    assert json.loads(table.json())["rows"][0]["method"] == f"{HOSTILE}§"
    assert set(fusionzoo.results(tmp_path / "out")["method"]) == {HOSTILE, "max"}


def test_a_new_picture_is_measured_again_and_only_that(
    tmp_path: Path, root: Path, fused: Path, draw: Callable
) -> None:
    (fused / "d.png").unlink()
    before = bench.run(cells(root, tmp_path / "out", foreign.Foreign.of("theirs", fused)))[1]
    assert [record.image for record in before.failed] == ["d"]
    assert f"no picture of d in {fused}" in before.failed[0].error
    assert before.counted == {"EN": 3, "SSIM": 3}
    table = report.comparison([before], metrics.select("EN"), {"tno": "all"})
    assert table.rows[0].values[-1] == 3
    image.write(fused / "d.png", draw(48, 64, 3, 5))
    image.write(fused / "a.png", draw(48, 64, 1, 6))
    after = bench.run(cells(root, tmp_path / "out", foreign.Foreign.of("theirs", fused)))[1]
    assert after.failed == []
    changed = [
        one.image
        for one, two in zip(before.records, after.records, strict=True)
        if one.observations != two.observations
    ]
    assert changed == ["a", "d"]


def test_faulty_pictures_are_named(tmp_path: Path, root: Path, fused: Path, draw: Callable) -> None:
    image.write(fused / "a.png", draw(48, 60))
    (fused / "b.png").write_bytes((fused / "b.png").read_bytes()[:200])
    (fused / "c.png").write_text("no picture")
    (found,) = bench.run(
        replace(cells(root, tmp_path / "out"), predictors=[foreign.Foreign.of("theirs", fused)])
    )
    errors = [record.error for record in found.failed]
    assert "a.png is 60x48, the scene 64x48: metrics never resize" in errors[0]
    assert "b.png is damaged or truncated" in errors[1]
    assert "c.png is not a picture" in errors[2]
    assert found.counted["EN"] == 1


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", ".hidden", "../evil", "a/b", "a\\b", "sage@zoo", "a:b", "a\nb", "x" * 101],
)
def test_names_that_cannot_be_a_rows_are_refused(tmp_path: Path, fused: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot name a row"):
        foreign.Foreign.of(name, fused)
    with pytest.raises(DataError, match="cannot name a row"):
        foreign.parse(f"{name}={fused}")


def test_the_command_adds_rows_and_says_what_is_missing(
    zoo: Callable, tmp_path: Path, root: Path, fused: Path
) -> None:
    for name in "bcd":
        (fused / f"{name}.png").unlink()
    base = ("bench", "--methods", "laplacian", "--datasets", "tno", "--data", root, "--metrics",
            "EN,SF", "--out", "r")  # fmt: skip
    code, out, err = zoo(*base, "--fused", f"<b onclick>|`={fused}")
    assert code == 1
    rows = [line.split("|")[1].strip() for line in out.splitlines() if line.startswith("| ")]
    assert rows[1:5] == ["laplacian", "average", "visible", "infrared"]
    assert rows[5].startswith("&lt;b onclick&gt;\\")
    assert "Where n differs" in out
    assert err.count("no picture of") == 3
    assert "3 of the scenes could not be used" in err
    for spec, message in (
        ("theirs", "NAME=FOLDER"),
        (f"../x={fused}", "cannot name a row"),
        ("theirs=nowhere", "nowhere is not a folder"),
        (f"average={fused}", "has a row of that name already"),
        (f"theirs={root}", "holds no picture"),
    ):
        code, _, err = zoo(*base, "--fused", spec)
        assert code == 1
        assert message in err
    code, _, err = zoo(*base[:4], "tno,demo", *base[5:], "--limit", "1", "--fused", f"x={fused}")
    assert code == 0
    assert f"x on tno: there is no folder {fused / 'tno'}" in err


def test_workers_measure_folders_too(tmp_path: Path, root: Path, fused: Path) -> None:
    row = foreign.Foreign.of("theirs", fused)
    bench.run(cells(root, tmp_path / "one", row))
    with engines.engine("local", workers=2, threads=1) as machine:
        bench.run(cells(root, tmp_path / "two", row), compute=machine.compute)
    assert compare.differences(tmp_path / "one", tmp_path / "two") == []


def test_baselines_follow_the_pairs_that_are_offered() -> None:
    offers = [("visible", "infrared"), ("near", "far"), ("visible",)]
    labels = [one.label for one in grid.baselines(offers, "cpu")]
    assert labels == ["average", "average", "visible", "infrared", "near", "far"]
    fitting = grid.fitting(grid.baselines(offers, "cpu"), ("near", "far"))
    assert [one.label for one in fitting] == ["average", "near", "far"]
    assert [one.label for one in grid.baselines([("visible",)], "cpu")] == ["visible"]
    assert grid.baselines([("panorama",)], "cpu") == []

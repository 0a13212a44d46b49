"""Results folders: merged without loss, told apart, tabled without mixing; bad files are named."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fusionzoo
from fusionzoo import analysis, cli, compare, metrics, report, store
from fusionzoo.core import FusionZooError, Observation
from fusionzoo.records import Record
from fusionzoo.store import Result


def cell(
    method: str = "average", dataset: str = "tno", offset: float = 0.0, n: int = 6, **changes
) -> Result:
    rng = np.random.default_rng(len(method))
    values = (rng.normal(6, 1, n) + offset).tolist()
    records = [
        Record(f"{i:02}", f"key{i}", {"EN": Observation(v)}, {"EN": "1/standard"}, 0.1)
        for i, v in enumerate(values)
    ]
    whole = Result(method, "-", dataset, "all", "standard", {"EN": float(np.mean(values))},
                   {"EN": n}, records, {"list_hash": "abc", "trained_on": []},
                   directions={"EN": True})  # fmt: skip
    return replace(whole, **changes)


def written(out: Path, *cells: Result) -> Path:
    for one in cells:
        store.write(compare.place(out, one), one)
    return out


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fusionzoo", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return (code, *capsys.readouterr())

    return run


def test_a_frame_has_scores_intervals_and_pictures(tmp_path: Path) -> None:
    written(tmp_path, cell(), cell("max"), cell("sage", weights="zoo"))
    frame = fusionzoo.results(tmp_path)
    assert list(frame["method"]) == ["average", "max", "sage"]
    assert ((frame["low"] < frame["value"]) & (frame["value"] < frame["high"])).all()
    pictures = fusionzoo.results(tmp_path, per_image=True)
    assert len(pictures) == 18
    means = pictures.groupby("method")["value"].mean()
    assert means["max"] == pytest.approx(frame.set_index("method")["value"]["max"])


def test_merge_joins_pictures_and_metrics(tmp_path: Path) -> None:
    whole = cell()
    other = replace(
        whole,
        scores={"SD": 40.0},
        counted={"SD": 6},
        records=[
            replace(r, observations={"SD": Observation(40.0)}, versions={"SD": "1/standard"})
            for r in whole.records
        ],
    )
    written(tmp_path / "a", whole, cell("max"))
    written(tmp_path / "b", other, cell("laplacian"))
    count, problems = compare.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    assert (count, problems) == (3, [])
    found, _ = store.find(tmp_path / "c")
    assert found[0].scores == {"EN": whole.scores["EN"], "SD": 40.0}
    assert set(found[0].records[0].observations) == {"EN", "SD"}
    assert compare.differences(tmp_path / "c", tmp_path / "c") == []


def test_merge_refuses_what_disagrees(tmp_path: Path) -> None:
    written(tmp_path / "a", cell())
    written(tmp_path / "b", cell(offset=0.5))
    with pytest.raises(FusionZooError, match="two values of EN for 00"):
        compare.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    written(tmp_path / "d", cell(provenance={"list_hash": "other"}))
    with pytest.raises(FusionZooError, match="different image lists"):
        compare.merge([tmp_path / "a", tmp_path / "d"], tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_diff_names_cells_scores_and_pictures(zoo, tmp_path: Path) -> None:
    whole = cell()
    changed = replace(whole.records[2], observations={"EN": Observation(1.0)})
    records = [*whole.records[:2], changed, *whole.records[3:]]
    written(tmp_path / "a", whole, cell("max"))
    written(tmp_path / "b", replace(whole, records=records, scores={"EN": 5.0}))
    code, out, err = zoo("results", "diff", tmp_path / "a", tmp_path / "b")
    assert code == 1
    assert "1 of 6 pictures differ" in out
    assert "max: only in" in out
    assert "2 differences" in err
    assert zoo("results", "diff", tmp_path / "a", tmp_path / "a")[0] == 0


def test_table_with_intervals_and_filters(zoo, tmp_path: Path) -> None:
    trained = {"list_hash": "abc", "trained_on": ["tno:train"]}
    written(tmp_path, cell(), cell("sage", weights="zoo", provenance=trained))
    code, out, _ = zoo("results", "table", tmp_path, "--intervals", "--out", tmp_path / "t.csv")
    assert code == 0
    assert "±" in out
    assert "sage‡" in out
    assert "EN,n,EN_low,EN_high" in (tmp_path / "t.csv").read_text()
    assert "average" not in zoo("results", "table", tmp_path, "--methods", "sage")[1]
    assert "no result of that kind" in zoo("results", "table", tmp_path, "--datasets", "fmb")[2]


def test_tables_never_mix(zoo, tmp_path: Path) -> None:
    chosen = metrics.select("EN")
    lists = [cell(), cell("max", provenance={"list_hash": "other"})]
    with pytest.raises(FusionZooError, match="different pictures of tno:all"):
        report.comparison(lists, chosen, {"tno": "all"})
    written(tmp_path, cell(), cell(convention="cddfuse"))
    code, _, err = zoo("results", "table", tmp_path)
    assert code == 1
    assert "cddfuse, standard" in err
    assert zoo("results", "table", tmp_path, "--convention", "cddfuse")[0] == 0


def test_bad_files_are_named_and_the_others_used(zoo, tmp_path: Path) -> None:
    path = compare.place(tmp_path, cell("max"))
    written(tmp_path, cell(), cell("max"))
    path.write_bytes(path.read_bytes()[:300])
    code, out, err = zoo("results", "table", tmp_path)
    assert code == 1
    assert "average" in out
    assert "max.json is not a whole result file" in err
    copy = path.with_name("copy.json")
    copy.write_bytes(compare.place(tmp_path, cell()).read_bytes())
    assert "results of one cell" in zoo("results", "table", tmp_path)[2]


@pytest.mark.parametrize("method", ["../../evil", "a/b", "/evil"])
def test_hostile_names_never_leave_the_folder(tmp_path: Path, method: str) -> None:
    source = tmp_path / "a" / "tno" / "x.json"
    store.write(source, cell(method))
    with pytest.raises(FusionZooError, match="cannot be a file's"):
        compare.merge([tmp_path / "a"], tmp_path / "deep" / "b")
    assert not list(tmp_path.rglob("evil*"))


def test_comparisons_rank_all_pictures(tmp_path: Path) -> None:
    found = [cell(), cell("max", offset=1), cell("visible", offset=2)]
    same = [
        replace(c, records=[
            replace(r, observations={"EN": Observation(i + shift)})
            for i, r in enumerate(c.records)])
        for shift, c in enumerate(found)
    ]  # fmt: skip
    compared = analysis.compare(same, "EN", higher_is_better=True)
    assert compared is not None
    assert compared.methods == ("visible", "max", "average")
    assert compared.average_ranks == (1, 2, 3)
    assert compared.blocks == 6
    ranks = analysis.average_ranks(found, {"EN": True})
    assert ranks[""] == ranks["tno:all"]
    assert json.dumps(ranks)

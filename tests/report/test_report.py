"""What the report knows: places, pictures, costs; names never lead out of a folder."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import numpy as np
import pytest
from hostile import ESCAPING, HOSTILE, METRICS, NAMES

from fusionzoo import cli, costs, image, report, store
from fusionzoo.core import FusionZooError
from fusionzoo.report import model, page, pictures, significance


def data_of(path: Path) -> dict:
    text = path.read_text("utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def test_only_two_elements_of_the_page_are_scripts(page: Path) -> None:
    text = page.read_text("utf-8")
    assert ESCAPING in json.dumps(data_of(page)), "the hostile text must be there to be told"
    assert text.count("</script>") == 2
    assert HOSTILE not in text


def test_json_survives_its_way_through_the_page() -> None:
    value = {"a</script>": ["<!--", "&amp;", "\u2028", 'quote"', "\\u003c", None, 1.5]}
    assert json.loads(page.inline_json(value)) == value
    assert "<" not in page.inline_json(value)


def test_nothing_in_the_page_is_an_address(page: Path) -> None:
    shell = page.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(", shell)


def test_places_part_conventions_and_lists(maker: ModuleType) -> None:
    cells = [maker.cell(name, "one", NAMES, 1, METRICS) for name in ("x", "y", "z")]
    other = {**cells[1].provenance, "list_hash": "another"}
    cells[1] = replace(cells[1], provenance=other)
    cells[2] = replace(cells[2], convention="tang")
    found = model.places(cells)
    assert sorted(tuple(cell.method for cell in place.cells) for place in found) == [
        ("x",), ("y",), ("z",)
    ]  # fmt: skip


def test_pictures_are_referred_to_from_where_the_page_lies(
    results_folder: Path, tmp_path: Path
) -> None:
    near, _ = report.write_page(results_folder)
    far, _ = report.write_page(results_folder, tmp_path / "deep" / "page.html")
    for path in (near, far):
        place = next(p for p in data_of(path)["places"] if p["dataset"] == "one")
        references = [*place["sources"]["visible"].values(),
                      *place["cells"][1]["pictures"].values()]  # fmt: skip
        assert len(references) == 4
        for reference in map(unquote, references):
            assert (path.parent / reference).resolve().is_relative_to(results_folder.resolve())
            assert (path.parent / reference).is_file()


def test_names_do_not_lead_out_of_the_folder(maker: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    secret = tmp_path / "secret.png"
    image.write(secret, np.zeros((4, 4), np.uint8))
    names = ("../../../../secret", "a")
    result = maker.cell("method", "one", names, 1, METRICS)
    home = folder / "one" / "pictures" / "method"
    image.write(home / "a.png", np.zeros((4, 4), np.uint8))
    assert (home / f"{names[0]}.png").resolve() == secret.resolve()
    assert pictures.outputs(folder, result) == {"a": home / "a.png"}
    (home / "a.png").unlink()
    (home / "a.png").symlink_to(secret)
    assert pictures.outputs(folder, result) == {}
    assert pictures.outputs(folder, replace(result, dataset="../one")) == {}
    assert pictures.outputs(folder, replace(result, method="../../one")) == {}


def test_embedding_stops_at_its_limit_and_says_so(results_folder: Path, tmp_path: Path) -> None:
    whole, _ = report.write_page(results_folder, tmp_path / "whole.html", embed=True)
    shown = data_of(whole)
    # Two scenes: two sources, and the outputs of two methods.
    assert shown["pictures_note"].startswith("8 pictures (")
    assert whole.read_text("utf-8").count('<script type="text/plain" id="picture-') == 8
    size = len((results_folder / "one/pictures/second/a.png").read_bytes())
    album = pictures.Album(tmp_path / "page.html", limit=size)
    first = album.refer(results_folder / "one/pictures/second/a.png")
    second = album.refer(results_folder / "one/pictures/second/b.png")
    assert (first, second) == ("#picture-0", None)
    assert "1 more did not fit into the limit" in album.note()


def test_tests_over_datasets_leave_out_and_name_who_is_missing(maker: ModuleType) -> None:
    cells = [maker.cell(m, d, NAMES, i, METRICS) for i, (m, d) in enumerate(
        [("x", "one"), ("y", "one"), ("z", "one"), ("x", "two"), ("y", "two")])]  # fmt: skip
    found = significance.everywhere(model.places(cells), {"EN": True})
    assert set(found) == {"0", "1", "vif/standard"}
    joint = found["vif/standard"]["EN"]
    assert joint["blocks"] == 2 * len(NAMES)
    assert (sorted(joint["methods"]), joint["missing"]) == (["x", "y"], ["z"])


def test_costs_come_from_profiles(maker: ModuleType, tmp_path: Path) -> None:
    maker.write_results(tmp_path, [maker.cell("x@zoo", "one", NAMES, 1, METRICS)])
    seconds = {"median": 0.5, "lower_quartile": 0.4, "upper_quartile": 0.6, "network": None}
    macs = {"torch": 51_162_120_192}
    one = costs.Measurement(1024, 768, 1, "cpu", "float32", 2, macs, seconds, 2.0,
                            {"process": 10**9, "before": 0, "cuda": None}, {})  # fmt: skip
    costs.write(tmp_path, costs.Profile("x", "zoo", "vif", 135_617, None, [one]))
    shown = data_of(report.write_page(tmp_path)[0])
    cost = shown["places"][0]["cells"][0]["cost"]
    assert cost | {"seconds": 0} == {
        "parameters": 135_617, "macs": 51_162_100_000, "latency": 0.5, "memory": 10**9,
        "seconds": 0,
    }  # fmt: skip
    assert "1024x768" in next(a["note"] for a in shown["costs"] if a["key"] == "macs")


def test_the_command(
    results_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.argv", ["fusionzoo", "report", str(results_folder), "--out",
                                     str(tmp_path / "page.html")])  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1, "a file that could not be read is a failure"
    assert (tmp_path / "page.html").exists()
    assert "broken.json is not a whole result file" in capsys.readouterr().err


def test_two_files_for_one_cell_are_refused(maker: ModuleType, tmp_path: Path) -> None:
    result = maker.cell("x", "one", NAMES, 1, METRICS)
    maker.write_results(tmp_path, [result])
    store.write(tmp_path / "elsewhere" / "x.json", result)
    with pytest.raises(FusionZooError, match="results of one cell: keep one"):
        report.write_page(tmp_path)


def test_older_results_are_named(maker: ModuleType, tmp_path: Path) -> None:
    maker.write_results(tmp_path, [maker.cell("x", "one", NAMES, 1, METRICS)])
    (tmp_path / "one" / "y.json").write_text('{"schema": 1}')
    _, problems = report.write_page(tmp_path)
    assert len(problems) == 1
    assert "schema 1" in problems[0]


def test_the_repositorys_results_make_a_report(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "benchmarks" / "results"
    written, problems = report.write_page(folder, tmp_path / "page.html")
    shown = data_of(written)
    assert problems == []
    assert sum(len(place["cells"]) for place in shown["places"]) >= 60
    trained = [cell["label"] for place in shown["places"] for cell in place["cells"]
               if cell["trained"] and place["dataset"] == "roadscene"]  # fmt: skip
    assert "sage@zoo" in trained

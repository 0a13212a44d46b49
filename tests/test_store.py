"""Result files: nothing is lost in writing and reading, torn lines are survived."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fusionzoo import store
from fusionzoo.core import FusionZooError, Observation
from fusionzoo.records import Record
from fusionzoo.store import Result

SEEN = {
    "EN": Observation(6.9722580134475284),
    "SCD": Observation(None, "undefined", "F-A has zero variance"),
    "PSNR": Observation(math.inf, "infinite", "identical"),
    "SSIM": Observation(1.5, terms={"infrared": 0.7, "visible": 0.8}),
    "mIoU": Observation(0.5, table=np.arange(4).reshape(2, 2)),
}
RECORD = Record("00000", "key", SEEN, {"EN": "1/standard"}, 0.25)
RESULT = Result(
    "sage", "official", "m3fd", "all", "standard", {"EN": 6.9, "SCD": None}, {"EN": 1, "SCD": 0},
    [RECORD, Record("00001", "", error="truncated")], {"torch": "2"},
)  # fmt: skip


def same(first: Record, second: Record) -> bool:
    return json.dumps(first.to_json()) == json.dumps(second.to_json())


def test_results_survive_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "m3fd" / "sage@official.json"
    store.write(path, RESULT)
    read = store.read(path)
    assert same(read.records[0], RECORD)
    assert read.records[0].observations["PSNR"].value == math.inf
    assert read.label == "sage@official"
    assert [r.image for r in read.failed] == ["00001"]
    assert read.seconds == 0.25
    assert "NaN" not in path.read_text()
    assert "Infinity" not in path.read_text()


def test_partial_lines_are_found_again_and_torn_ones_ignored(tmp_path: Path) -> None:
    path = tmp_path / "cell.json"
    store.append(path, RECORD)
    partial = store.partial_path(path)
    with partial.open("a") as stream:
        stream.write('\n{"image": "torn", "ke')
    store.append(path, Record("00002", "key", SEEN))
    known = store.known_records(path)
    assert sorted(known) == ["00000", "00002"]
    assert same(known["00000"], RECORD)


def test_writing_a_cell_removes_its_partial_file(tmp_path: Path) -> None:
    path = tmp_path / "cell.json"
    store.append(path, RECORD)
    store.write(path, RESULT)
    assert [p.name for p in tmp_path.iterdir()] == ["cell.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a whole result"),
        ('{"schema": 1, "records": []}', "has schema 1, this version reads 2"),
        ('{"schema": 99}', "schema 99"),
        ("[]", "not a whole result"),
        ('{"schema": 2}', "not a whole result"),
    ],
)
def test_damaged_results_are_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "cell.json"
    path.write_text(content)
    with pytest.raises(FusionZooError, match=message):
        store.read(path)


def test_list_hash_ignores_order_and_sees_content() -> None:
    assert store.list_hash(["b", "a"]) == store.list_hash(["a", "b"])
    assert store.list_hash(["a", "b"]) != store.list_hash(["a", "c"])


@pytest.mark.parametrize(
    ("split", "expected"), [("all", "tno/average.json"), ("x", "tno-x/average.json")]
)
def test_cells_have_their_place(split: str, expected: str) -> None:
    assert store.cell_path(Path("r"), "tno", split, "all", "average") == Path("r") / expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"00001"]', '"00000"]', "twice"),
        ('"keys": ["key",""]', '"keys": ["key"]', "keys has 1 values: expected 2"),
        ('"values":[6.97', '"values":["six",6.97', "EN has 3 values"),
        ('"values":[0.5,', '"values":["six",', "expected a number"),
        ('"undefined"', '"odd"', "status 'odd' is unknown"),
        ('"EN":6.9,', '"EN":true,', "score of EN is True"),
        ('"method": "sage"', '"method": 5', "method is 5: expected text"),
    ],
)  # fmt: skip
def test_altered_results_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "cell.json"
    store.write(path, RESULT)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(FusionZooError, match=message):
        store.read(path)

"""Commands as a person types them: results, and one clear line for everything that is wrong."""

import csv
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fusionzoo import image


def roles(pairs: Path) -> tuple[object, ...]:
    return ("--visible", pairs / "visible", "--infrared", pairs / "infrared")


def error_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, err
    return lines[0]


def test_run_writes_one_picture_per_pair(zoo, pairs: Path, tmp_path: Path) -> None:
    code, out, _ = zoo("run", "average", *roles(pairs), "--out", tmp_path / "o")
    assert code == 0
    assert "3 pictures" in out
    assert sorted(p.name for p in (tmp_path / "o").glob("*.png")) == ["a.png", "b.png", "c.png"]


def test_run_keeps_what_is_done_and_notices_changes(zoo, pairs: Path, tmp_path: Path, draw) -> None:
    out = tmp_path / "o"
    zoo("run", "average", *roles(pairs), "--out", out)
    stamps = {p.name: p.stat().st_mtime_ns for p in out.glob("*.png")}
    assert "(3 were there already)" in zoo("run", "average", *roles(pairs), "--out", out)[1]
    assert {p.name: p.stat().st_mtime_ns for p in out.glob("*.png")} == stamps
    image.write(pairs / "infrared" / "b.png", draw(40, 56, 1, 77))
    (out / "c.png").unlink()
    assert "(1 were there already)" in zoo("run", "average", *roles(pairs), "--out", out)[1]
    assert "3 pictures" in zoo("run", "max", *roles(pairs), "--out", out)[1]


def test_run_takes_two_files(zoo, pairs: Path) -> None:
    code, _, _ = zoo("run", "max", "--visible", pairs / "visible" / "a.png", "--infrared",
                     pairs / "infrared" / "b.png")  # fmt: skip
    assert code == 0
    assert Path("out/max/a.png").exists()


def test_eval_of_pictures_made_by_anything(zoo, pairs: Path, tmp_path: Path, draw) -> None:
    for seed, name in enumerate("abc"):
        image.write(tmp_path / "theirs" / f"{name}.bmp", draw(40, 56, 3, seed))
    code, out, _ = zoo("eval", "--fused", tmp_path / "theirs", *roles(pairs), "--metrics",
                       "EN,SSIM,MS-SSIM", "--out", "t.csv")  # fmt: skip
    assert code == 0
    rows = list(csv.DictReader(Path("t.csv").read_text().splitlines()))
    assert [row["image"] for row in rows] == ["a", "b", "c", "mean"]
    assert list(rows[0]) == ["image", "EN", "SSIM", "MS-SSIM", "convention"]
    assert {row["convention"] for row in rows} == {"standard"}
    assert rows[0]["MS-SSIM"] == ""
    mean = np.mean([float(row["EN"]) for row in rows[:3]])
    assert float(rows[3]["EN"]) == pytest.approx(mean)
    assert "Metric convention: standard" in out


def test_eval_under_a_convention(zoo, pairs: Path, tmp_path: Path, draw) -> None:
    for seed, name in enumerate("abc"):
        image.write(tmp_path / "theirs" / f"{name}.png", draw(40, 56, 3, seed))
    command = ("eval", "--fused", tmp_path / "theirs", *roles(pairs), "--out", "t.json")
    code, out, _ = zoo(*command, "--metrics", "EN,SSIM,PSNR", "--convention", "ivif_zoo")
    assert code == 0
    assert "Metric convention: ivif_zoo. PSNR: 48.13 dB above the standard." in out
    theirs = json.loads(Path("t.json").read_text())
    assert theirs["convention"] == "ivif_zoo"
    zoo(*command, "--metrics", "EN,SSIM,PSNR")
    ours = json.loads(Path("t.json").read_text())["rows"][-1]
    assert theirs["rows"][-1]["PSNR"] - ours["PSNR"] == pytest.approx(48.1308, abs=1e-4)
    assert theirs["rows"][-1]["SSIM"] != pytest.approx(ours["SSIM"], rel=1e-3)
    code, _, err = zoo(*command, "--metrics", "SCD", "--convention", "vifb")
    assert code == 1
    assert "the convention vifb has no SCD" in error_line(err)


def test_bench_leaves_out_metrics_whose_references_no_dataset_has(zoo) -> None:
    zoo("bench", "--methods", "average", "--datasets", "demo", "--limit", 1, "--metrics",
        "EN,restoration", "--out", "b")  # fmt: skip
    rows = json.loads(Path("b/table.json").read_text())["rows"]
    assert [row["method"] for row in rows] == ["average", "visible", "infrared"]
    assert all(row["EN"] > 0 for row in rows)
    assert not {"PSNR-T", "SSIM-T"} & set(rows[0])


def test_bench_and_eval_of_the_written_pictures_agree(zoo, pairs: Path) -> None:
    zoo("run", "laplacian", "--dataset", "demo", "--limit", "2", "--out", "o")
    zoo("eval", "--fused", "o", "--dataset", "demo", "--limit", "2", "--out", "e.json")
    zoo("bench", "--methods", "laplacian", "--datasets", "demo", "--limit", "2", "--out", "b",
        "--metrics", "core")  # fmt: skip
    evaluated = json.loads(Path("e.json").read_text())["rows"][-1]
    benched = json.loads(Path("b/table.json").read_text())["rows"][0]
    for symbol in ("EN", "SD", "SF", "AG", "SCD", "SSIM", "MS-SSIM"):
        assert benched[symbol] == evaluated[symbol]


def test_eval_of_label_maps(zoo, tmp_path: Path) -> None:
    from fusionzoo import datasets

    items = datasets.find("demo").listing(None, "test").items[:2]
    for item in items:
        labels = item.load().target.numpy().astype(np.uint8)
        labels[:100] = np.where(labels[:100] == 7, 3, labels[:100])
        image.write(tmp_path / "maps" / f"{item.name}.png", labels)
    code, out, _ = zoo("eval", "--predictions", tmp_path / "maps", "--dataset", "demo",
                       "--limit", 2, "--metrics", "mIoU", "--out", "m.csv")  # fmt: skip
    assert code == 0
    assert "fmb14" in out
    last = list(csv.DictReader(Path("m.csv").read_text().splitlines()))[-1]
    assert 0.3 < float(last["mIoU"]) < 1
    assert last["convention"] == "fmb14"


BAD = {
    "missing partner": (lambda p, _d: (p / "infrared" / "b.png").unlink(), "no infrared picture"),
    "different sizes": (lambda p, d: image.write(p / "infrared" / "b.png", d(40, 57)),
                        "differ in size"),
    "zero bytes": (lambda p, _d: (p / "visible" / "b.png").write_bytes(b""), "b: "),
    "text": (lambda p, _d: (p / "visible" / "b.png").write_text("hello"), "not a picture"),
    "truncated": (lambda p, _d: (p / "visible" / "b.png").write_bytes(
        (p / "visible" / "b.png").read_bytes()[:-99]), "damaged or truncated"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_one_bad_pair_leaves_the_others_unharmed(zoo, pairs: Path, draw, fault: str) -> None:
    spoil, message = BAD[fault]
    spoil(pairs, draw)
    code, _, err = zoo("run", "average", *roles(pairs), "--out", "o")
    assert code == 1
    assert message in err
    assert "1 of the scenes could not be used" in error_line(err)
    assert sorted(p.stem for p in Path("o").glob("*.png")) == ["a", "c"]


@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
@pytest.mark.parametrize("method", ["average", "max", "laplacian", "guided_filter", "infrared"])
def test_tiny_pictures(zoo, tmp_path: Path, draw, method: str, size: tuple[int, int]) -> None:
    image.write(tmp_path / "v.png", draw(*size, 3))
    image.write(tmp_path / "i.png", draw(*size))
    code, _, err = zoo("run", method, "--visible", "v.png", "--infrared", "i.png", "--out", "o")
    assert code == 0, err
    (made,) = Path("o").glob("*.png")
    assert image.size(made) == size


def test_deep_tiff_and_rgba_work(zoo, tmp_path: Path, draw) -> None:
    from PIL import Image

    image.write(tmp_path / "i.tif", draw(40, 56).astype(np.uint16) * 257)
    Image.fromarray(np.dstack([draw(40, 56, 3), draw(40, 56)])).save(tmp_path / "v.png")
    code, _, err = zoo("run", "average", "--visible", "v.png", "--infrared", "i.tif", "--out", "o")
    assert code == 0, err
    image.write(tmp_path / "i8.png", draw(40, 56))
    image.write(tmp_path / "v8.png", draw(40, 56, 3))
    zoo("run", "average", "--visible", "v8.png", "--infrared", "i8.png", "--out", "p")
    np.testing.assert_array_equal(image.read(Path("o/v.png")), image.read(Path("p/v8.png")))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "avrage", "--dataset", "demo"), "did you mean average"),
        (("run", "average", "--dataset", "dem"), "did you mean demo"),
        (("run", "average", "--dataset", "demo:tset"), "did you mean test"),
        (("run", "average"), "give --dataset NAME"),
        (("run", "average", "--dataset", "tno"), "not on this machine"),
        (("run", "sage@official", "--dataset", "demo"), "pass --weights FILE"),
        (("run", "sage", "--dataset", "demo", "--weights", "none.pt"), "neither a file nor"),
        (("run", "average", "--dataset", "demo", "--device", "cuda:77"), "cannot be used"),
        (("eval", "--fused", "nowhere", "--dataset", "demo"), "nowhere is not a folder"),
        (("eval", "--dataset", "demo"), "either --fused FOLDER or --predictions FOLDER"),
        (("bench", "--metrics", "SIM"), "did you mean SSIM"),
        (("bench", "--datasets", "tno"), "not on this machine"),
        (("bench", "nothing"), "unknown benchmark"),
        (("info", "sagee"), "did you mean sage"),
        (("data", "check", "fnb"), "did you mean fmb"),
    ],
)
def test_errors_are_one_line(zoo, arguments: tuple[str, ...], message: str) -> None:
    code, _, err = zoo(*arguments)
    assert code == 1
    assert message in error_line(err)


def test_a_table_of_unknown_format_is_refused_before_work(zoo, pairs: Path) -> None:
    code, _, err = zoo("eval", "--fused", pairs / "visible", *roles(pairs), "--out", "t.xlsx")
    assert code == 1
    assert ".csv, .json, .md, .tex" in error_line(err)


class Code:
    def __reduce__(self):
        return Path.touch, (Path("was_run"),)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: torch.save({"w": torch.ones(3)}, path), "not made for sage"),
        (lambda path: path.write_bytes(b"PK\x03\x04 nonsense"), "damaged"),
        (lambda path: path.write_bytes(pickle.dumps(Code())), "refused"),
    ],
)
def test_bad_checkpoints(zoo, make, message: str) -> None:
    make(Path("weights.pt"))
    code, _, err = zoo("run", "sage", "--dataset", "demo", "--limit", 1, "--weights", "weights.pt")
    assert code == 1
    assert message in error_line(err)
    assert not Path("was_run").exists()


def test_an_output_folder_that_cannot_be_written(zoo, pairs: Path) -> None:
    Path("blocked").write_text("a file is in the way")
    code, _, err = zoo("run", "average", *roles(pairs), "--out", "blocked/o")
    assert code == 1
    assert "cannot write" in error_line(err)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_and_nothing_is_lost(
    zoo, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo("run", "average", *roles(pairs), "--out", "o", "--limit", 2)
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        return write(Path("/dev/full"), data) if path.name.endswith(".part") else write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    code, _, err = zoo("run", "average", *roles(pairs), "--out", "o")
    assert code == 1
    assert "No space left" in error_line(err)
    assert sorted(p.name for p in Path("o").glob("*.png")) == ["a.png", "b.png"]


def test_interrupting_keeps_what_is_done(zoo, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fusionzoo import fuse

    real, calls = image.write, []

    def interrupted(path: Path, levels: np.ndarray) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(path, levels)

    monkeypatch.setattr(fuse.image, "write", interrupted)
    code, _, err = zoo("run", "average", *roles(pairs), "--out", "o")
    assert code == 130
    assert "interrupted" in err
    monkeypatch.setattr(fuse.image, "write", real)
    assert "(1 were there already)" in zoo("run", "average", *roles(pairs), "--out", "o")[1]


def test_list_info_and_data(zoo) -> None:
    assert "sage" in zoo("list")[1]
    assert "MIT" in zoo("info", "sage")[1]
    assert "--dial" not in zoo("info", "sage")[1]
    assert "--dial passes=" in zoo("info", "tc_moa")[1]
    assert "bit" in zoo("info", "EN")[1] or "entropy" in zoo("info", "entropy")[1]
    assert "drawn in code" in zoo("data", "list")[1]
    both = zoo("info", "vifb")[1]
    assert "21 pairs" in both
    assert "metric convention" in both
    assert "metric convention" in zoo("info", "mitnet")[1]


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "fusionzoo.cli", "--version"], check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout.startswith("fusionzoo, version")

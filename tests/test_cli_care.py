"""What commands take care of: sources, damaged outputs, scenes and metrics that cannot be used."""

from pathlib import Path

import pytest

from tests.test_cli import error_line, roles


def test_sources_and_pictures_of_others_are_never_overwritten(
    zoo, pairs: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in pairs.rglob("*.png")}
    for command in (("run", "max"), ("explain", "refusion")):
        code, _, err = zoo(*command, *roles(pairs), "--out", pairs / "infrared")
        assert code == 1
        assert "holds the infrared pictures" in error_line(err)
    files = ("--visible", pairs / "visible" / "a.png", "--infrared", pairs / "infrared" / "a.png")
    assert "holds the visible" in error_line(zoo("run", "max", *files, "--out", "pairs/visible")[2])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "b.png").write_bytes(before[pairs / "visible" / "b.png"])
    code, _, err = zoo("run", "max", *roles(pairs), "--out", tmp_path / "mine")
    assert code == 1
    assert "was not made by fusionzoo" in err
    assert (tmp_path / "mine" / "b.png").read_bytes() == before[pairs / "visible" / "b.png"]
    assert (tmp_path / "mine" / "a.png").exists()
    assert before == {path: path.read_bytes() for path in pairs.rglob("*.png")}


def test_a_damaged_output_is_made_again(zoo, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    zoo("run", "average", *roles(pairs), "--out", out)
    whole = (out / "b.png").read_bytes()
    (out / "b.png").write_bytes(whole[:100])
    assert "(2 were there already)" in zoo("run", "average", *roles(pairs), "--out", out)[1]
    assert (out / "b.png").read_bytes() == whole


def test_explain_names_what_it_cannot_use_and_does_the_rest(zoo, pairs: Path) -> None:
    (pairs / "infrared" / "a.png").unlink()
    whole = (pairs / "visible" / "b.png").read_bytes()
    (pairs / "visible" / "b.png").write_bytes(whole[:-30])
    code, _, err = zoo("explain", "refusion", *roles(pairs), "--out", "maps")
    assert code == 1
    assert "2 of the scenes could not be used" in error_line(err)
    assert "skipped a" in err
    assert "failed b" in err
    assert Path("maps/c.png").exists()


def test_a_place_that_cannot_even_be_tidied_is_one_line(
    zoo, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    code, _, err = zoo("run", "average", *roles(pairs), "--out", "o")
    assert code == 1
    assert "Read-only file system" in error_line(err)


def test_metrics_that_say_nothing_here_are_named(zoo, pairs: Path) -> None:
    given = ("eval", "--fused", pairs / "visible", *roles(pairs), "--metrics")
    code, out, err = zoo(*given, "EN,mIoU,PSNR-T")
    assert code == 0
    assert "EN" in out
    assert "metric mIoU: it judges label maps" in err
    assert "metric PSNR-T: it compares with a clean picture" in err
    code, _, err = zoo(*given, "mIoU")
    assert code == 1
    assert "none of mIoU can be measured here" in error_line(err)
    assert "metric" not in zoo(*given, "core")[2]


def test_a_reader_that_cannot_judge_is_refused_before_work(zoo) -> None:
    given = ("bench", "--datasets", "demo", "--limit", "1", "--methods", "average", "--metrics")
    code, out, err = zoo(*given, "EN", "--reader", "laplacian")
    assert code == 1
    assert "laplacian is no segmenter" in error_line(err)
    assert out == ""

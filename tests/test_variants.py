"""One entry for several tasks: which form runs on what, and the colours of every kind of pair."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

import fusionzoo
from fusionzoo import bench, cli, colour, datasets, describe, grid, image, methods, metrics
from fusionzoo.core import PAIRS, DataError, Method, UnknownNameError
from fusionzoo.predictor import Predictor

RED, BLUE = torch.tensor([0.9, 0.2, 0.1]), torch.tensor([0.1, 0.3, 0.8])


def plain(pixel: torch.Tensor) -> torch.Tensor:
    return pixel.view(3, 1, 1).expand(3, 4, 4).contiguous()


def chroma_of(pixel: torch.Tensor) -> tuple[float, float]:
    """(R - Y, B - Y)."""
    luminance = float(pixel @ torch.tensor([0.299, 0.587, 0.114]))
    return float(pixel[0]) - luminance, float(pixel[2]) - luminance


def test_forms_and_tasks() -> None:
    entry: Method = methods.find("laplacian")
    assert list(entry.forms) == list(PAIRS)
    assert entry.form("vif") is entry
    assert entry.form("mff").inputs == ("near", "far")
    assert entry.task_for(("over", "under", "near")) == "mef"
    assert entry.task_for(("hazy",)) is None
    assert methods.find("under").task_for(("over", "under")) == ""
    with pytest.raises(UnknownNameError, match="no variant for the task 'mef': there is vif"):
        fusionzoo.load("sage", task="mef")


def test_every_pair_by_every_baseline() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, 1, 40, 40, generator=generator).mul(255).round().div(255)
    for name in ("average", "max", "laplacian", "guided_filter"):
        outputs = []
        for task, roles in PAIRS.items():
            pair = dict(zip(roles, (first, second), strict=True))
            outputs.append(fusionzoo.load(name, task=task, device="cpu")(**pair))
        assert all(torch.equal(output, outputs[0]) for output in outputs), name


@pytest.mark.parametrize("luma", ["float", "levels", "opencv_uint8"])
def test_chroma_is_weighted_by_its_distance_from_neutral(luma: colour.Luma) -> None:
    entry = Method(lambda: lambda a, b: (a + b) / 2, ("under", "over"), colour="blend", luma=luma)
    ready = Predictor("mean", entry, entry.network())
    fused = ready(under=plain(RED), over=plain(BLUE))[:, 0, 0]
    for found, one, other in zip(chroma_of(fused), chroma_of(RED), chroma_of(BLUE), strict=True):
        expected = (one * abs(one) + other * abs(other)) / (abs(one) + abs(other))
        assert found == pytest.approx(expected, abs=0.02 if luma == "opencv_uint8" else 0.006)
    swapped = ready(under=plain(BLUE), over=plain(RED))[:, 0, 0]
    torch.testing.assert_close(fused, swapped, rtol=0, atol=1e-6)


@pytest.mark.parametrize("grey_channels", [1, 3])
def test_colour_with_grey_keeps_the_colour(grey_channels: int) -> None:
    average = fusionzoo.load("average", task="mef", device="cpu")
    grey = torch.full((1, 4, 4), 128 / 255).expand(grey_channels, 4, 4)
    picture = plain(torch.tensor([140.0, 120.0, 110.0]) / 255)
    for pair in ({"under": picture, "over": grey}, {"under": grey, "over": picture}):
        fused = average(**pair)
        assert fused.shape == (3, 4, 4)
        expected = fusionzoo.load("average", device="cpu")(visible=picture, infrared=grey)
        assert torch.equal(fused, expected)


def test_grey_with_grey_has_no_colour() -> None:
    average = fusionzoo.load("average", task="mff", device="cpu")
    one, other = torch.full((1, 4, 4), 100 / 255), torch.full((1, 4, 4), 200 / 255)
    assert average(near=one, far=other).shape == (1, 4, 4)
    fused = average(near=one.expand(3, 4, 4), far=other)
    assert fused.shape == (3, 4, 4)
    assert (fused * 255).unique().tolist() == pytest.approx([150])


def test_stretch_spans_the_range_and_is_recorded() -> None:
    entry = replace(methods.find("average"), stretch=True)
    ready = Predictor("average", entry, entry.network())
    generator = torch.Generator().manual_seed(0)
    pair = {
        "visible": torch.rand(3, 1, 8, 8, generator=generator) * 0.3 + 0.2,
        "infrared": torch.rand(3, 1, 8, 8, generator=generator) * 0.3 + 0.2,
    }
    fused = ready(**pair)
    assert fused.amin((1, 2, 3)).tolist() == [0, 0, 0]
    assert fused.amax((1, 2, 3)).tolist() == [1, 1, 1]
    raw = replace(ready, stretch=False)
    assert raw(**pair).amax() < 0.6
    assert raw.key != ready.key
    assert raw.key == fusionzoo.load("average", device="cpu").key
    flat = torch.full((1, 4, 4), 100 / 255)
    assert torch.equal(ready(visible=flat, infrared=flat), flat)


@pytest.fixture
def exposures(tmp_path: Path, draw) -> Path:
    for seed, name in enumerate("ab"):
        for role, factor in (("under", 0.4), ("over", 0.9)):
            levels = (draw(48, 40, 3, seed) * factor).astype(np.uint8)
            image.write(tmp_path / "pairs" / role / f"{name}.png", levels)
    return tmp_path / "pairs"


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli.cli, [str(one) for one in arguments])


def test_run_picks_the_form_by_the_roles(exposures: Path, tmp_path: Path) -> None:
    under, over, out = exposures / "under", exposures / "over", tmp_path / "out"
    given = ("--under", under, "--over", over, "--out", out)
    assert command("run", "max", *given).exit_code == 0
    assert image.read(out / "a.png").shape == (48, 40, 3)
    assert "2 were there" in command("run", "max", "--task", "mef", *given).output
    assert command("eval", "--fused", out, *given[:4], "--metrics", "EN,SSIM").exit_code == 0
    assert command("run", "over", *given).exit_code == 0
    assert np.array_equal(image.read(out / "a.png"), image.read(over / "a.png"))
    for lacking in (("--task", "mff", *given), given[:2]):
        error = command("run", "max", *lacking).exception
        assert isinstance(error, DataError)
        assert "max needs" in str(error)


def test_bench_takes_the_form_that_fits(exposures: Path, pairs: Path, tmp_path: Path) -> None:
    entries = [
        datasets.folder(under=exposures / "under", over=exposures / "over"),
        datasets.folder(visible=pairs / "visible", infrared=pairs / "infrared"),
    ]
    offers = [entry.roles for entry in entries]
    ready, skipped = grid.chosen_methods("average,over,near", "cpu", offers=offers)
    assert [(one.label, one.method.pair) for one in ready] == [
        ("average", "mef"), ("average", "vif"), ("over", "")
    ]  # fmt: skip
    assert skipped == ["method near: it takes near, which no dataset offers"]
    found = {}
    for name, entry in zip(("exposed", "seen"), entries, strict=True):
        fitting = grid.fitting(ready, entry.roles)
        cells = bench.Grid(
            name, entry, entry.listing(None, "all"), fitting, metrics.select("EN,SSIM"), tmp_path
        )
        found[name] = {result.label: result for result in bench.run(cells)}
    assert set(found["exposed"]) == {"average", "over"}
    assert found["exposed"]["average"].provenance["task"] == "mef"
    assert found["seen"]["average"].provenance["task"] == "vif"
    terms = found["exposed"]["average"].records[0].observations["SSIM"].terms
    assert set(terms) == {"under", "over"}
    everything, _ = grid.chosen_methods("all", "cpu", offers=offers[:1])
    assert {one.name for one in everything} >= {"average", "under", "over"}
    assert not {one.name for one in everything} & {"visible", "near"}


def test_info_names_every_task() -> None:
    text = describe.describe("average")
    assert (
        "visible, infrared (vif); under, over (mef); near, far (mff); scan, mri (medical)" in text
    )

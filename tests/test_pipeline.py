"""Chains of methods: what fits, what does not, and that a chain is its stages one by one."""

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

import fusionzoo
from fusionzoo import bench, catalog, cli, datasets, metrics, pipeline, store
from fusionzoo.core import ImageError, Method, UnknownNameError, WeightsError
from fusionzoo.pipeline import PipelineError


def scene(height: int = 40, width: int = 56) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"visible": torch.rand(3, height, width, generator=generator),
            "infrared": torch.rand(1, height, width, generator=generator)}  # fmt: skip


def test_a_chain_is_its_stages_one_by_one() -> None:
    images = scene()
    restored = fusionzoo.load("dark_channel", device="cpu")(visible=images["visible"])
    fused = fusionzoo.load("max", device="cpu")(visible=restored, infrared=images["infrared"])
    chain = fusionzoo.load("dark_channel+max", device="cpu")
    assert torch.equal(chain(**images), fused)
    batch = {role: picture[None].expand(2, -1, -1, -1) for role, picture in images.items()}
    assert torch.equal(chain(**batch)[1], fused)


def test_a_chain_has_a_name_a_key_and_a_method() -> None:
    chain = fusionzoo.load("dark_channel+laplacian", device="cpu")
    assert chain.label == chain.name == "dark_channel+laplacian"
    assert [part.name for part in chain.parts] == ["dark_channel", "laplacian"]
    assert chain.method.inputs == ("visible", "infrared")
    assert chain.method.task == "fuse"
    other = fusionzoo.load("dark_channel+max", device="cpu")
    single = fusionzoo.load("laplacian", device="cpu")
    assert len({chain.key, other.key, single.key}) == 3


def test_what_a_restorer_needs_comes_first() -> None:
    assert pipeline.entry("max+dark_channel").inputs == ("visible", "infrared")
    assert pipeline.entry("max+dark_channel").task == "restore"
    assert pipeline.entry("dark_channel+dark_channel").inputs == ("visible",)
    assert pipeline.entry("mertens+dark_channel", "mef").inputs == ("under", "over")


def test_a_segmenter_ends_a_chain() -> None:
    method = pipeline.entry("dark_channel+max+trans4pass")
    assert method.task == "segment"
    assert method.inputs == ("visible", "infrared")
    assert method.classes is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("max+laplacian", "laplacian needs a picture of role infrared, which max has used up"),
        ("trans4pass+max", "trans4pass gives a label map, which max cannot take; put trans4pass"),
        ("dark_channel+mertens", "no stage takes the picture that dark_channel gives"),
        ("dark_channel+", "empty stage"),
        ("+max", "empty stage"),
    ],
)
def test_impossible_chains_say_why(name: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        pipeline.load(name, device="cpu")


def test_unknown_stages_and_misplaced_weights() -> None:
    with pytest.raises(UnknownNameError, match="dark_channel"):
        pipeline.load("dark_chanel+max")
    with pytest.raises(PipelineError, match="weights of each stage"):
        pipeline.load("dark_channel+max", weights="zoo")
    with pytest.raises(WeightsError, match="sage"):
        pipeline.load("dark_channel+sage@none")


def test_missing_roles() -> None:
    chain = fusionzoo.load("dark_channel+max", device="cpu")
    with pytest.raises(ImageError, match="takes visible and infrared; got visible"):
        chain(visible=scene()["visible"])


def command(*arguments: object) -> str:
    done = CliRunner().invoke(cli.cli, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_run_writes_the_stages_on_request(tmp_path: Path, pairs: Path) -> None:
    place = ["--visible", pairs / "visible", "--infrared", pairs / "infrared"]
    arguments = ["run", "dark_channel+max", *place, "--out", tmp_path, "--device", "cpu"]
    output = command(*arguments)
    assert "dark_channel+max: 3 pictures" in output
    assert output.count("s a picture") == 2
    assert not (tmp_path / "1_dark_channel").exists()
    command(*arguments, "--stages")
    kept = sorted(path.name for path in (tmp_path / "1_dark_channel").iterdir())
    assert kept == ["a.png", "b.png", "c.png"]
    assert "3 were there already" in command(*arguments, "--stages")


def test_stages_of_a_single_method_are_refused() -> None:
    with pytest.raises(PipelineError, match="single method"):
        pipeline.keeping_stages(fusionzoo.load("max", device="cpu"), Path("x"))


def test_chains_stand_in_the_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fusionzoo import grid

    entry = datasets.find("demo_haze")
    listing = grid.chosen_datasets("demo_haze", limit=1)[0][0][2]
    methods, skipped = grid.chosen_methods(
        "max,dark_channel+max,dark_channel", "cpu", offers=[entry.roles]
    )
    assert not skipped
    chosen = metrics.select("EN,PSNR-T")
    cells = bench.Grid("demo_haze", entry, listing, methods, chosen, tmp_path)
    found = {result.method: result for result in bench.run(cells)}
    chain = found["dark_channel+max"]
    assert set(chain.scores) == {"EN", "PSNR-T"}
    assert chain.scores != found["max"].scores
    path = cells.cell(methods[1])
    assert set(json.loads(path.read_text())["provenance"]["stage_seconds"]) == {
        "dark_channel", "max",
    }  # fmt: skip
    assert store.read(path).scores == chain.scores


def test_every_restorer_goes_with_every_fuser() -> None:
    entries: dict[str, Method] = {
        name: catalog.find("fusionzoo.methods", name) for name in catalog.names("fusionzoo.methods")
    }
    restorers = [name for name, one in entries.items() if one.task == "restore"]
    fusers = [n for n, one in entries.items() if one.task == "fuse" and one.pair == "vif"]
    assert {"mitnet", "dark_channel"} <= set(restorers)
    for restorer in restorers:
        for fuser in fusers:
            assert set(pipeline.entry(f"{restorer}+{fuser}").inputs) == {"visible", "infrared"}

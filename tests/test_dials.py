"""Dials of a predictor, on the command line and over a grid."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

import fusionzoo
from fusionzoo import cli, image
from fusionzoo.core import FusionZooError
from fusionzoo.methods.tc_moa.network import Network


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("tc_moa") / "own.safetensors"
    network = Network("tiny")
    for parameter in network.parameters():  # fresh routers and adapters would hardly differ
        parameter.data += 0.05 * torch.randn_like(parameter)
    save_file({name: tensor.half() for name, tensor in network.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def pair() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {r: torch.rand(3, 40, 61, generator=generator) for r in ("under", "over")}


def test_dials_change_the_picture_and_its_key(
    untrained: Path, pair: dict[str, torch.Tensor]
) -> None:
    ready = fusionzoo.load("tc_moa", weights=untrained, device="cpu", task="mef")
    plain = ready(**pair)
    assert plain.shape == (3, 40, 61)
    assert torch.equal(ready.turned(alpha=1.0, beta=0.0)(**pair), plain)
    keys = {ready.key}
    for dials in ({"alpha": 3.0}, {"beta": 0.4}, {"vif": 1.0}, {"vif": 0.5, "mef": 0.5}):
        turned = ready.turned(**dials)
        assert not torch.equal(turned(**pair), plain)
        keys.add(turned.key)
    assert len(keys) == 5
    assert torch.equal(ready.turned(mef=2.0)(**pair), plain)


def test_two_loads_are_one_network(untrained: Path, pair: dict[str, torch.Tensor]) -> None:
    first, second = (
        fusionzoo.load("tc_moa", weights=untrained, device="cpu", task="mef") for _ in range(2)
    )
    assert torch.equal(first(**pair), second(**pair))


def test_unknown_dials_are_refused(untrained: Path) -> None:
    ready = fusionzoo.load("tc_moa", weights=untrained, device="cpu")
    with pytest.raises(FusionZooError, match="no dial 'gamma': it has alpha, beta"):
        ready.turned(gamma=1.0)
    with pytest.raises(FusionZooError, match="average has no dial 'alpha': it has none"):
        fusionzoo.load("average").turned(alpha=1.0)


def test_tiles_are_blended(untrained: Path) -> None:
    generator = torch.Generator().manual_seed(2)
    images = {r: torch.rand(1, 120, 180, generator=generator) for r in ("visible", "infrared")}
    tiled = fusionzoo.load("tc_moa", weights=untrained, device="cpu", tile=60)
    fused = tiled(**images)
    assert fused.shape == (1, 120, 180)
    whole = fusionzoo.load("tc_moa", weights=untrained, device="cpu", tile=0)(**images)
    assert (fused - whole).abs().mean() < 0.1


def files(folder: Path, pair: dict[str, torch.Tensor]) -> list[str]:
    arguments = []
    for role, picture in pair.items():
        path = folder / f"{role}.png"
        image.write(path, image.to_levels(picture))
        arguments += [f"--{role}", str(path)]
    return arguments


def test_run_takes_dials(tmp_path: Path, untrained: Path, pair: dict[str, torch.Tensor]) -> None:
    command = ["run", "tc_moa", *files(tmp_path, pair), "--weights", str(untrained)]
    written = []
    for name, more in (("plain", []), ("turned", ["--beta", "0.4", "--dial", "alpha=2"])):
        out = tmp_path / name
        result = CliRunner().invoke(cli.cli, [*command, *more, "--out", str(out)])
        assert result.exit_code == 0, result.output
        written.append(next(out.glob("*.png")).read_bytes())
    assert written[0] != written[1]
    result = CliRunner().invoke(cli.cli, [*command, "--dial", "alpha"])
    assert "expected NAME=NUMBER" in str(result.exception)


def test_sweep_writes_a_picture_per_setting_and_a_sheet(
    tmp_path: Path, untrained: Path, pair: dict[str, torch.Tensor]
) -> None:
    out = tmp_path / "sweep"
    arguments = ["sweep", "tc_moa", *files(tmp_path, pair), "--weights", str(untrained)]
    arguments += ["--alphas", "0,2", "--betas", "-0.2,0,0.2", "--out", str(out)]
    result = CliRunner().invoke(cli.cli, arguments)
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (out / "under").iterdir())
    assert len(names) == 6
    assert "alpha_2_beta_+0.2.png" in names
    sheet = image.read(out / "under.png")
    assert sheet.shape[1] > 3 * 300
    wrong = CliRunner().invoke(cli.cli, [*arguments, "--alphas", "x"])
    assert wrong.exit_code != 0

"""What several tests need: drawn pictures, an isolated home, and the data beside the project."""

import os

# One thread a process: pytest-xdist already keeps every core busy. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fusionzoo import cli, image


@pytest.fixture(autouse=True)
def isolated_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test sees the user's data, weights or cache."""
    monkeypatch.setenv("FUSIONZOO_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("FUSIONZOO_DATA", raising=False)
    monkeypatch.delenv("FUSIONZOO_WEIGHTS", raising=False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real pictures and weights, which is no part of the project."""
    folder = os.environ.get("FUSIONZOO_SHARED")
    if not folder:
        pytest.skip("FUSIONZOO_SHARED is not set: real pictures and weights are not here")
    return Path(folder)


Draw = Callable[..., np.ndarray]


@pytest.fixture
def draw() -> Draw:
    """A function of height, width, channels and seed: random 8-bit pictures with structure."""

    def drawn(height: int, width: int, channels: int = 1, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        ramp = np.add.outer(np.arange(height), np.arange(width))[..., None] * 3
        noise = rng.integers(0, 90, (height, width, channels))
        levels = ((ramp + noise) % 256).astype(np.uint8)
        return levels[..., 0] if channels == 1 else levels

    return drawn


@pytest.fixture
def pairs(tmp_path: Path, draw: Draw) -> Path:
    """Folder with visible/ and infrared/, three pairs a, b, c of 40x56."""
    for seed, name in enumerate("cab"):
        image.write(tmp_path / "pairs" / "visible" / f"{name}.png", draw(40, 56, 3, seed))
        image.write(tmp_path / "pairs" / "infrared" / f"{name}.png", draw(40, 56, 1, seed + 10))
    return tmp_path / "pairs"


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path):
    """A function that runs a command: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fusionzoo", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run

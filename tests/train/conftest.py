"""A method that trains in no time, and pictures for it."""

from pathlib import Path

import pytest

from fusionzoo import image, methods
from fusionzoo.core import Method
from tests.train import toy


@pytest.fixture(autouse=True)
def toy_method(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, draw) -> None:
    """A method `toy` that the recipe trains, and a RoadScene of four pairs."""
    entry = Method(
        network=lambda: None,
        inputs=toy.Recipe.roles,
        recipe="tests.train.toy:Recipe",
        pretraining={"toy_first": "tests.train.toy:Recipe"},
    )
    usable, find = methods.usable, methods.find
    monkeypatch.setattr(methods, "find", lambda name: entry if name == "toy" else find(name))
    monkeypatch.setattr(methods, "usable", lambda: usable() | {"toy": entry})
    for seed in range(4):
        folder = tmp_path / "data" / "RoadScene"
        size = (20 + seed, 30) if seed else (12, 18)  # the first is smaller than the crop
        image.write(folder / "crop_LR_visible" / f"{seed}.png", draw(*size, 3, seed))
        image.write(folder / "cropinfrared" / f"{seed}.png", draw(*size, 1, seed + 9))

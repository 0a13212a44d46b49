"""Damage grows with severity, is the same every time, and strikes what it should."""

import pickle

import pytest
import torch

from fusionzoo import datasets
from fusionzoo.core import DataError, Sample
from fusionzoo.corruption import CORRUPTIONS, SEVERITIES, Corruption, pair_of
from fusionzoo.plan import Corruption as Protocol

SCENES = [item.load() for item in datasets.find("demo").listing(None, "test").items[:2]]
BOTH = {"noise", "blur", "jpeg"}
FIRST = {"low_light", "overexposure", "haze", "missing_first"}


def error(sample: Sample, damaged: dict[str, torch.Tensor], role: str) -> float:
    return float((sample.images[role] - damaged[role]).square().mean())


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("sample", SCENES, ids=lambda sample: sample.name)
def test_damage_grows_with_severity_and_strikes_its_source(sample: Sample, name: str) -> None:
    struck = (
        {"visible", "infrared"} if name in BOTH else {"visible" if name in FIRST else "infrared"}
    )
    before = dict.fromkeys(sample.images, 0.0)
    for severity in SEVERITIES:
        damaged = Corruption(name, severity)(sample)
        assert set(damaged) == struck
        for role, plane in damaged.items():
            assert plane.shape == sample.images[role].shape
            assert plane.dtype == torch.float32
            assert 0 <= float(plane.min()) <= float(plane.max()) <= 1
            assert torch.equal((plane * 255).round() / 255, plane)
            found = error(sample, damaged, role)
            assert found > before[role]
            before[role] = found


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_damage_is_repeatable_and_of_the_picture(name: str) -> None:
    sample = SCENES[0]
    first = Corruption(name, 3)(sample)
    again = pickle.loads(pickle.dumps(Corruption(name, 3)))(sample)
    assert all(torch.equal(first[role], again[role]) for role in first)
    other = Corruption(name, 3)(Sample("another", sample.images))
    random = name in {"shift", "noise", "low_light", "haze", "dead"}
    differs = any(not torch.equal(first[role], other[role]) for role in first)
    assert differs or not random


def test_a_shift_has_its_length() -> None:
    point = torch.zeros(1, 320, 640)
    point[0, 160, 320] = 1
    for severity, length in zip(SEVERITIES, (1, 2, 4, 7, 12), strict=True):
        sample = Sample("point", {"visible": point, "infrared": point})
        moved = Corruption("shift", severity)(sample)["infrared"][0]
        rows, columns = torch.meshgrid(torch.arange(320.0), torch.arange(640.0), indexing="ij")
        mass = moved.sum()
        row, column = float((rows * moved).sum() / mass), float((columns * moved).sum() / mass)
        assert ((row - 160) ** 2 + (column - 320) ** 2) ** 0.5 == pytest.approx(length, abs=0.35)


def test_all_of_a_source_can_be_missing() -> None:
    damaged = Corruption("missing_second", 5)(SCENES[0])
    assert float(damaged["infrared"].max()) == 0
    assert float(Corruption("missing_first", 5)(SCENES[0])["visible"].max()) == 0


def test_dead_rows_are_as_many_as_said() -> None:
    bright = torch.ones(1, 2000, 4)
    damaged = Corruption("dead", 4)(Sample("rows", {"visible": bright, "infrared": bright}))
    assert float((damaged["infrared"] == 0).float().mean()) == pytest.approx(0.2, abs=0.03)


def test_names_and_hashes_tell_them_apart() -> None:
    every = [Corruption(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]
    assert len({one.condition for one in every}) == len({one.key for one in every}) == 65
    used: Protocol = Corruption("noise", 3)
    assert used.condition == "noise-3"


@pytest.mark.parametrize(("name", "severity"), [("rust", 1), ("noise", 0), ("noise", 6)])
def test_what_does_not_exist_is_refused(name: str, severity: int) -> None:
    with pytest.raises(DataError, match="expected 1 to 5 and one of shift"):
        Corruption(name, severity)


def test_other_pairs_and_single_pictures() -> None:
    plane = torch.rand(3, 16, 16)
    damaged = Corruption("missing_second", 5)(Sample("e", {"under": plane, "over": plane}))
    assert float(damaged["over"].max()) == 0
    assert pair_of(["near", "visible", "far"]) == ("near", "far")
    with pytest.raises(DataError, match="no pair"):
        Corruption("noise", 1)(Sample("alone", {"visible": plane}))

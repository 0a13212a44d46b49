"""The drawn dataset: repeatable, exact labels, warm people, fog that hides less from heat."""

import copy
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from fusionzoo import datasets
from fusionzoo.datasets import demo
from fusionzoo.datasets._demo import heat
from fusionzoo.datasets._demo.panorama import Panorama
from fusionzoo.datasets._demo.scene import PERSON, SKY, Scene


def test_samples_keep_the_contract() -> None:
    entry = datasets.find("demo")
    items = entry.listing(None, "test").items
    assert [item.name for item in items[:4]] == ["000D", "001N", "002F", "003D"]
    sample = items[1].load()
    assert sample.images["visible"].shape == (3, 480, 640)
    assert sample.images["infrared"].shape == (1, 480, 640)
    for picture in sample.images.values():
        assert picture.dtype == torch.float32
        levels = picture * 255
        torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)
    assert sample.target.dtype == torch.int64


def test_a_scene_is_a_function_of_split_and_index() -> None:
    first, second = Scene("test", 3), Scene("test", 3)
    np.testing.assert_array_equal(first.visible(), second.visible())
    np.testing.assert_array_equal(first.infrared(), second.infrared())
    marks = {
        hashlib.sha256(Scene(split, index).labels.tobytes()).hexdigest()
        for split, index in (("test", 3), ("train", 3), ("test", 6), ("held_out", 3))
    }
    assert len(marks) == 4
    listings = {
        s: datasets.find("demo").listing(None, s).items for s in datasets.find("demo").splits
    }
    prints = {s: [item.fingerprint() for item in items] for s, items in listings.items()}
    assert prints["train"] == prints["train_large"][:120]
    assert prints["train_large"] == prints["train_huge"][:600]
    assert prints["test"] == prints["test_large"][:12]
    assert len({*prints["train_huge"], *prints["test_large"], *prints["held_out"]}) == 1320


@pytest.mark.parametrize("name", ["demo", "demo_panorama"])
def test_scenes_are_kept_as_files_where_that_is_asked_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = datasets.find(name).listing(None, "test").items
    drawn = items[0].load()
    monkeypatch.setenv("FUSIONZOO_DRAWN", str(tmp_path / "drawn"))
    first = items[0].load()
    files = sorted((tmp_path / "drawn").iterdir())
    assert len(files) == len(drawn.images) + 1
    monkeypatch.setattr(Scene, "visible", None)
    monkeypatch.setattr(Panorama, "visible", None)
    second = items[0].load()
    for sample in (first, second):
        assert sample.name == drawn.name
        assert {role: (p.dtype, p.shape) for role, p in sample.images.items()} == {
            role: (p.dtype, p.shape) for role, p in drawn.images.items()
        }
        assert all(torch.equal(p, drawn.images[role]) for role, p in sample.images.items())
        assert torch.equal(sample.target, drawn.target)
        assert sample.target.dtype == torch.int64
    monkeypatch.undo()
    monkeypatch.setenv("FUSIONZOO_DRAWN", str(tmp_path / "drawn"))
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[:100])
    assert torch.equal(items[0].load().target, drawn.target)
    assert files[0].read_bytes() == whole
    items[1].load()
    assert len(list((tmp_path / "drawn").iterdir())) == 2 * len(files)


def test_every_class_occurs() -> None:
    seen = set()
    for index in range(demo.COUNTS["test"]):
        seen |= set(np.unique(Scene("test", index).labels).tolist())
    assert seen == set(range(1, 15))


@pytest.mark.parametrize("index", [1, 4])
def test_people_are_warm_at_night(index: int) -> None:
    scene = Scene("test", index)
    infrared, people = scene.infrared(), scene.labels == PERSON
    around = (scene.labels != SKY) & ~people
    assert infrared[people].mean() > infrared[around].mean() + 0.1


def test_fog_hides_more_from_light_than_from_heat() -> None:
    scene = Scene("test", 2)
    visible = scene.visible().mean(-1)
    middle = (scene.depth > 25) & (scene.depth < 80)
    assert visible[middle].std() < 0.5 * scene.infrared()[middle].std() + 0.03
    clear = scene.radiance().mean(-1)
    assert (
        clear[middle].std() / clear[middle].mean() > visible[middle].std() / visible[middle].mean()
    )


def test_depth_and_labels_agree() -> None:
    scene = Scene("test", 0)
    assert np.isinf(scene.depth[scene.labels == SKY]).all()
    assert np.isfinite(scene.depth[scene.labels != SKY]).all()
    assert scene.depth.min() > 0.3


def test_fog_weakens_heat_with_distance_and_closes_the_sky() -> None:
    scene = Scene("test", 2)
    frame, sources, climate = scene._parts
    assert 0.25 <= climate.fog_share <= 0.75
    seen = heat.apparent(frame, climate, climate.extinction(sources.density))
    clear = heat.apparent(frame, climate, climate.extinction(0.0))
    near, far = scene.depth < 12, (scene.depth > 40) & np.isfinite(scene.depth)
    kept = [(seen[at] - heat.AIR).std() / (clear[at] - heat.AIR).std() for at in (near, far)]
    assert kept[1] < kept[0] < 1
    np.testing.assert_allclose(seen[np.isinf(scene.depth)], heat.AIR, atol=1e-3)
    night = Scene("test", 1)
    frame, sources, climate = night._parts
    above = heat.apparent(frame, climate, climate.extinction(sources.density))
    assert above[np.isinf(night.depth)].max() < heat.AIR - 2


def test_the_gain_is_automatic_and_bounded() -> None:
    grey = Scene("test", 1).infrared()
    assert grey.min() < 0.02
    assert (grey == 1).mean() < 0.02
    # A street like the air all over is not stretched to full contrast.
    frame, _, climate = Scene("test", 2)._parts
    plain = copy.copy(frame)
    plain.heat = np.full_like(frame.heat, heat.AIR)
    flat = heat.thermal(plain, climate, 0.05, np.random.default_rng(0))
    assert flat.std() < 0.03


def test_vehicles_that_stand_are_nearly_as_warm_as_the_air() -> None:
    rng = np.random.default_rng(0)
    parked = [heat.engine(rng, warm=False) for _ in range(50)]
    driven = [heat.engine(rng, warm=True) for _ in range(50)]
    assert np.mean([abs(one.grille) for one in parked]) < 2
    assert min(one.grille for one in driven) > 8

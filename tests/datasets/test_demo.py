"""The drawn dataset: repeatable, exact labels, warm people, fog that heat does not see."""

import hashlib

import numpy as np
import pytest
import torch

from fusionzoo import datasets
from fusionzoo.datasets import demo
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
    assert len({*prints["train_large"], *prints["test"], *prints["held_out"]}) == 636


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


def test_fog_hides_from_light_and_not_from_heat() -> None:
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

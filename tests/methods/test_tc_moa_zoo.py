"""The shipped TC-MoA: small, sharp, and turned by its dial."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import fusionzoo
from fusionzoo import datasets, weights
from fusionzoo.datasets._demo.scene import Scene
from fusionzoo.layers.exposure import exposure_pair
from fusionzoo.methods.tc_moa import ENTRY
from fusionzoo.predictor import Predictor

GRID = 1.0
"""Levels: a repeated pattern of less is not seen."""


def detail(picture: Tensor) -> float:
    """Mean absolute difference of neighbours."""
    return float(picture.diff(dim=-1).abs().mean() + picture.diff(dim=-2).abs().mean())


def first_pair(dataset: str) -> dict[str, Tensor]:
    return dict(datasets.find(dataset).listing(None, "test").items[0].load().images)


@pytest.fixture(scope="module")
def exposures() -> dict[str, Tensor]:
    picture = torch.from_numpy(Scene("test", 3).visible().transpose(2, 0, 1)).float()
    pair = exposure_pair(picture[:, 150:262, 200:312], torch.Generator().manual_seed(0))
    return {"under": pair.under, "over": pair.over}


@pytest.fixture(scope="module")
def ready() -> Predictor:
    torch.set_num_threads(1)
    return fusionzoo.load("tc_moa@zoo", device="cpu", task="mef")


def test_it_is_small_and_in_half_precision() -> None:
    path = weights.locate(ENTRY.weights["zoo"])
    assert path is not None
    assert Path(path).stat().st_size < 10_000_000
    assert {tensor.dtype for tensor in weights.read_state_dict(path).values()} == {torch.float16}


def test_beta_moves_the_picture_towards_one_source(
    ready: Predictor, exposures: dict[str, Tensor]
) -> None:
    means = [float(ready.turned(beta=b)(**exposures).mean()) for b in (-0.4, -0.2, 0, 0.2, 0.4)]
    assert means == sorted(means)
    assert means[-1] - means[0] > 0.1


def unclipped(fused: Tensor) -> Tensor:
    """The 16x16 regions in which no value is cut off at black or white: only they tell shares."""
    cut = ((fused <= 0) | (fused >= 1)).float().amax(0)[None, None]
    return functional.max_pool2d(cut, 16) == 0


def shares(fused: Tensor, x: Tensor, y: Tensor, regions: Tensor) -> Tensor:
    """Share of source x in each of these regions, by least squares, where the sources differ."""
    planes = (plane.mean(0, keepdim=True)[None] for plane in (fused, x, y))
    whole, first, second = planes
    gap = first - second
    above = functional.avg_pool2d((whole - second) * gap, 16)
    below = functional.avg_pool2d(gap * gap, 16)
    return (above / below)[(below > below.median() / 2) & regions]


PAIRS = [("demo", "vif"), ("demo_exposure", "mef"), ("demo_focus", "mff")]


@pytest.mark.parametrize(("dataset", "task"), PAIRS)
def test_alpha_raises_the_contrast_between_regions(dataset: str, task: str) -> None:
    # One pass, as it is the prompts that are tested.
    ready = fusionzoo.load("tc_moa@zoo", device="cpu", task=task).turned(passes=1)
    pair = {role: p[..., 100:324, 200:424] for role, p in first_pair(dataset).items()}
    x, y = (pair[role] for role in ready.method.inputs)
    fused = [ready.turned(alpha=alpha)(**pair) for alpha in (0, 0.5, 1, 2, 3)]
    regions = torch.stack([unclipped(one) for one in fused]).all(0)
    assert regions.float().mean() > 0.5
    even, *others = (shares(one, x, y, regions) for one in fused)
    # A shift that all regions share does not count.
    contrasts = [float((one - even).std()) for one in others]
    assert contrasts == sorted(contrasts)
    assert contrasts[3] > 2 * contrasts[1] > 3 * contrasts[0]


def test_medical_pairs_go_through_the_infrared_router() -> None:
    pair = {role: p[..., 100:212, 200:312] for role, p in first_pair("demo").items()}
    scan, mri = (pair[role].mean(0, keepdim=True) for role in ("visible", "infrared"))
    medical, visible, exposures = (
        fusionzoo.load("tc_moa@zoo", device="cpu", task=task) for task in ("medical", "vif", "mef")
    )
    fused = medical(scan=scan, mri=mri)
    assert torch.equal(fused, visible(visible=scan, infrared=mri))
    assert not torch.equal(fused, exposures(over=scan, under=mri))
    assert detail(fused) > 1.05 * detail((scan + mri) / 2)


@pytest.mark.parametrize("task", ["vif", "mef", "mff"])
def test_plain_surfaces_show_no_grid(task: str) -> None:
    ready = fusionzoo.load("tc_moa@zoo", device="cpu", task=task)
    first, second = ready.method.inputs
    for levels in ((0.3, 0.7), (0.6, 0.2)):
        flat = (torch.full((1, 112, 112), level) for level in levels)
        fused = ready(**dict(zip((first, second), flat, strict=True)))
        places = fused.reshape(28, 4, 28, 4).mean((0, 2))
        assert (places - places.mean()).abs().max() * 255 < GRID


@pytest.mark.parametrize(("dataset", "task"), PAIRS)
def test_one_file_fuses_three_tasks_more_sharply_than_a_mean(dataset: str, task: str) -> None:
    pair = {role: p[..., 160:328, 200:368] for role, p in first_pair(dataset).items()}
    fused, mean = (
        fusionzoo.load(name, device="cpu", task=task)(**pair) for name in ("tc_moa@zoo", "average")
    )
    assert detail(fused.mean(0)) > 1.05 * detail(mean.mean(0))

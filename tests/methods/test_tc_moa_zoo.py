"""The shipped TC-MoA: small, sharp, and turned by its dial."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

import fusionzoo
from fusionzoo import datasets, weights
from fusionzoo.datasets._demo.scene import Scene
from fusionzoo.layers.exposure import exposure_pair
from fusionzoo.methods.tc_moa import ENTRY
from fusionzoo.predictor import Predictor


def detail(picture: Tensor) -> float:
    """Mean absolute difference of neighbours."""
    return float(picture.diff(dim=-1).abs().mean() + picture.diff(dim=-2).abs().mean())


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


def test_alpha_makes_regions_depart_from_the_even_mixture(
    ready: Predictor, exposures: dict[str, Tensor]
) -> None:
    even = ready.turned(alpha=0.0)(**exposures)
    departures = [
        float((ready.turned(alpha=alpha)(**exposures) - even).abs().mean()) for alpha in (0.5, 1, 2)
    ]
    assert departures == sorted(departures)
    assert departures[-1] > 1.5 * departures[0]


@pytest.mark.parametrize(
    ("dataset", "task"), [("demo", "vif"), ("demo_exposure", "mef"), ("demo_focus", "mff")]
)
def test_one_file_fuses_three_tasks_more_sharply_than_a_mean(dataset: str, task: str) -> None:
    item = datasets.find(dataset).listing(None, "test").items[0]
    pair = {role: p[..., 160:328, 200:368] for role, p in item.load().images.items()}
    fused, mean = (
        fusionzoo.load(name, device="cpu", task=task)(**pair) for name in ("tc_moa@zoo", "average")
    )
    assert detail(fused.mean(0)) > 1.05 * detail(mean.mean(0))

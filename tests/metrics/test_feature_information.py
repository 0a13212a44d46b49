"""Feature images of FMI, and what its score is for equal and for unrelated pictures."""

import numpy as np
import pytest

from fusionzoo import metrics
from fusionzoo.metrics import fmi_edge, fmi_w
from tests.metrics.pictures import triple

PYWAVELETS = {(5, 7): 218.45912628362152, (60, 3): 48.48247983039535,
              (7, 70): 98.55785816562322, (80, 100): -5.745144264531618}  # fmt: skip
"""pywt.dwt2(noise, "dmey", "symmetric"), version 1.10, joined as [cA cH; cV cD]."""


def test_wavelet_coefficients_equal_those_of_pywavelets() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (37, 64), np.uint8)
    found = fmi_w.feature(metrics.Plane(noise))
    assert found.shape == (98, 124)
    assert np.abs(found).sum() == pytest.approx(1313714.549207674, rel=1e-12)
    for place, expected in PYWAVELETS.items():
        assert found[place] == pytest.approx(expected, abs=1e-9)


def test_edges_are_thin_and_in_their_place() -> None:
    step = np.zeros((16, 20), np.uint8)
    step[:, 9:] = 200
    edges = fmi_edge.feature(metrics.Plane(step))
    assert set(np.unique(edges)) == {0, 1}
    # The slope is equal on both sides of the step; of equal neighbours the later one is kept.
    assert np.argwhere(edges[5]).ravel().tolist() == [9]
    assert edges[:, 9].sum() == 14
    assert not fmi_edge.feature(metrics.Plane(np.full((9, 9), 7, np.uint8))).any()


@pytest.mark.parametrize("symbol", metrics.GROUPS["fmi"])
def test_equal_pictures_score_one_and_a_result_less(symbol: str) -> None:
    fused, infrared, visible = (metrics.Plane(p) for p in triple("tinyA"))
    entry = metrics.find(symbol)
    assert entry.observe(visible, visible, visible).value == pytest.approx(1, abs=1e-12)
    seen = entry.observe(fused, infrared, visible)
    assert 0.2 < seen.value < 0.95
    assert seen.value == pytest.approx((seen.terms["first"] + seen.terms["second"]) / 2)


def test_tang_prints_edges_as_pixels() -> None:
    planes = dict(
        zip(("infrared", "visible"), map(metrics.Plane, triple("tinyA")[1:]), strict=True)
    )
    fused = metrics.Plane(triple("tinyA")[0])
    theirs = metrics.observe(metrics.select("FMI_pixel", "tang"), fused, "tang", **planes)
    ours = metrics.observe(metrics.select("FMI_edge"), fused, **planes)
    assert theirs["FMI_pixel"].value == ours["FMI_edge"].value

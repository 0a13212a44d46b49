"""What must change no value: order of the sources, order and grouping of pictures, mirroring."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusionzoo import metrics
from fusionzoo.core import Observation
from tests.metrics.pictures import triple

ALL = [m for m in metrics.select("all") if m.reference in ("none", "sources")]
# FMI is slow and VIFF gives ties to the second source: both have their own triples below.
EXACT = [m for m in ALL if not m.symbol.startswith(("FMI", "VIFF"))]
FAST = [m for m in EXACT if m.symbol not in ("MEF-SSIM", "VIFp", "QCB", "QE")]
SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))
SEEDS = st.integers(0, 2**16)
Pictures = list[np.ndarray]


def drawn(seed: int, size: tuple[int, int], count: int = 3) -> Pictures:
    """Pictures between noise and flat areas, each with its own share of both."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (count, *size), np.uint8)
    step = rng.integers(1, 90, (count, 1, 1), np.uint8)
    return list((noise // step * step).astype(np.uint8))


def observe(pictures: Pictures, chosen: list = EXACT) -> dict[str, Observation]:
    fused, first, second = (metrics.Plane(p) for p in pictures)
    return metrics.observe(chosen, fused, infrared=first, visible=second)


def same(one: dict[str, Observation], two: dict[str, Observation]) -> None:
    assert one.keys() == two.keys()
    for symbol in one:
        assert one[symbol].status == two[symbol].status, symbol
        if one[symbol].value is not None:
            near = pytest.approx(one[symbol].value, rel=1e-6, abs=1e-7)
            assert two[symbol].value == near, symbol


@given(SEEDS, SIZES)
@settings(max_examples=25, deadline=None)
def test_swapping_the_sources(seed: int, size: tuple[int, int]) -> None:
    fused, first, second = drawn(seed, size)
    same(observe([fused, first, second]), observe([fused, second, first]))


@pytest.mark.parametrize("case", ["synA", "synB"])
def test_swapping_the_sources_of_viff(case: str) -> None:
    fused, first, second = triple(case)
    chosen = [metrics.find("VIFF")]
    same(observe([fused, first, second], chosen), observe([fused, second, first], chosen))


@pytest.mark.parametrize("symbol", metrics.GROUPS["fmi"])
def test_swapping_the_sources_of_fmi(symbol: str) -> None:
    fused, first, second = drawn(1, (30, 41))
    chosen = [metrics.find(symbol)]
    same(observe([fused, first, second], chosen), observe([fused, second, first], chosen))


@given(SEEDS, st.permutations(range(4)), st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_order_and_batches_of_pictures(seed: int, order: list[int], cut: int) -> None:
    """Scored one by one, in another order, or in two batches that share their sources."""
    sources = drawn(seed, (20, 24), 2)
    outputs = drawn(seed + 1, (20, 24), 4)
    alone = [observe([output, *sources], FAST) for output in outputs]

    def batch(part: list[int]) -> dict[int, dict[str, Observation]]:
        first, second = (metrics.Plane(p) for p in sources)
        planes = {i: metrics.Plane(outputs[i]) for i in part}
        return {i: metrics.observe(FAST, planes[i], infrared=first, visible=second) for i in part}

    together = batch(order[:cut]) | batch(order[cut:])
    for i, expected in enumerate(alone):
        same(expected, together[i])
    for metric in FAST:
        mean = metric.summarize([seen[metric.symbol] for seen in alone])
        shuffled = metric.summarize([together[i][metric.symbol] for i in order])
        assert shuffled == (mean if mean is None else pytest.approx(mean, rel=1e-6, abs=1e-7))


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_label_maps_in_any_order_and_grouping(seed: int) -> None:
    entry = metrics.find("mIoU")
    truth, guess = np.random.default_rng(seed).integers(0, 5, (2, 6, 9, 9))
    seen = [entry.observe(g, t, 5) for g, t in zip(guess, truth, strict=True)]
    whole = entry.observe(guess.reshape(-1, 9), truth.reshape(-1, 9), 5)
    assert entry.summarize(seen[::-1]) == pytest.approx(whole.value, rel=1e-12)


@given(SEEDS, SIZES)
@settings(max_examples=25, deadline=None)
def test_values_lie_in_the_stated_range(seed: int, size: tuple[int, int]) -> None:
    for symbol, one in observe(drawn(seed, size)).items():
        low, high = metrics.find(symbol).range
        if one.status == "ok":
            assert low is None or one.value >= low - 1e-9, symbol
            assert high is None or one.value <= high + 1e-6, symbol


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_mirroring_the_pictures(seed: int) -> None:
    """Left and right are alike but for Qabf, whose vertical edges have one angle, pi / 2."""
    pictures = drawn(seed, (24, 32))
    free = metrics.select("EN,SD,SF,AG,SCD,SSIM,CC,MI,NMI,MSE,PSNR,EI,QNCIE,TE,CE,Nabf,QCV")
    mirrored = [np.ascontiguousarray(p[:, ::-1]) for p in pictures]
    same(observe(pictures, list(free)), observe(mirrored, list(free)))


@given(st.integers(0, 2**16), st.integers(12, 40), st.integers(12, 40))
@settings(max_examples=25, deadline=None)
def test_swapping_the_sources_changes_no_core_metric(seed: int, height: int, width: int) -> None:
    pictures = np.random.default_rng(seed).integers(0, 256, (3, height, width), np.uint8)
    fused, one, two = (metrics.Plane(picture) for picture in pictures)
    chosen = metrics.select("core")
    seen = metrics.observe(chosen, fused, infrared=one, visible=two)
    swapped = metrics.observe(chosen, fused, infrared=two, visible=one)
    for symbol, found in seen.items():
        if found.status == "ok":
            assert swapped[symbol].value == pytest.approx(found.value, rel=1e-9, abs=1e-12), symbol

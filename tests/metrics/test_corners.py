"""Constant, equal and tiny pictures, and wrong input: what every metric returns, for every corner.

Wanted results: tests/golden/metrics/degenerate_inputs.json.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fusionzoo import metrics
from fusionzoo.core import MetricError, Observation
from tests.metrics.pictures import triple

GOLDEN = json.loads(
    (Path(__file__).parent.parent / "golden" / "metrics" / "degenerate_inputs.json").read_text()
)
WANTED = GOLDEN["expected_standard"]


def corner(case: str) -> list[np.ndarray]:
    """Fused, infrared, visible of a named corner."""
    fused, infrared, visible = triple("synA")
    flat = np.full_like(fused, 128)
    return {
        "identical: A=B=F=vi": [visible, visible, visible],
        "F constant 128": [flat, infrared, visible],
        "A all zero": [fused, np.zeros_like(fused), visible],
        "F = A (copy of the infrared image)": [infrared, infrared, visible],
        "A=B=F constant 128": [flat, flat, flat],
    }[case]


def observe(pictures: list[np.ndarray], wanted: str = "all") -> dict[str, Observation]:
    fused, infrared, visible = pictures
    return metrics.evaluate(fused, infrared=infrared, visible=visible, metrics=wanted)


@pytest.mark.parametrize("case", WANTED)
def test_corners_have_the_wanted_value_or_status(case: str) -> None:
    seen = observe(corner(case))
    for symbol, wanted in WANTED[case].items():
        one = seen[symbol]
        assert one.status == wanted["status"], (symbol, one)
        if one.status == "ok":
            near = pytest.approx(wanted["value"], rel=1e-4 if symbol == "QY" else 1e-6, abs=1e-9)
            assert one.value == near, symbol
        else:
            assert one.reason, symbol
    assert all(np.isfinite(one.value) for one in seen.values() if one.status == "ok")
    assert all(one.value is None for one in seen.values() if one.status == "undefined")


def test_terms_that_exist_are_kept() -> None:
    fused, infrared, visible = triple("synA")
    flat = np.zeros_like(fused)
    copied = observe([infrared, infrared, visible], "SCD,CC,VIFp")
    assert copied["SCD"].value is None
    assert list(copied["SCD"].terms) == ["infrared"]
    black = observe([fused, flat, visible], "SCD,CC,VIFp")
    for symbol in ("CC", "VIFp"):
        assert list(black[symbol].terms) == ["visible"], symbol
    whole = observe([fused, infrared, visible], "SSIM,MS-SSIM,MI,NMI,CC,VIFp,SCD,MSE,CE,TE")
    for symbol, one in whole.items():
        total = one.terms["infrared"] + one.terms["visible"]
        assert one.value == pytest.approx(total / (2 if symbol in ("CC", "MSE", "CE") else 1))


@pytest.mark.parametrize("size", GOLDEN["size_cases"], ids=lambda size: str(size["shape"]))
def test_sides_below_the_smallest_are_too_small(size: dict) -> None:
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, *size["shape"]), np.uint8))
    seen = observe(pictures)
    small = {symbol for symbol, one in seen.items() if one.status == "too_small"}
    others = {"QE", "FMI_dct", "FMI_gradient", "FMI_w", "FMI_edge"}
    assert small - others == set(size["too_small"])
    assert "smallest side" in seen["MS-SSIM"].reason or "MS-SSIM" not in small
    assert others & small == {s for s in others if min(size["shape"]) < (11 if s == "QE" else 3)}


def test_flat_pictures_are_never_silently_wrong() -> None:
    """All three constant at 0, at 255, and at different levels: a number or a reason."""
    for levels in ((0, 0, 0), (255, 255, 255), (10, 200, 90)):
        seen = observe([np.full((170, 166), level, np.uint8) for level in levels])
        for symbol, one in seen.items():
            assert (one.value is not None and np.isfinite(one.value)) or one.reason, symbol


@pytest.mark.parametrize("convention", [name for name in metrics.CONVENTIONS if name != "mitnet"])
@pytest.mark.parametrize("case", WANTED)
def test_corners_under_every_convention_are_numbers_or_reasons(case: str, convention: str) -> None:
    fused, infrared, visible = corner(case)
    chosen = [m for m in metrics.select("all", convention) if not m.symbol.startswith("FMI")]
    planes = {"infrared": metrics.Plane(infrared), "visible": metrics.Plane(visible)}
    seen = metrics.observe(chosen, metrics.Plane(fused), convention, **planes)
    for symbol, one in seen.items():
        assert one.reason or np.isfinite(one.value), symbol
        assert (one.status == "ok") == (not one.reason), symbol


@pytest.mark.parametrize(
    ("picture", "options", "message"),
    [
        (np.zeros((4, 5)), {}, "data_range"),
        (np.zeros((4, 5), np.uint16), {}, "data_range"),
        (np.full((4, 5), np.nan), {"data_range": 1}, "NaN"),
        (np.full((4, 5), np.inf), {"data_range": 1}, "NaN or infinity"),
        (np.full((4, 5), 1.5), {"data_range": 1}, "expected 0 to 1"),
        (np.full((4, 5), -0.1), {"data_range": 1}, "expected 0 to 1"),
        (np.zeros((0, 5), np.uint8), {}, "no pixels"),
        (np.zeros((4, 5, 2), np.uint8), {}, "expected a picture"),
        (np.zeros(7, np.uint8), {}, "expected a picture"),
    ],
)
def test_wrong_input_is_refused(picture: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        metrics.evaluate(picture, metrics="EN", **options)
    assert isinstance(caught.value, MetricError)


def test_sizes_that_differ_are_named() -> None:
    pictures = [np.zeros(shape, np.uint8) for shape in ((4, 5), (4, 6), (4, 5))]
    with pytest.raises(MetricError, match=r"output 5x4, .*infrared 6x4.*never resize"):
        observe(pictures)


def test_sixteen_bit_beside_eight_bit_and_colour_beside_grey() -> None:
    """Deep pictures are brought to 8 bit by their stated range, colour is taken to luma."""
    fused, infrared, visible = triple("tinyA")
    plain = observe([fused, infrared, visible], "EN,SD,MI,SSIM")
    deep = metrics.evaluate(fused, infrared=infrared.astype(np.uint16) * 257, visible=visible,
                            metrics="EN,SD,MI,SSIM", data_range=65535)  # fmt: skip
    grey = [np.dstack([p, p, p]) for p in (fused, visible)]
    colour = observe([grey[0], infrared, grey[1]], "EN,SD,MI,SSIM")
    tensor = metrics.evaluate(torch.from_numpy(fused), infrared=infrared, visible=visible,
                              metrics="EN,SD,MI,SSIM")  # fmt: skip
    for other in (deep, colour, tensor):
        assert {s: o.value for s, o in other.items()} == {s: o.value for s, o in plain.items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_of_either_precision_give_the_values_of_levels(dtype: type) -> None:
    """Also where one last bit decides, as between equal gradients in Qabf."""
    pictures = triple("synA")
    floats = [(p / 255).astype(dtype) for p in pictures]
    plain = observe(pictures)
    seen = metrics.evaluate(floats[0], infrared=floats[1], visible=floats[2], metrics="all",
                            data_range=1)  # fmt: skip
    assert {s: o.value for s, o in seen.items()} == {s: o.value for s, o in plain.items()}


def test_equal_gradients_take_the_branch_of_the_published_program() -> None:
    """G = g_F where magnitudes are equal: 0 on flat areas, far above 1 on equal edges."""
    step = np.zeros((8, 8), np.uint8)
    step[:, 4:] = 100
    strong = 0.9994 / (1 + np.exp(-15 * (400 - 0.5)))
    turned = 0.9879 / (1 + np.exp(-22 * (1 - 0.8)))
    assert observe([step, step, step], "Qabf")["Qabf"].value == pytest.approx(strong * turned)

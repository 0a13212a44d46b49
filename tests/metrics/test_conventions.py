"""Every convention against its reference values; prints one table: metric x convention."""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fusionzoo import image, metrics
from fusionzoo.core import UnknownNameError
from tests.metrics.pictures import triple

GOLDEN = json.loads(
    (Path(__file__).parent.parent / "golden" / "metrics" / "conventions.json").read_text()
)
CASES = GOLDEN["cases"]
SYNTHETIC, REAL = ("synA", "synB", "tinyA"), ("crop0", "tiny0", "00000", "00001", "00002")
RENAMED = {"QW": "QE", "VIF": "VIFp"}
FOUND: dict[tuple[str, str], float] = {}


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what was reached; shown by pytest -s or when a test fails."""
    yield
    columns = list(metrics.CONVENTIONS)
    sys.stdout.write(
        "\nlargest relative error\n" + " " * 14 + "".join(f"{c:>11}" for c in columns) + "\n"
    )
    for symbol in sorted({key[0] for key in FOUND}):
        cells = (FOUND.get((symbol, column)) for column in columns)
        shown = (f"{'':>11}" if cell is None else f"{cell:>11.1e}" for cell in cells)
        sys.stdout.write(f"{symbol:<14}" + "".join(shown) + "\n")


def tolerance(convention: str, symbol: str) -> float:
    special = {("ivif_zoo", "CE"): 1e-4, ("tang2022", "Qabf"): 1e-2}
    return special.get((convention, symbol), 2e-5 if symbol in ("QY", "QC") else 1e-6)


def upstream_tolerance(convention: str, symbol: str) -> float:
    if convention in ("ivif_zoo", "tang_py") and symbol in ("SSIM", "MS-SSIM"):
        return 1e-3
    special = {("cddfuse", "SSIM"): 2e-5, ("ivif_zoo", "VIF"): 3e-4}
    return special.get((convention, symbol), tolerance(convention, symbol))


def symbol_of(convention: str, symbol: str) -> str:
    return "VIFF" if (convention, symbol) == ("mefb", "VIF") else RENAMED.get(symbol, symbol)


def check(case: str, pictures: list[np.ndarray]) -> None:
    """Every golden value of a case, under every convention."""
    planes = [metrics.Plane(np.ascontiguousarray(p)) for p in pictures]
    for convention, expected in CASES[case].items():
        names = [symbol_of(convention, symbol) for symbol in expected]
        chosen = metrics.select(names, convention)
        seen = metrics.observe(chosen, planes[0], convention, infrared=planes[1], visible=planes[2])
        for symbol, golden in expected.items():
            name = symbol_of(convention, symbol)
            found = seen[name].value
            assert found is not None, (case, convention, symbol, seen[name].reason)
            error = abs(found - golden["value"]) / max(abs(golden["value"]), 1e-12)
            FOUND[name, convention] = max(FOUND.get((name, convention), 0.0), error)
            assert error < tolerance(convention, symbol), (case, convention, symbol, found, golden)
            printed = golden.get("upstream")
            if isinstance(printed, int | float) and math.isfinite(printed):
                assert found == pytest.approx(
                    printed, rel=upstream_tolerance(convention, symbol)
                ), (case, convention, symbol)


@pytest.mark.parametrize("case", SYNTHETIC)
def test_synthetic_triples(case: str) -> None:
    check(case, triple(case))


@pytest.mark.parametrize("case", REAL)
def test_published_pictures(case: str, shared: Path) -> None:
    folder = shared / "data" / "M3FD_Detection"
    paths = [shared / "golden" / "sage_results", folder / "Ir", folder / "Vis"]
    name = case if case.startswith("0") else "00000"
    pictures = [image.grey(image.read(path / f"{name}.png")) for path in paths]
    part = {
        "crop0": (slice(256, 448), slice(384, 640)), "tiny0": (slice(320, 368), slice(480, 544)),
    }.get(case)  # fmt: skip
    check(case, [picture[part] for picture in pictures] if part else pictures)


def test_a_name_that_a_convention_lacks_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match=r"vifb has no SCD: it has .*SSIM"):
        metrics.select("SCD", "vifb")
    with pytest.raises(UnknownNameError, match="did you mean cddfuse"):
        metrics.select("EN", "cddfuze")
    assert "SCD" not in {m.symbol for m in metrics.select("all", "vifb")}

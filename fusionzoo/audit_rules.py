"""Ranges that tell metric conventions apart, as data (means over a dataset, or single pictures)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Strength = Literal["certain", "strong", "weak"]
_UP = math.inf
_TANG = ("tang", "tang_py", "tang2022")
_UNIT = (*_TANG, "ivif_zoo")
_MATLAB = ("vifb", "mefb")
OFFSET = 20 * math.log10(255)
"""Decibel that PSNR gains where the error is on 0..1 and the peak on 0..255: 48.1308."""


@dataclass(frozen=True)
class Rule:
    """All values of a column within [low, high] give a verdict.

    Attributes:
        low: Smallest value.
        high: Largest value.
        verdict: What the column is.
        points_to: Conventions that print such values.
        strength: "certain" leaves no other possibility, "strong" no other known program; "weak"
            overlaps with others.
        text: The rule in words.
        factor: Times this is the standard value, if it can be converted.
        offset: Then plus this.
    """

    low: float
    high: float
    verdict: str
    points_to: tuple[str, ...]
    strength: Strength
    text: str
    factor: float | None = None
    offset: float = 0.0


SYMBOLS = {
    "entropy": "EN", "std": "SD", "stddev": "SD", "variance": "SD", "spatialfrequency": "SF",
    "avggradient": "AG", "averagegradient": "AG", "mssim": "MS-SSIM", "mutinf": "MI",
    "mutualinformation": "MI", "crossentropy": "CE", "edgeintensity": "EI", "vif": "VIFp",
    "qabf": "Qabf", "qg": "Qabf", "nabf": "Nabf", "qw": "QE", "ncie": "QNCIE", "qmi": "NMI",
    "fmi": "FMI_pixel", "spatialfreq": "SF",
}  # fmt: skip
"""Column headings of published tables, without signs and capitals, that are no symbol of ours."""

RULES: dict[str, tuple[Rule, ...]] = {
    "SD": (
        Rule(0.5, 16, "8-bit MATLAB arithmetic", ("tang2022",), "certain",
             "SD below 16: saturated squares cannot exceed 15.97; true means are 34 to 59"),
        Rule(20, 127.5, "true scale", (), "weak", "SD between 20 and 127.5"),
    ),
    "SF": (
        Rule(0, 0.2, "pictures in 0..1", ("tang2022",), "strong",
             "SF below 0.2 (TNO means 0.023 to 0.051)", 255.0),
    ),
    "MSE": (
        Rule(0, 1, "pictures in 0..1", _UNIT, "strong",
             "MSE below 1 (TNO means 0.037 to 0.059)", 255.0**2),
        Rule(100, 10000, "true scale", ("standard", "cddfuse"), "strong", "MSE 100 to 10000"),
    ),
    "PSNR": (
        Rule(58.5, 75, "48.13 dB too high", _UNIT, "strong",
             "PSNR 58.5 to 75: error on 0..1, peak on 0..255; an MSE column proves it", 1.0,
             -OFFSET),
        Rule(52, 65, "VIFB's residual", _MATLAB, "strong",
             "PSNR 52 to 65 (means 55.9 to 58.5): converts only with the picture size"),
        Rule(8, 25, "true scale", ("standard", "cddfuse"), "strong",
             "PSNR 8 to 25: true scale; peak 255 and peak max(F) overlap"),
    ),
    "RMSE": (
        Rule(0, 0.6, "VIFB's residual", _MATLAB, "strong",
             "RMSE below 0.6 is (sqrt SSE + sqrt SSE) / 2MN, no root mean square"),
        Rule(10, 100, "true scale", ("standard",), "strong", "RMSE 10 to 100"),
    ),
    "SSIM": (
        Rule(1.1, 2, "sum over both sources, L = 255", ("standard", "vifb"), "strong",
             "SSIM above 1.1 (means 1.15 to 1.47)"),
        Rule(0.74, 1.08, "sum over both sources, L = 1 or 2", ("cddfuse", "ivif_zoo"), "strong",
             "SSIM 0.74 to 1.08 (VIFB means 0.70 to 0.95, CDDFuse prints 1.03 and 0.98)"),
        Rule(0.70, 0.74, "ambiguous", (), "weak",
             "SSIM 0.70 to 0.74: mean with L = 255, or sum with L = 1"),
        Rule(0.52, 0.70, "mean of both sources, L = 255", (), "weak",
             "SSIM 0.52 to 0.70 (means 0.57 to 0.74)", 2.0),
        Rule(0.30, 0.51, "mean of both sources, L = 1", ("tang", "tang_py"), "strong",
             "SSIM 0.30 to 0.51"),
    ),
    "MS-SSIM": (
        Rule(0, 0, "a stub, not computed", (), "certain", "MS-SSIM exactly 0"),
        Rule(1.13, 2, "sum over both sources, L = 255", ("standard",), "strong",
             "MS-SSIM above 1.13 (means 1.10 to 1.43)"),
        Rule(0.97, 1.13, "sum over both sources, L = 1", ("ivif_zoo",), "weak",
             "MS-SSIM 0.97 to 1.13 (SAGE prints 1.117)"),
        Rule(0.79, 0.97, "MEF-SSIM, or a sum with L = 1", ("tang", "ivif_zoo"), "weak",
             "MS-SSIM 0.79 to 0.97"),
        Rule(0.57, 0.75, "mean of both sources, L = 255", (), "weak",
             "MS-SSIM 0.57 to 0.75", 2.0),
        Rule(0.38, 0.56, "mean of both sources, L = 1", ("tang_py",), "strong",
             "MS-SSIM 0.38 to 0.56"),
    ),
    "MI": (
        Rule(1, 2.4, "nats, or few bits", ("cddfuse", "vifb"), "weak",
             "MI 1 to 2.4 (VIFB means 1.65 to 2.99 nats, 2.45 to 4.51 bits)", 1 / math.log(2)),
    ),
    "CE": (
        Rule(0, 0.1, "binary cross entropy", ("ivif_zoo",), "strong",
             "CE at or below 0.1 for every row (true means 0.9 to 1.9)"),
        Rule(0.4, 5, "true scale", ("standard", *_MATLAB), "weak", "CE 0.4 to 5"),
    ),
    "Nabf": (
        Rule(0.16, 1, "no division by 8", (), "weak", "Nabf above 0.16 (means 0.001 to 0.153)"),
    ),
    "QNCIE": (
        Rule(0.79, 0.84, "mutual information", ("standard", "mefb"), "strong",
             "QNCIE 0.80 to 0.83"),
        Rule(0.845, 0.9, "Pearson correlation", ("ivif_zoo",), "strong", "QNCIE 0.86 to 0.88"),
    ),
    "TE": (
        Rule(20, _UP, "exchanged marginals", ("mefb",), "strong", "TE above 20"),
        Rule(5, 7.15, "entropy difference", ("ivif_zoo",), "weak", "TE 5.8 to 7.1"),
    ),
    "QCV": (
        Rule(-_UP, 5, "another port", (), "strong", "QCV below 5 (VIFB means 399 to 2138)"),
        Rule(50, 5000, "true scale", ("standard", *_MATLAB), "weak", "QCV 50 to 5000"),
    ),
    "FMI_pixel": (
        Rule(0.8, 1, "edge maps", ("tang", "mefb"), "strong",
             "FMI 0.88 to 0.91 (TC-MoA prints 0.886); pixels give 0.44"),
        Rule(0.3, 0.6, "pixels", ("standard",), "weak", "FMI 0.44 to 0.47"),
    ),
    "QY": (
        Rule(0.965, 0.99, "window of sum 7", ("ivif_zoo",), "strong",
             "QY 0.97 to 0.98 for every row; true values 0.77 to 0.95"),
    ),
    "VIFp": (
        Rule(0.25, 0.43, "mean of both sources", (), "weak", "VIF 0.25 to 0.43", 2.0),
        Rule(0.5, 0.98, "sum over both sources", (), "weak",
             "VIF 0.5 to 0.95: valid border, zero border and saturated products overlap"),
    ),
}  # fmt: skip

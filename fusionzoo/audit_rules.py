"""Ranges that tell metric conventions apart, as data (means over a dataset, or single pictures)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

_UP = math.inf
_TANG = ("tang", "tang_py", "tang2022")
_UNIT = (*_TANG, "ivif_zoo")
_MATLAB = ("vifb", "mefb")


@dataclass(frozen=True)
class Rule:
    """All values of a column within [low, high] give a verdict.

    Attributes:
        low: Smallest value.
        high: Largest value.
        verdict: What the column is.
        points_to: Conventions that print such values.
        strength: "certain" leaves no other possibility, "strong" no other known program.
        factor: Times this is the standard value, if it can be converted.
        offset: Then plus this.
        text: The rule in words.
    """

    low: float
    high: float
    verdict: str
    points_to: tuple[str, ...]
    strength: Literal["certain", "strong", "weak"]
    text: str
    factor: float | None = None
    offset: float = 0.0


SYMBOLS = {
    "en": "EN", "entropy": "EN", "sd": "SD", "std": "SD", "variance": "SD", "sf": "SF",
    "spatialfrequency": "SF", "ag": "AG", "avggradient": "AG", "scd": "SCD", "ssim": "SSIM",
    "msssim": "MS-SSIM", "mssim": "MS-SSIM", "mi": "MI", "mutinf": "MI", "mse": "MSE",
    "rmse": "RMSE", "psnr": "PSNR", "cc": "CC", "ce": "CE", "crossentropy": "CE", "vif": "VIFp",
    "vifp": "VIFp", "qabf": "Qabf", "nabf": "Nabf", "qncie": "QNCIE", "te": "TE", "qcv": "QCV",
    "qcb": "QCB", "qy": "QY", "ei": "EI", "edgeintensity": "EI", "fmi": "FMI_pixel",
    "fmipixel": "FMI_pixel",
}  # fmt: skip
"""Column headings without signs and capitals, to symbols."""

RULES: dict[str, tuple[Rule, ...]] = {
    "SD": (
        Rule(0.5, 16, "8-bit MATLAB arithmetic", ("tang2022",), "certain",
             "SD below 16: saturated squares cannot exceed 15.97; true means are 34 to 59"),
        Rule(20, 127.5, "true scale", (), "weak", "SD between 20 and 127.5"),
        Rule(127.6, _UP, "not possible", (), "certain", "SD cannot exceed 127.5 on 0..255"),
    ),
    "SF": (
        Rule(0, 0.2, "pictures in 0..1", ("tang2022",), "strong",
             "SF below 0.2 (TNO means 0.023 to 0.051)", 255.0),
    ),
    "MSE": (
        Rule(0, 1, "pictures in 0..1", _UNIT, "weak", "MSE below 1 (TNO means 0.037 to 0.059)",
             65025.0),
    ),
    "PSNR": (
        Rule(58.9, 70, "48.13 dB too high, or residual per size", (*_UNIT, *_MATLAB), "weak",
             "PSNR 59 to 70: either 48.13 dB too high or VIFB's form; an MSE or RMSE column tells"),
        Rule(52, 58.9, "VIFB's residual", _MATLAB, "strong",
             "PSNR 52 to 59: converts only with the picture size"),
        Rule(8, 25, "true scale", ("standard", "cddfuse"), "weak",
             "PSNR 8 to 25: true scale; peak 255 and peak max(F) overlap"),
    ),
    "RMSE": (
        Rule(0, 0.6, "VIFB's residual", _MATLAB, "strong",
             "RMSE below 0.6 on 0..255 is (sqrt SSE + sqrt SSE) / 2MN, no root mean square"),
    ),
    "SSIM": (
        Rule(1.1, 2, "sum over both sources, L = 255", ("standard", "vifb"), "strong",
             "SSIM above 1.1 (means 1.15 to 1.47)"),
        Rule(0.85, 1.08, "sum over both sources, L = 1 or 2", ("cddfuse", "ivif_zoo"), "weak",
             "SSIM 0.85 to 1.08 (CDDFuse prints 1.03 and 0.98)"),
        Rule(0.70, 0.74, "ambiguous", (), "weak",
             "SSIM 0.70 to 0.74: mean with L = 255, or sum with L = 1"),
        Rule(0.55, 0.70, "mean of both sources, L = 255", (), "weak", "SSIM 0.55 to 0.70", 2.0),
        Rule(0.30, 0.51, "mean of both sources, L = 1", ("tang", "tang_py"), "strong",
             "SSIM 0.30 to 0.51"),
    ),
    "MS-SSIM": (
        Rule(0, 0, "stub", (), "certain", "MS-SSIM exactly 0"),
        Rule(1.13, 2, "sum over both sources, L = 255", ("standard",), "strong",
             "MS-SSIM above 1.13 (means 1.10 to 1.43)"),
        Rule(0.97, 1.13, "sum over both sources, L = 1", ("ivif_zoo",), "weak",
             "MS-SSIM 0.97 to 1.13 (SAGE prints 1.117)"),
        Rule(0.86, 0.97, "MEF-SSIM, or a sum with L = 1", ("tang",), "weak",
             "MS-SSIM 0.86 to 0.97"),
    ),
    "MI": (
        Rule(1.5, 2.4, "nats, or low bits", ("cddfuse", "vifb"), "weak",
             "MI 1.5 to 2.4 (VIFB means 1.65 to 2.99 nats, 2.45 to 4.51 bits)", 1 / math.log(2)),
    ),
    "CE": (
        Rule(0, 0.1, "binary cross entropy", ("ivif_zoo",), "strong",
             "CE at or below 0.1 (true values 0.9 to 1.9)"),
        Rule(0.4, 5, "true scale", ("standard", *_MATLAB), "weak", "CE 0.4 to 5"),
    ),
    "Nabf": (
        Rule(0.16, 1, "not the division by 8", (), "weak", "Nabf above 0.16"),
    ),
    "QNCIE": (
        Rule(0.79, 0.84, "mutual information", ("standard", "mefb"), "weak", "QNCIE 0.80 to 0.83"),
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
        Rule(0.8, 1, "edge feature", ("tang",), "strong", "FMI 0.88 to 0.91; pixels give 0.44"),
    ),
    "QY": (
        Rule(0.965, 0.99, "window of sum 7", ("ivif_zoo",), "strong",
             "QY 0.97 to 0.98 for every row; true values 0.77 to 0.95"),
    ),
    "VIFp": (
        Rule(0.25, 0.43, "mean of both sources", (), "weak", "VIF 0.25 to 0.43", 2.0),
        Rule(0.5, 0.99, "sum over both sources", (), "weak",
             "VIF 0.5 to 0.95: valid and zero border overlap"),
    ),
    "EN": (Rule(8.0001, _UP, "not possible", (), "certain", "EN cannot exceed 8 bit"),),
    "SCD": (Rule(2.0001, _UP, "not possible", (), "certain", "SCD cannot exceed 2"),),
}  # fmt: skip

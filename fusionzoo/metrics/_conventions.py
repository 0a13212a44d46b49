"""Published conventions as data: which metrics a program prints, and what it does differently.

A convention names every metric it defines. The options stand for keyword arguments of that metric's
`observe`; no options means the standard definition. Programs and commits are those of
metrics/README.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fusionzoo.core import UnknownNameError

Colour = Literal["grey", "channels", "joined", "first"]


@dataclass(frozen=True)
class Definition:
    """How one column is computed.

    Attributes:
        options: Keyword arguments of the metric's `observe`.
        of: Symbol of another metric that the program prints under this name.
        colour: "grey": luma of each picture; "channels": per channel, then the mean of the three;
            "joined": channels side by side; None: as the convention says.
        note: What a reader of the column should know.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    of: str | None = None
    colour: Colour | None = None
    note: str = ""


@dataclass(frozen=True)
class Convention:
    """One line of programs.

    Attributes:
        title: One line for lists.
        metrics: Symbol to definition; None: every metric as it is, except those in `without`.
        colour: What is done with colour pictures.
        without: Symbols that the convention leaves out.
        papers: Who prints such numbers.
    """

    title: str
    metrics: Mapping[str, Definition] | None = None
    colour: Colour = "grey"
    without: tuple[str, ...] = ()
    papers: str = ""

    def defines(self, symbol: str) -> bool:
        """True if the convention has this column."""
        if self.metrics is None:
            return symbol not in self.without
        return symbol in self.metrics

    def definition(self, symbol: str) -> Definition:
        """How the column is computed."""
        return (self.metrics or {}).get(symbol, Definition())


def _of(**options: Any) -> Definition:
    return Definition(options)


SAME = Definition()
_INNER = _of(divide_by="inner")
_UNIT = _of(unit=255.0)
_PIXELS = _of(divide_by="pixels")
_VIFB = _of(form="vifb")
_NATS = _of(unit="nat")
_LIFTED = Definition({"unit": 255.0}, note="48.13 dB above the standard")
_EDGES = "this program's default selects edge maps, so it prints FMI_edge here"
_TANG = {
    "EN": SAME, "SD": SAME, "SF": SAME, "AG": _INNER, "MI": _of(saturated=True), "MSE": _UNIT,
    "PSNR": _LIFTED, "CC": SAME, "SCD": SAME, "VIFp": SAME, "Qabf": SAME,
}  # fmt: skip
_MATLAB = {
    "CE": SAME, "EN": SAME, "PSNR": _VIFB, "AG": _INNER, "EI": SAME, "Qabf": SAME, "SD": SAME,
    "QCB": SAME, "QCV": SAME,
}  # fmt: skip

CONVENTIONS: dict[str, Convention] = {
    "standard": Convention(
        "the definitions of this package, on 8-bit luma", without=("QC",), papers="fusionzoo"
    ),
    "cddfuse": Convention(
        "MMIF-CDDFuse utils/Evaluator.py with scikit-image 0.19",
        {
            "EN": SAME,
            "SD": SAME,
            "SF": SAME,
            "AG": SAME,
            "SCD": SAME,
            "CC": SAME,
            "MSE": SAME,
            "MI": _NATS,
            "PSNR": _of(peak="fused"),
            "VIFp": _of(flat=1.0),
            "Qabf": SAME,
            "SSIM": _of(data_range=2.0, window="uniform7"),
        },
        papers="CDDFuse, EMMA, DDFM, CDTFusion, FusionMamba",
    ),
    "tang": Convention(
        "Evaluation-for-Image-Fusion, the MATLAB code as it is today",
        {
            **_TANG,
            "Nabf": Definition({"swapped": True}, note="arguments exchanged"),
            "MS-SSIM": Definition(of="MEF-SSIM", note="this program prints MEF-SSIM here"),
            "FMI_pixel": Definition(of="FMI_edge", note=_EDGES),
            "FMI_dct": SAME,
            "FMI_w": SAME,
        },
        papers="PSFusion, MaeFuse, MambaDFuse",
    ),
    "tang_py": Convention(
        "Image-evalution, the Python port of tang",
        {
            **_TANG,
            "EN": _of(added=1e-7),
            "MI": SAME,
            "Nabf": _of(floor=0.0),
            "SSIM": _of(data_range=1.0, combine="mean"),
            "MS-SSIM": _of(data_range=1.0, combine="mean"),
        },
    ),
    "tang2022": Convention(
        "the MATLAB code behind tables with SD below 16, no longer public",
        {
            **_TANG,
            "SD": _of(arithmetic="uint8"),
            "SF": _UNIT,
            "VIFp": _of(form="saturated"),
            "Qabf": Definition({"unit": 255.0}, note="holds to 1e-2: see the card"),
        },
        papers="SeAFusion, SwinFusion",
    ),
    "ivif_zoo": Convention(
        "IVIF_ZOO Metric/",
        {
            "EN": _of(added=1e-7),
            "SD": SAME,
            "SF": SAME,
            "AG": SAME,
            "SCD": SAME,
            "CC": SAME,
            "SSIM": _of(data_range=1.0),
            "MS-SSIM": _of(data_range=1.0),
            "MI": SAME,
            "NMI": _of(divide_by="sources"),
            "MSE": _UNIT,
            "PSNR": _LIFTED,
            "CE": _of(form="binary"),
            "VIFp": _of(form="shifted"),
            "Qabf": SAME,
            "Nabf": _of(floor=0.0),
            "QNCIE": _of(dependence="pearson"),
            "TE": _of(form="entropies"),
            "EI": _of(border="zero"),
            "QY": _of(form="row"),
            "QCB": _of(form="ivif_zoo"),
        },
        papers="SAGE",
    ),
    "vifb": Convention(
        "VIFB, MATLAB",
        {
            **_MATLAB,
            "MI": _NATS,
            "RMSE": _VIFB,
            "SSIM": _of(exact=True),
            "SF": Definition({"divide_by": "pixels"}, colour="joined"),
        },
        colour="channels",
    ),
    "mefb": Convention(
        "MEFB, MATLAB, with imageFusionMetrics",
        {
            **_MATLAB,
            "SF": _PIXELS,
            "NMI": SAME,
            "QCB": _of(form="mefb"),
            "QNCIE": SAME,
            "TE": _of(form="exchanged"),
            "QC": SAME,
            "QE": SAME,
            "QY": SAME,
            "VIFF": SAME,
            "MEF-SSIM": Definition(colour="grey"),
            "FMI_edge": SAME,
        },
        colour="first",
        papers="TC-MoA",
    ),
    "mitnet": Convention(
        "MITNet's test code, for restoration",
        {"PSNR-T": SAME, "SSIM-T": _of(window="uniform7")},
        papers="MITNet",
    ),
}


def find(name: str) -> Convention:
    """A convention by name.

    Raises:
        UnknownNameError: No such convention; near names are shown.
    """
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    near = difflib.get_close_matches(name, CONVENTIONS, n=2, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(CONVENTIONS)}"
    raise UnknownNameError(f"unknown convention '{name}': {hint}")

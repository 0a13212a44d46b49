"""SSIM against a clean picture, for restoration: per RGB channel, mean of the three.

Window and constants as for SSIM between sources and fused picture (Wang, Bovik, Sheikh and
Simoncelli, IEEE TIP 2004, eq. 13).
"""

from __future__ import annotations

from statistics import fmean
from typing import Literal

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._scales import WINDOW
from fusionzoo.metrics._summary import mean
from fusionzoo.metrics.ssim import similarity


def observe(
    output: Plane, target: Plane, window: Literal["gaussian", "uniform7"] = "gaussian"
) -> Observation:
    """Up to 1.

    Args:
        output: Restored picture; a grey one stands for three equal channels.
        target: Clean picture.
        window: See SSIM.
    """
    first, second = output.channels, target.channels
    count = max(len(first), len(second))
    pairs = zip(first * (count // len(first)), second * (count // len(second)), strict=True)
    return Observation(fmean(similarity(one, two, window=window) for one, two in pairs))


ENTRY = Metric(
    symbol="SSIM-T",
    title="Structural similarity to the clean picture",
    observe=observe,
    summarize=mean,
    reference="target",
    higher_is_better=True,
    range=(-1, 1),
    minimum_side=WINDOW,
    paper="Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Processing 2004",
)

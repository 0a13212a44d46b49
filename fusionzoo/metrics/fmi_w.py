"""FMI_w, feature mutual information of wavelet coefficients with each source's.

The score of `_feature_information` with one level of the discrete Meyer wavelet as feature image:
sub-bands [cA cH; cV cD] joined, borders mirrored. The score does not depend on the scale of the
coefficients. They equal PyWavelets' `dmey`; the score was not compared with a run of MATLAB.
"""

from __future__ import annotations

import cv2
import numpy as np

from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._feature_information import Floats, of_feature
from fusionzoo.metrics._plane import Plane
from fusionzoo.metrics._summary import mean
from fusionzoo.metrics._windows import values

_HALF = (
    0.7445855923188063, 0.44459300275757724, -0.035087555656258346, -0.13284520043622938,
    0.030655091960824263, 0.0637390243228016, -0.024348745906078023, -0.03213079399021176,
    0.017423434103729693, 0.015270015130934803, -0.011061496392513451, -0.006387718318497156,
    0.006045814097323304, 0.002202534100911002, -0.002704672124643725, -0.0006011502343516092,
    6.554305930575149e-05, -1.6312699734552807e-05, 3.20544191334478e-06, 7.367572885903746e-07,
    -1.489549216497156e-06, 1.1307947017916706e-06, -5.506340565252278e-07, 1.1783004497663934e-07,
    8.200680650386481e-08, -1.0866516536735883e-07, 6.066975741351135e-08, -1.0798819539621958e-08,
    -1.111944952595278e-08, 8.519459636796214e-09, -1.009999956941423e-12,
)  # fmt: skip
"""The symmetric low-pass filter "dmey", from its middle outwards."""
LOW = np.array([*_HALF[:0:-1], *_HALF])
HIGH = LOW * (-1.0) ** np.arange(len(_HALF), len(_HALF) + len(LOW))
"""Its quadrature mirror."""


def feature(plane: Plane) -> Floats:
    """Coefficients, (2 ((H + 61) // 2), 2 ((W + 61) // 2))."""
    smooth, rough = _split(plane.once(values))
    (approximation, vertical), (horizontal, diagonal) = (_split(x.T) for x in (smooth, rough))
    return np.block([[approximation.T, horizontal.T], [vertical.T, diagonal.T]])


def _split(picture: Floats) -> tuple[Floats, Floats]:
    """Low-pass and high-pass half of the columns."""
    margin = len(LOW)
    padded = np.pad(picture, ((margin, margin), (0, 0)), "symmetric")
    count = (picture.shape[0] + margin) // 2

    def band(kernel: Floats, start: int) -> Floats:
        whole = cv2.sepFilter2D(padded, cv2.CV_64F, np.ones(1), kernel)
        return np.asarray(whole[start::2][:count], np.float64)

    return band(LOW, len(_HALF)), band(HIGH, len(_HALF) + 1)


def observe(fused: Plane, first: Plane, second: Plane) -> Observation:
    """0 to 1; the terms are the two single values."""
    return of_feature(feature, fused, first, second)


ENTRY = Metric(
    symbol="FMI_w",
    title="Feature mutual information of wavelet coefficients",
    observe=observe,
    summarize=mean,
    reference="sources",
    higher_is_better=True,
    range=(0, 1),
    minimum_side=3,
    paper="Haghighat and Razian, AICT 2014",
)

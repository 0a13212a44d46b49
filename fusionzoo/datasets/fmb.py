"""FMB: 1,500 pairs, 800x600, with 14 classes; the Bicycle class has no pixel in the test split.

Measured misalignments (pixels): 00085 (6, 3), 00360 (3, 2).
"""

from fusionzoo.classes import FMB
from fusionzoo.datasets._layout import Layout, Split, dataset

ENTRY = dataset(
    Layout(
        name="fmb",
        title="FMB",
        folders=("FMB",),
        splits={
            "test": Split("the official test folder (280 pairs)", folders=("test",)),
            "train": Split("the official training folder (1,220 pairs)", folders=("train",)),
        },
        source="github.com/JinyuanLiu-CV/SegMiF (links in its README)",
        terms="none stated, citation asked",
        paper="Liu et al., SegMiF, ICCV 2023",
        classes=FMB,
    )
)

# ruff: noqa: N999 - the name of the dataset is a word of the language
"""PASS: street panoramas of 692x2048 without labels, to look at."""

from fusionzoo.classes import CITYSCAPES19
from fusionzoo.datasets._nested import Nested, Part, dataset

ENTRY = dataset(
    Nested(
        name="pass",
        title="PASS",
        folders=("PASS",),
        role="panorama",
        parts={"panoramas": Part("every panorama found", "leftImg8bit/pass/*/*")},
        source="github.com/elnino9ykl/PASS",
        terms="repository Apache-2.0; terms of the pictures not stated",
        paper="Yang et al., Can we PASS beyond the Field of View?, IV 2019",
        classes=CITYSCAPES19,
    )
)

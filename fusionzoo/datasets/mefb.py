"""MEFB: 100 pairs of an under- and an over-exposed picture, for tests only.

File A is the under-exposed one; a pair whose A is the brighter is refused. 11 scenes end in .JPG,
19 are TIFF, and the capitals of four names differ from their folder's.
"""

from fusionzoo.core import DataError, Sample
from fusionzoo.datasets._scene_folders import SceneFolders, dataset


def _darker_first(sample: Sample) -> None:
    under, over = (float(sample.images[role].mean()) for role in ("under", "over"))
    if under >= over:
        raise DataError(
            f"{sample.name}: file A should be the darker one, but means are "
            f"{under:.3f} (A) and {over:.3f} (B): exchange the files"
        )


ENTRY = dataset(
    SceneFolders(
        name="mefb",
        title="MEFB",
        folder="MEFB",
        roles=("under", "over"),
        source="github.com/xingchenzhang/MEFB",
        terms="no licence file, citation asked; pictures collected from other sets",
        paper="Zhang, Benchmarking and comparing multi-exposure fusion, Information Fusion 2021",
        check=_darker_first,
    )
)

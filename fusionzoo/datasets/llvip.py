"""LLVIP: 15,488 aligned low-light street pairs, 1280x1024; non-commercial use only."""

from fusionzoo.datasets._layout import Layout, Split, dataset

ENTRY = dataset(
    Layout(
        name="llvip",
        title="LLVIP",
        folders=("LLVIP",),
        splits={
            "test": Split("the official test folders", folders=("test",)),
            "train": Split("the official training folders", folders=("train",)),
        },
        source="github.com/bupt-ai-cz/LLVIP",
        terms="non-commercial use only, citation, no identification of persons",
        paper="Jia et al., LLVIP, ICCV Workshops 2021",
        split_inside=True,
    )
)

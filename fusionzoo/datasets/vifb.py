"""VIFB: 21 pairs in 9 sizes, the benchmark whose 25 fused sets are public.

Measured misalignment (pixels): tricycle (2, -10).
"""

from fusionzoo.datasets._layout import Layout, Split, dataset

ENTRY = dataset(
    Layout(
        name="vifb",
        title="VIFB",
        folders=("VIFB",),
        splits={"all": Split("all 21 pairs", folders=("", "input"))},
        source="github.com/xingchenzhang/VIFB",
        terms="no licence file, citation asked; pictures collected from other sets",
        paper="Zhang, Ye and Xiao, VIFB, CVPR Workshops 2020",
    )
)

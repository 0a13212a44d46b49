"""MFIFB: 105 pairs focused near and far, from Lytro, MFFW and five other sources; tests only.

File A is taken as the near-focused picture and B as the far-focused one; for fusion the order
matters little. BMP, PNG and JPEG, colour and grey; some are smaller than 161 pixels.
"""

from fusionzoo.datasets._scene_folders import SceneFolders, dataset

ENTRY = dataset(
    SceneFolders(
        name="mfifb",
        title="MFIFB",
        folder="MFIFB",
        roles=("near", "far"),
        source="github.com/xingchenzhang/MFIFB",
        terms="no licence file, citation asked; pictures collected from other sets",
        paper="Zhang, Deep learning-based multi-focus image fusion, IEEE TPAMI 2022",
    )
)

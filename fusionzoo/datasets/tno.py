"""TNO: 42 grey pairs of military and surveillance scenes in 17 sizes, the oldest test set.

The numbering differs between repositories; ours is 01 to 42 of Evaluation-for-Image-Fusion, and
`lists/tno_numbering.json` gives the ids of the same scenes elsewhere. Measured misalignments of the
visible picture against the infrared one (pixels): 12 (-4, 2), 15 (-3, -2), 17 (-3, -2), 19
(-3, -5), 20 (-3, -3), 26 (-3, -3), 32 (-3, -1), 41 (6, -4).
"""

from fusionzoo.datasets._layout import Layout, Split, dataset

ENTRY = dataset(
    Layout(
        name="tno",
        title="TNO Image Fusion Dataset",
        folders=("TNO", "TNO_Image_Fusion_Dataset"),
        splits={"all": Split("every pair found; 42 in the common set")},
        source="figshare article 1008029; the 42-pair form in Evaluation-for-Image-Fusion",
        terms="see the figshare page",
        paper="Toet, The TNO Multiband Image Data Collection, Data in Brief 2017",
    )
)

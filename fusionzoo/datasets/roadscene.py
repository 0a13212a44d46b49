"""RoadScene: 221 aligned road pairs in 218 sizes, cut from FLIR video.

`crop_LR_visible` and `cropinfrared` belong together; `crop_HR_visible` is stretched unevenly and
`infrared` is not cropped, so neither is ever paired. The smallest side is 161, the least MS-SSIM
can take, and most sides are odd.
"""

from fusionzoo.datasets._layout import Layout, Split, dataset

ENTRY = dataset(
    Layout(
        name="roadscene",
        title="RoadScene",
        folders=("RoadScene", "RoadScene-master"),
        splits={
            "all": Split("all 221 pairs"),
            "test50": Split("the 50 test ids of CDDFuse", ids="roadscene_test50"),
            "test44": Split("the 44 test ids of SFDFusion", ids="roadscene_test44"),
            "train_allowed": Split(
                "132 ids outside both test lists; our weights train on them",
                ids="roadscene_train_allowed",
            ),
            "train_fit": Split(
                "121 of train_allowed, to train on while settings are chosen",
                ids="roadscene_train_allowed",
                part="fit",
            ),
            "train_held_out": Split(
                "the other 11, every 13th, to choose settings by",
                ids="roadscene_train_allowed",
                part="held_out",
            ),
        },
        source="github.com/hanna-xu/RoadScene",
        terms="none stated, citation asked; frames of FLIR ADAS video, whose terms apply",
        paper="Xu et al., U2Fusion, IEEE TPAMI 2020",
    )
)

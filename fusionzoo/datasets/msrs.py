"""MSRS: 1,444 aligned day and night road pairs, 640x480, with 9-class labels.

Made from MFNet by dropping misaligned pairs and enhancing the infrared pictures; the visible ones
are MFNet's. 277 of MFNet's 393 test ids are in MSRS train: never score MSRS-trained weights there.
Measured misalignments: 00005N (-3, -6), 00006N (-2, -4).
"""

from fusionzoo.classes import MFNET
from fusionzoo.datasets._layout import Layout, Split, dataset

ENTRY = dataset(
    Layout(
        name="msrs",
        title="MSRS",
        folders=("MSRS", "MSRS-main"),
        splits={
            "test": Split("the 361 official test ids", ids="msrs_test", folders=("test",)),
            "train": Split("the 1,083 official training ids", ids="msrs_train", folders=("train",)),
            "train_allowed": Split(
                "128 ids that no test of ours shows; our weights train on them",
                folders=("train", "test"),
                ids="msrs_train_allowed",
            ),
            "train_fit": Split(
                "118 of train_allowed, to train on while settings are chosen",
                folders=("train", "test"),
                ids="msrs_train_allowed",
                part="fit",
            ),
            "train_held_out": Split(
                "the other 10, every 13th, to choose settings by",
                folders=("train", "test"),
                ids="msrs_train_allowed",
                part="held_out",
            ),
        },
        source="github.com/Linfeng-Tang/MSRS",
        terms="none stated, citation asked; derived from MFNet",
        paper="Tang et al., PIAFusion, Information Fusion 2022",
        classes=MFNET,
        shares=("mfnet", "msrs_haze"),
    )
)

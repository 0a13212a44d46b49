"""Class tables of label maps."""

from fusionzoo.core import ClassTable

MFNET = ClassTable(
    names=(
        "unlabelled", "car", "person", "bike", "curve", "car_stop", "guardrail", "color_cone",
        "bump",
    ),
    palette=(
        (0, 0, 0), (64, 0, 128), (64, 64, 0), (0, 128, 192), (0, 0, 192), (128, 128, 0),
        (64, 64, 128), (192, 128, 128), (192, 64, 0),
    ),
    source="Ha et al., MFNet, IROS 2017; ids and colours of its visualisation",
    miou="rtfnet",
)  # fmt: skip

FMB = ClassTable(
    names=(
        "unlabelled", "Road", "Sidewalk", "Building", "Traffic Light", "Traffic Sign",
        "Vegetation", "Sky", "Person", "Car", "Truck", "Bus", "Motorcycle", "Bicycle", "Pole",
    ),
    palette=(
        (0, 0, 0), (179, 228, 228), (181, 57, 133), (67, 162, 177), (200, 178, 50), (132, 45, 199),
        (66, 172, 84), (179, 73, 79), (76, 99, 166), (66, 121, 253), (137, 165, 91),
        (155, 97, 152), (105, 153, 140), (222, 215, 158), (135, 113, 90),
    ),
    source="Liu et al., SegMiF, ICCV 2023; ids of `Label`, colours of the `color` folder",
    miou="fmb14",
)  # fmt: skip

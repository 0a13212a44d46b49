"""Class tables of label maps: ids, names, colours, and what one taxonomy's ids are in another."""

from fusionzoo.core import ClassTable, UnknownNameError

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
    ignored=(0,),
)  # fmt: skip

CITYSCAPES19 = ClassTable(
    names=(
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
        "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train",
        "motorcycle", "bicycle",
    ),
    palette=(
        (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153),
        (153, 153, 153), (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152),
        (70, 130, 180), (220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100),
        (0, 80, 100), (0, 0, 230), (119, 11, 32),
    ),
    source="Cordts et al., Cityscapes, CVPR 2016; train ids, also of DensePASS",
    miou="mrfs",
    weights={
        "mpa": (
            2.8149, 6.985, 3.789, 9.9428, 9.7702, 9.5111, 10.3114, 10.0265, 4.6323, 9.5608,
            7.8698, 9.5169, 10.3737, 6.6616, 10.2605, 10.2879, 10.2898, 10.4054, 10.1381,
        ),
        "ohem": (
            0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023, 0.9539,
            0.9843, 1.1116, 0.9037, 1.0865, 1.0955, 1.0865, 1.1529, 1.0507,
        ),
    },
)  # fmt: skip

OUTDOOR13 = ClassTable(
    names=(
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
        "vegetation", "terrain", "sky", "person", "car",
    ),
    palette=(
        (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153),
        (153, 153, 153), (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152),
        (70, 130, 180), (220, 20, 60), (0, 0, 142),
    ),
    source="Zhang et al., Trans4PASS+, arXiv 2207.11860; Cityscapes merged for SynPASS",
    miou="mrfs",
)  # fmt: skip

SYNPASS22 = ClassTable(
    names=(
        "unlabelled", "Building", "Fence", "Other", "Pedestrian", "Pole", "RoadLine", "Road",
        "SideWalk", "Vegetation", "Vehicles", "Wall", "TrafficSign", "Sky", "Ground", "Bridge",
        "RailTrack", "GroundRail", "TrafficLight", "Static", "Dynamic", "Water", "Terrain",
    ),
    palette=(
        (0, 0, 0), (70, 70, 70), (100, 40, 40), (55, 90, 80), (220, 20, 60), (153, 153, 153),
        (157, 234, 50), (128, 64, 128), (244, 35, 232), (107, 142, 35), (0, 0, 142),
        (102, 102, 156), (220, 220, 0), (70, 130, 180), (81, 0, 81), (150, 100, 100),
        (230, 150, 140), (180, 165, 180), (250, 170, 30), (110, 190, 160), (170, 120, 50),
        (45, 60, 150), (145, 170, 100),
    ),
    source="Zhang et al., Trans4PASS+; ids of the pictures, 0 ignored, colours of CARLA",
    miou="fmb14",
    ignored=(0,),
)  # fmt: skip

STANFORD13 = ClassTable(
    names=(
        "beam", "board", "bookcase", "ceiling", "chair", "clutter", "column", "door", "floor",
        "sofa", "table", "wall", "window",
    ),
    palette=(
        (229, 45, 45), (229, 161, 103), (229, 215, 45), (180, 229, 103), (74, 229, 45),
        (103, 229, 142), (45, 229, 187), (103, 200, 229), (45, 102, 229), (122, 103, 229),
        (158, 45, 229), (229, 103, 219), (229, 45, 130),
    ),
    source="Armeni et al., 2D-3D-S, 2017; alphabetical, colours of our own",
    miou="mrfs",
)  # fmt: skip

STANFORD8 = ClassTable(
    names=(
        "ceiling", "chair", "door", "floor", "sofa", "table", "wall", "window",
    ),
    palette=(
        (180, 229, 103), (74, 229, 45), (103, 200, 229), (45, 102, 229), (122, 103, 229),
        (158, 45, 229), (229, 103, 219), (229, 45, 130),
    ),
    source="Stanford2D3D's classes that Structured3D shares, colours of our own",
    miou="mrfs",
)  # fmt: skip

TABLES = {
    "fmb": FMB,
    "mfnet": MFNET,
    "cityscapes19": CITYSCAPES19,
    "outdoor13": OUTDOOR13,
    "synpass22": SYNPASS22,
    "stanford13": STANFORD13,
    "stanford8": STANFORD8,
}
IGNORE = 255

MAPS: dict[tuple[str, str], tuple[int, ...]] = {
    ("cityscapes19", "outdoor13"): (
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 12, 12, 12, 255, 12, 12,
    ),
    ("synpass22", "outdoor13"): (
        255, 2, 4, 255, 11, 5, 0, 0, 1, 8, 12, 3, 7, 10, 255, 255, 255, 255, 6, 255, 255, 255, 9,
    ),
    ("stanford13", "stanford8"): (
        255, 255, 255, 0, 1, 255, 255, 2, 3, 4, 5, 6, 7,
    ),
}  # fmt: skip
"""(from, to) -> new id of each old one, 255 = ignore."""


def find(name: str) -> ClassTable:
    """A table by name.

    Raises:
        UnknownNameError: No such table.
    """
    if name not in TABLES:
        raise UnknownNameError(f"unknown class table '{name}': known are {', '.join(TABLES)}")
    return TABLES[name]


def name_of(table: ClassTable) -> str | None:
    """The name of a table, None for one that is not in the list."""
    return next((name for name, known in TABLES.items() if known == table), None)


def mapping(source: str, target: str) -> tuple[int, ...]:
    """New id of each id of `source` in the taxonomy `target`, 255 = ignore.

    Raises:
        UnknownNameError: One is unknown, or nobody has published how the two correspond.
    """
    if source == target:
        return tuple(range(len(find(source).names)))
    find(source), find(target)
    if (source, target) not in MAPS:
        known = ", ".join(f"{a} to {b}" for a, b in MAPS)
        raise UnknownNameError(f"no map of classes from {source} to {target}: known are {known}")
    return MAPS[source, target]

"""How much of TC-MoA's attention windows shows on smooth surfaces, by passes that are blended.

Windows of `tiny` begin every 28 pixels (56 wide, every second block shifted by half), so a border
would be a step between neighbouring pixels at one of 28 places and along 28 pixels or more. Both
ways, the fused luminance is cut into segments of 28 pixels along a border; a segment counts if
nothing near it steps by more than `SMOOTH` levels in either source. The mean step along it is
taken with its sign, so that noise and detail cancel and a difference of brightness stays. Printed
are, in levels, the mean of its amount at the median of the 28 places and how far the largest of
them is above that; the sources' mean is measured too, for what chance and content give. Usage,
with FUSIONZOO_DATA set to the data root:

    python benchmarks/tc_moa_borders.py LIST TASK SCENES [PASSES...]
"""

import sys
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

import fusionzoo
from fusionzoo import colour, datasets

PERIOD = 28
SMOOTH = 6.0
"""Levels."""
NEAR = 2
"""Pixels on each side of a border that must be smooth."""

Plane = NDArray[np.float32]


def segments(plane: Plane) -> Plane:
    """Steps from a column to the next, (rows, columns - 1), as (segments, PERIOD, columns - 1)."""
    count = len(plane) // PERIOD
    return np.diff(plane, axis=1)[: count * PERIOD].reshape(count, PERIOD, -1)


def steps(fused: Plane, sources: list[Plane]) -> tuple[list[Plane], list[NDArray[np.int64]]]:
    """Amounts of the mean steps of smooth segments, and at which of the 28 places they are."""
    amounts, places = [], []
    for turn in (np.asarray, np.transpose):
        largest = [np.abs(segments(turn(source))).max(1) for source in sources]
        around = np.ones((1, 2 * NEAR + 1))
        smooth = cv2.dilate(np.maximum(*largest), around) <= SMOOTH
        mean = np.abs(segments(turn(fused)).mean(1))
        place = np.broadcast_to(np.arange(1, mean.shape[1] + 1) % PERIOD, mean.shape)
        amounts.append(mean[smooth])
        places.append(place[smooth])
    return amounts, places


def levels(picture: object) -> Plane:
    plane: Plane = colour.grey_plane(picture[None])[0, 0].numpy() * 255  # type: ignore[index]
    return plane


def main() -> None:
    listing, task, scenes = sys.argv[1:4]
    rows = [int(text) for text in sys.argv[4:]] or [1, 2, 3, 4]
    method = fusionzoo.load("tc_moa@zoo", device="cpu", task=task)
    found: dict[str, list[tuple[Plane, NDArray[np.int64]]]] = {}
    for sample in islice(datasets.samples(listing, None), int(scenes)):
        sources = [levels(sample.images[role]) for role in method.method.inputs]
        pictures = {"sources' mean": (sources[0] + sources[1]) / 2}
        for passes in rows:
            pictures[str(passes)] = levels(method.turned(passes=passes).fuse(sample)[0])
        for name, picture in pictures.items():
            found.setdefault(name, []).extend(zip(*steps(picture, sources), strict=True))
    print(f"{listing}, {scenes} scenes at most\n")
    print("| passes | smooth segments | median place | largest above it |\n|" + " --- |" * 4)
    for name, parts in found.items():
        amounts, places = (np.concatenate(column) for column in zip(*parts, strict=True))
        means = [amounts[places == place].mean() for place in range(PERIOD)]
        middle = np.median(means)
        print(f"| {name} | {len(amounts)} | {middle:.3f} | {max(means) - middle:.3f} |")


if __name__ == "__main__":
    main()

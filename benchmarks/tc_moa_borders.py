"""How much of TC-MoA's attention windows shows: steps between neighbouring pixels at their borders.

Windows of `tiny` begin every 28 pixels (56 wide, every second block shifted by half); at the other
borders of patches, every 4 pixels, nothing but the patch changes. Usage, with fused pictures of
`fusionzoo bench --pictures all`:

    python benchmarks/tc_moa_borders.py FOLDER...
"""

import statistics
import sys
from pathlib import Path

import cv2
import numpy as np

PATCH, WINDOW = 4, 28


def steps(path: Path) -> tuple[float, float]:
    """Mean step in levels at the borders of windows, and at those of other patches."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(float)
    found = []
    for plane in (grey, grey.T):
        columns = np.arange(1, plane.shape[1])
        mean = np.abs(np.diff(plane, axis=1)).mean(0)
        window = columns % WINDOW == 0
        found.append((mean[window].mean(), mean[(columns % PATCH == 0) & ~window].mean()))
    across, down = found
    return (across[0] + down[0]) / 2, (across[1] + down[1]) / 2


def main() -> None:
    print("| pictures | at windows | at other patches |\n| --- | --- | --- |")
    for folder in map(Path, sys.argv[1:]):
        pairs = [steps(path) for path in sorted(folder.glob("*.png"))]
        first, second = (statistics.mean(column) for column in zip(*pairs, strict=True))
        print(f"| {len(pairs)} of {folder} | {first:.2f} | {second:.2f} |")


if __name__ == "__main__":
    main()

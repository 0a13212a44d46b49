"""Contact sheets: the detail is where infrared varies, every picture has its place."""

from pathlib import Path

import numpy as np
import pytest

from fusionzoo import image, sheet


def test_the_detail_is_where_infrared_varies() -> None:
    infrared = np.full((100, 200), 50, np.uint8)
    infrared[30:45, 120:140] = 250
    top, left, side = sheet.detail_box(infrared)
    assert top <= 37 <= top + side
    assert left <= 130 <= left + side


def test_black_borders_do_not_win() -> None:
    infrared = np.full((100, 200), 200, np.uint8)
    infrared[:, -3:] = 0
    infrared[40:50, 60:70] = 100
    _, left, side = sheet.detail_box(infrared)
    assert left <= 65 <= left + side


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (9, 300), (480, 640)])
def test_any_size_is_drawn(tmp_path: Path, size: tuple[int, int]) -> None:
    pictures = {name: np.zeros(size, np.uint8) for name in ("visible", "infrared", "a", "b", "c")}
    path = tmp_path / "sheet.png"
    sheet.write(path, [sheet.Strip("scene", pictures)] * 2)
    height, width = image.size(path)
    assert width == 4 * (sheet.CELL_WIDTH + sheet.GAP) + sheet.GAP
    assert height > 2 * 2 * sheet.LABEL_HEIGHT

"""The explorer in a real Chromium: divider, zoom, best and worst, what was not kept."""

from pathlib import Path
from typing import Any

import pytest
from hostile import HOSTILE, NAMES

from fusionzoo import report, store

pytest.importorskip("selenium")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from steps import choose, cut_of, find, place, shown, texts, view_of


def test_the_divider_is_dragged_and_moved_by_keys(opened: Any) -> None:
    place(opened, "one:all")
    shown(opened, "pictures")
    assert cut_of(opened) == 50
    handle, stage = find(opened, ".handle"), find(opened, ".stage")
    quarter = round(stage.size["width"] / 4)
    ActionChains(opened).drag_and_drop_by_offset(handle, quarter, 0).perform()
    assert cut_of(opened) == pytest.approx(75, abs=1)
    handle.send_keys(Keys.ARROW_LEFT)
    assert cut_of(opened) == pytest.approx(74, abs=1)
    handle.send_keys(Keys.HOME)
    clip = "return getComputedStyle(document.querySelector('.layer.over')).clipPath"
    assert cut_of(opened) == 0
    assert opened.execute_script(clip) == "inset(0px 0px 0px 0%)"


def test_the_pictures_are_really_there(opened: Any) -> None:
    place(opened, "one:all")
    shown(opened, "pictures")
    loaded = "return [...document.querySelectorAll('.tile img')].map((i) => i.naturalWidth)"
    opened.execute_async_script(
        "const done = arguments[0]; Promise.all([...document.querySelectorAll('.tile img')]"
        ".map((image) => image.decode())).then(() => done(true), () => done(false))"
    )
    assert opened.execute_script(loaded) == [96] * 4
    assert texts(opened, ".tile .name") == ["visible", "infrared", "first@zoo", "second"]
    assert HOSTILE in find(opened, ".explorer").text, "the method without pictures is named"
    choose(opened, "left", "second")
    assert find(opened, ".corner.left").text == "second"


def test_zoom_and_pan_are_shared_and_work_by_keys(opened: Any) -> None:
    place(opened, "one:all")
    shown(opened, "pictures")
    find(opened, "#zoom-in").click()
    assert view_of(opened)[0] == pytest.approx(1.5)
    stage = find(opened, ".stage")
    stage.send_keys("+")
    k, x, y = view_of(opened)
    assert k == pytest.approx(2.25)
    assert x == pytest.approx((1 - k) / 2)
    stage.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert view_of(opened)[1:] == pytest.approx((x - 0.1, y - 0.1))
    tile = opened.find_elements(By.CSS_SELECTOR, ".tile .frame")[1]
    ActionChains(opened).drag_and_drop_by_offset(tile, 20, 0).perform()
    assert view_of(opened)[1] > x - 0.1
    moved = "return new Set([...document.querySelectorAll('.explorer .picture')].map((i) => new "
    moved += "DOMMatrix(getComputedStyle(i).transform).a.toFixed(3))).size"
    assert opened.execute_script(moved) == 1
    opened.execute_script(
        "arguments[0].dispatchEvent(new WheelEvent('wheel', {deltaY: -120, ctrlKey: true, "
        "bubbles: true, cancelable: true}))", stage,
    )  # fmt: skip
    assert view_of(opened)[0] > 3
    stage.send_keys("0")
    assert view_of(opened) == (1, 0, 0)


def test_best_and_worst_open_their_picture(opened: Any, results_folder: Path) -> None:
    place(opened, "one:all")
    shown(opened, "pictures")
    choose(opened, "focus", "Nabf")
    choose(opened, "method", "second")
    found, _ = store.find(results_folder)
    values = next(r for r in found if (r.label, r.dataset) == ("second", "one")).values("Nabf")
    order = sorted(values, key=values.__getitem__)
    lists = opened.find_elements(By.CSS_SELECTOR, "#extremes ol")
    seen = [[one.text for one in part.find_elements(By.CSS_SELECTOR, ".name")] for part in lists]
    assert seen == [order[:5], order[:1:-1][:5]]
    lists[1].find_element(By.CSS_SELECTOR, "button").click()
    assert (
        Select(find(opened, "#choose-picture")).first_selected_option.get_attribute("value")
        == (order[-1])
    )


def test_scenes_without_pictures_say_so(opened: Any) -> None:
    place(opened, "two:all")
    shown(opened, "pictures")
    assert "numbers only" in find(opened, "#no-pictures").text
    place(opened, "one:all")
    choose(opened, "picture", NAMES[5])
    assert "kept no picture of this scene: 2 of 7" in find(opened, "#no-pictures").text


def test_embedded_pictures_are_in_the_page(
    chromium: Any, results_folder: Path, tmp_path: Path
) -> None:
    written, _ = report.write_page(results_folder, tmp_path / "alone.html", embed=True)
    chromium.get(written.as_uri())
    place(chromium, "one:all")
    shown(chromium, "pictures")
    sources = "return [...document.querySelectorAll('.tile img')].map((i) => i.src.slice(0, 15))"
    assert chromium.execute_script(sources) == ["data:image/png;"] * 4
    chromium.execute_async_script(
        "const done = arguments[0]; document.querySelector('.tile img').decode().then(done, done)"
    )
    wide = "return document.querySelector('.tile img').naturalWidth"
    assert chromium.execute_script(wide) == 96
    assert "8 pictures (" in find(chromium, "#footer").text
    assert chromium.get_log("browser") == []

"""The report in a real Chromium: sort, filter, divider, zoom, keys; no error, no request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import ESCAPING, HOSTILE, METRICS, NAMES

from fusionzoo import analysis, store

pytest.importorskip("selenium")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


@pytest.fixture
def opened(chromium: Any, page: Path) -> Iterator[Any]:
    """The page, freshly loaded; afterwards: no message of any kind, no request but files."""
    chromium.get("about:blank")
    chromium.get_log("browser")
    chromium.get_log("performance")
    chromium.get(page.as_uri())
    yield chromium
    assert chromium.get_log("browser") == []
    assert foreign_requests(chromium) == []


def foreign_requests(browser: Any) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events
             if e["method"] == "Network.requestWillBeSent"]  # fmt: skip
    assert asked, "the log of requests is empty, so it proves nothing"
    return [url for url in asked if not url.startswith(("file:", "data:", "about:"))]


def find(browser: Any, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def texts(browser: Any, selector: str) -> list[str]:
    return [one.text for one in browser.find_elements(By.CSS_SELECTOR, selector)]


def choose(browser: Any, name: str, value: str) -> None:
    Select(find(browser, f"#choose-{name}")).select_by_value(value)


def place(browser: Any, text: str) -> None:
    """Choose a dataset by the beginning of its text."""
    menu = Select(find(browser, "#choose-where"))
    menu.select_by_visible_text(next(o.text for o in menu.options if o.text.startswith(text)))


def names_in_board(browser: Any) -> list[str]:
    return texts(browser, ".board tbody .method")


def shown(browser: Any, tab: str) -> None:
    find(browser, f"#tab-{tab}").click()
    assert find(browser, f"#panel-{tab}").is_displayed()


def view_of(browser: Any) -> tuple[float, float, float]:
    style = "const s = getComputedStyle(document.querySelector('.explorer'));"
    parts = "return ['--k', '--x', '--y'].map((n) => Number(s.getPropertyValue(n)))"
    k, x, y = browser.execute_script(style + parts)
    return k, x, y


def cut_of(browser: Any) -> int:
    return int(find(browser, ".handle").get_attribute("aria-valuenow"))


def test_the_board_sorts_best_first_and_back(opened: Any, results_folder: Path) -> None:
    place(opened, "one:all")
    found, _ = store.find(results_folder)
    cells = [r for r in found if r.dataset == "one" and r.convention == "standard"]
    for symbol, higher in (("EN", True), ("Nabf", False)):
        best = [r.label for r in sorted(cells, key=lambda r: r.scores[symbol], reverse=higher)]
        if symbol == "Nabf":
            find(opened, "#summary-metrics").click()
            find(opened, "#all-metrics").click()
            find(opened, "h1").click()
        header = f".board th[data-key='{symbol}']"
        find(opened, f"{header} button").click()
        assert names_in_board(opened) == best
        order = "descending" if higher else "ascending"
        assert find(opened, header).get_attribute("aria-sort") == order
        opened.switch_to.active_element.send_keys(Keys.ENTER)
        assert names_in_board(opened) == best[::-1]


def test_mean_ranks_are_those_of_the_analysis(opened: Any, results_folder: Path) -> None:
    find(opened, "#summary-metrics").click()
    find(opened, "#all-metrics").click()
    found = [r for r in store.find(results_folder)[0] if r.convention == "standard"]
    ranks = analysis.average_ranks(found, analysis.directions_of(found))[""]
    rows = opened.find_elements(By.CSS_SELECTOR, ".board tbody tr")
    seen = {row.find_element(By.CSS_SELECTOR, ".method").text:
            float(row.find_elements(By.CSS_SELECTOR, ".rank")[0].text) for row in rows}  # fmt: skip
    assert seen == {label: pytest.approx(rank, abs=0.006) for label, rank in ranks.items()}


def test_filters_by_method_metric_dataset_and_convention(opened: Any) -> None:
    place(opened, "one:all")
    find(opened, "#summary-methods").click()
    find(opened, "#filter-methods input[data-key='second']").click()
    assert "second" not in names_in_board(opened)
    opened.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not find(opened, "#filter-methods .menu").is_displayed()
    find(opened, "#summary-metrics").click()
    find(opened, "#filter-metrics input[data-key='SD']").click()
    headings = [one.split(" ")[0].split("\n")[0] for one in texts(opened, ".board thead .heading")]
    assert "EN" in headings
    assert "SD" not in headings
    choose(opened, "convention", "tang")
    assert names_in_board(opened) == ["first@zoo"]
    assert "convention tang" in find(opened, ".board caption").text


def test_a_view_is_kept_in_the_address(opened: Any) -> None:
    place(opened, "two:all")
    shown(opened, "plots")
    opened.refresh()
    assert find(opened, "#panel-plots").is_displayed()
    assert "two:all" in Select(find(opened, "#choose-where")).first_selected_option.text


def test_hostile_names_are_text(opened: Any) -> None:
    place(opened, "one:all")
    assert HOSTILE in names_in_board(opened)
    shown(opened, "provenance")
    opened.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert ESCAPING in find(opened, "#panel-provenance").text
    shown(opened, "pictures")
    options = texts(opened, "#choose-picture option")
    assert any(text.startswith("<b>g</b>") for text in options)
    assert opened.execute_script("return document.querySelectorAll('script').length") == 2
    shown(opened, "guide")
    assert "broken.json" in find(opened, "#problems").text


def test_the_mark_of_training_data_is_explained(opened: Any) -> None:
    place(opened, "one:all")
    find(opened, ".board .mark").click()
    assert find(opened, "#mark-trained").is_displayed()
    assert "first@zoo on one:all (trained on one:train)" in find(opened, "#panel-guide").text


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


def test_tabs_go_by_arrow_keys(opened: Any) -> None:
    tab = find(opened, "#tab-board")
    tab.send_keys(Keys.ARROW_RIGHT)
    assert find(opened, "#panel-pictures").is_displayed()
    opened.switch_to.active_element.send_keys(Keys.END)
    assert find(opened, "#panel-guide").is_displayed()
    assert find(opened, "#tab-guide").get_attribute("aria-selected") == "true"


def test_plots_have_words_for_those_who_do_not_see_them(opened: Any) -> None:
    place(opened, "one:all")
    shown(opened, "plots")
    labels = [p.get_attribute("aria-label") for p in
              opened.find_elements(By.CSS_SELECTOR, "svg.plot")]  # fmt: skip
    assert any(label.startswith("Critical difference diagram of EN") for label in labels)
    assert any("Pareto front" in label for label in labels)
    assert any("first@zoo 3.000 to 1.500" in label for label in labels)
    assert "0.300" in find(opened, "#robustness tbody").text
    assert "convention standard" in find(opened, "#differences .hint").text
    choose(opened, "focus", "SD")
    assert "No curves by SD; there are curves by EN" in find(opened, "#robustness").text


def test_colours_follow_the_system_and_the_button(opened: Any) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    media = [{"name": "prefers-color-scheme", "value": "dark"}]
    light = opened.execute_script(paper)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    dark = opened.execute_script(paper)
    assert light != dark
    find(opened, "#theme").click()
    assert opened.execute_script(paper) == light
    find(opened, "#theme").click()
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert opened.execute_script(paper) == dark
    find(opened, "#theme").click()


@pytest.mark.parametrize("tab", ["board", "pictures", "plots", "provenance", "guide"])
def test_a_phone_is_not_scrolled_sideways(opened: Any, tab: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        shown(opened, tab)
        wide = opened.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 390
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_metric_is_in_the_guide(opened: Any) -> None:
    shown(opened, "guide")
    assert set(METRICS) <= set(texts(opened, "#panel-guide tbody th"))

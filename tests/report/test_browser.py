"""The report in a real Chromium: sort, filter, keys, colours, print; no error, no request."""

from pathlib import Path
from typing import Any

import pytest
from hostile import ESCAPING, HOSTILE, METRICS

from fusionzoo import analysis, store

pytest.importorskip("selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from steps import choose, find, names_in_board, place, shown, texts


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


def test_print_shows_every_part_but_the_pictures(opened: Any) -> None:
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        opened.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        visible = [
            tab for tab in ("board", "pictures", "plots", "provenance", "guide")
            if find(opened, f"#panel-{tab}").is_displayed()
        ]  # fmt: skip
        assert visible == ["board", "plots", "provenance", "guide"]
        assert not find(opened, "#filters").is_displayed()
        assert find(opened, "#panel-plots svg").is_displayed()
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

"""What a reader does with a report in a browser, by selectors and ids of the page."""

import json
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select


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

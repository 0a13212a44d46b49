"""Results of three methods on two datasets, with pictures and hostile names, and a browser."""

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hostile import ESCAPING, HOSTILE, METRICS, NAMES

from fusionzoo import report, robustness


@pytest.fixture(scope="session")
def maker() -> ModuleType:
    """The script that measures how long a report takes to open; it makes results."""
    pytest.importorskip("selenium")
    path = Path(__file__).parents[2] / "benchmarks" / "report_open.py"
    spec = importlib.util.spec_from_file_location("report_open", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def results_folder(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells of first@zoo, second and a hostile method; pictures of two scenes of the first set."""
    folder = tmp_path_factory.mktemp("results")
    methods = ("first@zoo", "second", HOSTILE)
    cells = [
        maker.cell(method, dataset, NAMES, 10 * place + seed, METRICS)
        for place, dataset in enumerate(("one", "two"))
        for seed, method in enumerate(methods)
    ]
    trained = {**cells[0].provenance, "trained_on": ["one:train"], "note": ESCAPING}
    cells[0] = replace(cells[0], provenance=trained)
    other = replace(cells[0], convention="tang")
    maker.write_results(folder, cells)
    (folder / "one+tang").mkdir()
    maker.store.write(folder / "one+tang" / "first@zoo.json", other)
    maker.write_pictures(folder, cells[:2], 2)
    curve = robustness.Curve("one", "all", "noise", "EN", True, (0, 1, 2), (3.0, 2.0, 1.5), 7,
                             0.3, 0.2, 0.4)  # fmt: skip
    summary = robustness.Summary("one", "all", 7, 0.3, 0.2, 0.4, (0, 1, 2), ("noise",), ("EN",), 0)
    curves = robustness.Robustness("first", "zoo", "standard", None, [summary], [curve])
    robustness.write(folder, curves)
    (folder / "one" / "broken.json").write_text('{"schema": 2, "method"')
    return folder


@pytest.fixture(scope="session")
def page(results_folder: Path) -> Path:
    """The report of that folder, pictures referred to by path."""
    written, problems = report.write_page(results_folder)
    assert len(problems) == 1
    return written


@pytest.fixture(scope="session")
def chromium(maker: ModuleType) -> Iterator[Any]:
    """A browser window of 1280x900."""
    browser = maker.chromium("--window-size=1280,900")
    if browser is None:
        reason = "no chromium and chromedriver here (Debian: chromium chromium-driver)"
        if os.environ.get("FUSIONZOO_CHROMIUM"):
            pytest.fail(f"FUSIONZOO_CHROMIUM asks for a browser, but there is {reason}")
        pytest.skip(reason)
    yield browser
    browser.quit()


@pytest.fixture
def opened(chromium: Any, page: Path) -> Iterator[Any]:
    """The page, freshly loaded; afterwards: no message of any kind, no request but files."""
    chromium.get("about:blank")
    chromium.get_log("browser")
    chromium.get_log("performance")
    chromium.get(page.as_uri())
    yield chromium
    assert chromium.get_log("browser") == []
    from steps import foreign_requests

    assert foreign_requests(chromium) == []

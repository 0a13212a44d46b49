"""How long the HTML report takes to open in Chromium: 5 methods x 5 datasets x 200 pictures.

The results are drawn from a random generator, every fused picture is there and referred to by path.
Prints the size of the page, the time to write it, and over several loads the time from the start of
the navigation to the first paint and to the end of loading, script included.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from fusionzoo import image, report, store
from fusionzoo.core import Observation
from fusionzoo.records import Record
from fusionzoo.store import Result

METRICS = ("EN", "SD", "SF", "AG", "SCD", "SSIM", "MS-SSIM", "Qabf", "Nabf", "VIFp", "MI", "CE")
SMALLER_IS_BETTER = ("Nabf", "CE")


def cell(
    method: str, dataset: str, names: Sequence[str], seed: int, metrics: Sequence[str] = METRICS
) -> Result:
    """A result with random values that differ by method and picture."""
    rng = np.random.default_rng(seed)
    base = np.random.default_rng(len(names)).normal(1, 0.2, (len(names), len(metrics)))
    values = base + rng.normal(0, 0.05, len(metrics)) + rng.normal(0, 0.05, base.shape)
    records = [
        Record(
            name,
            "key",
            {m: Observation(float(v)) for m, v in zip(metrics, row, strict=True)},
            dict.fromkeys(metrics, "1/standard"),
            float(seconds),
        )
        for name, row, seconds in zip(
            names, values, rng.lognormal(-2 + seed % 5, 0.1, len(names)), strict=True
        )
    ]
    name, _, tag = method.partition("@")
    return Result(
        method=name,
        weights=tag or "-",
        dataset=dataset,
        split="all",
        convention="standard",
        scores={m: float(v) for m, v in zip(metrics, values.mean(0), strict=True)},
        counted=dict.fromkeys(metrics, len(names)),
        records=records,
        provenance={"task": "vif", "list_hash": store.list_hash(names), "trained_on": [],
                    "fusionzoo": "0", "weights_sha256": "ab" * 32 if tag else None},
        directions={m: m not in SMALLER_IS_BETTER for m in metrics},
    )  # fmt: skip


def write_pictures(folder: Path, results: Sequence[Result], kept: int) -> None:
    """The first pictures of every cell and of its two sources, 96x72, in the run's places."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 255, (4, 9, 12, 3)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    for number, result in enumerate(results):
        home = folder / result.dataset
        for record in result.records[:kept]:
            place = home / "pictures" / result.label / f"{record.image}.png"
            image.write(place, levels[number % 4])
            for role in ("visible", "infrared"):
                if not (source := home / "sources" / role / f"{record.image}.png").exists():
                    image.write(source, 255 - levels[int(role == "visible")])


def write_results(folder: Path, results: Sequence[Result]) -> None:
    """Cells in the places that a run would give them (datasets that are in no catalogue)."""
    for result in results:
        store.write(folder / result.dataset / f"{result.label.replace('/', '_')}.json", result)


def chromium(*options: str) -> webdriver.Chrome | None:
    """The system's Chromium without a window and without a network; None if there is none."""
    browsers = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, browsers)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        return None
    settings = webdriver.ChromeOptions()
    settings.binary_location = browser
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    for option in (*options, *sandbox, "--headless=new", "--disable-dev-shm-usage",
                   "--disable-gpu", "--hide-scrollbars",
                   "--host-resolver-rules=MAP * ~NOTFOUND"):  # fmt: skip
        settings.add_argument(option)
    settings.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=settings, service=Service(driver))


TIMES = """
const [entry] = performance.getEntriesByType("navigation");
const paint = performance.getEntriesByName("first-contentful-paint")[0];
return [entry.loadEventEnd, paint ? paint.startTime : null];
"""


def main(loads: int = 5) -> None:
    browser = chromium("--window-size=1280,900")
    if browser is None:
        sys.exit("no chromium and chromedriver here: apt-get install chromium chromium-driver")
    names = [f"{index:04d}" for index in range(200)]
    methods = [f"method_{letter}@zoo" for letter in "abcde"]
    results = [
        cell(method, f"dataset_{place}", names, 10 * place + seed)
        for place in range(5)
        for seed, method in enumerate(methods)
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_results(folder, results)
        write_pictures(folder, results, len(names))
        start = time.perf_counter()
        page, _ = report.write_page(folder)
        print(f"page of {page.stat().st_size / 1e6:.2f} MB written in "
              f"{time.perf_counter() - start:.1f} s, {len(methods)} methods x 5 datasets x "
              f"{len(names)} pictures x {len(METRICS)} metrics")  # fmt: skip
        seen = []
        for _ in range(loads):
            browser.get("about:blank")
            browser.get(page.as_uri())
            time.sleep(0.5)
            seen.append(browser.execute_script(TIMES))
        for text, values in zip(("loaded", "first paint"), zip(*seen, strict=True), strict=True):
            known = [value / 1000 for value in values if value is not None]
            print(f"{text}: median {statistics.median(known):.2f} s, slowest {max(known):.2f} s")
    browser.quit()


if __name__ == "__main__":
    main()

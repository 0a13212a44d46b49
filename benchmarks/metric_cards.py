"""The measured tables of the cards under metrics/.

    python benchmarks/metric_cards.py DATA FUSED TABLE.json...

Every card has three marked places, which are written anew: the entry's facts; the means of trivial
baselines, from tables of `fusionzoo bench` (later tables override earlier ones); and
the values of one named example under every convention, with the time the metric takes alone.
The example is M3FD 00000 with FUSED, the picture that SAGE's authors published for it, all as they
are in the files; only the time is that of pictures that are grey already.
"""

import json
import re
import sys
import time
from pathlib import Path

import cv2

from fusionzoo import image, metrics
from fusionzoo.core import Metric

CARDS = Path(__file__).parent.parent / "metrics"
MEASURED = ("none", "sources")


def facts(entry: Metric) -> str:
    """What the catalogue entry says, as a table."""
    low, high = entry.range
    span = "any number" if low is None else f"{low:g} and above"
    if high is not None:
        span = f"{low:g} to {high:g}" if low is not None else f"up to {high:g}"
    compares = {"none": "the fused picture", "sources": "the fused picture and both sources",
                "target": "output and clean picture", "labels": "label maps"}  # fmt: skip
    form = "`fusionzoo.metrics.tensor_form`, finite gradients" if entry.tensor else "no"
    rows = {
        "better": "higher" if entry.higher_is_better else "lower",
        "range": f"{span} ({entry.unit})" if entry.unit else span,
        "looks at": compares[entry.reference],
        "smallest side": f"{entry.minimum_side} pixel{'s' * (entry.minimum_side > 1)}",
        "as a loss": form,
        "source": entry.paper,
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())])


def baselines(entry: Metric, tables: list[list[dict]]) -> str | None:
    """Means per dataset of each baseline; None if no table has the metric."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for row in (row for rows in tables for row in rows):
        if row.get(entry.symbol, "absent") == "absent":
            continue
        value = row[entry.symbol]
        shown = "–" if value is None else f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.1e}"
        found.setdefault((row["dataset"], int(row["n"])), {})[row["method"]] = shown
    if not found:
        return None
    parts = []
    for (dataset, count), cells in found.items():
        parts.append(f"| mean over {dataset} ({count} pairs) | {' | '.join(cells)} |")
        parts.append("|---|" + "---:|" * len(cells))
        parts.append(f"| {entry.symbol} | {' | '.join(cells.values())} |\n")
    return "\n".join(parts).rstrip()


def example(entry: Metric, pictures: dict[str, metrics.Plane]) -> str:
    """Conventions that define the metric, those of equal value in one row, and its time."""
    values: dict[str, list[str]] = {}
    for name, rule in metrics.CONVENTIONS.items():
        if not rule.defines(entry.symbol) or name == "mitnet":
            continue
        fused, *_ = pictures.values()
        sources = {role: pictures[role] for role in ("infrared", "visible")}
        one = metrics.observe(metrics.select(entry.symbol, name), fused, name, **sources)
        observation = one[entry.symbol]
        shown = f"{observation.value:.6g}" if observation.value is not None else observation.reason
        values.setdefault(shown, []).append(f"`{name}`")
    rows = [f"| {', '.join(names)} | {value} |" for value, names in values.items()]
    spent = milliseconds(entry, pictures)
    shown = "less than 0.1" if spent < 0.1 else f"{spent:.{1 if spent < 10 else 0}f}"
    note = f"Alone it takes {shown} ms of one processor core."
    return "\n".join(["| convention | M3FD 00000, SAGE |", "|---|---:|", *rows, "", note])


def milliseconds(entry: Metric, pictures: dict[str, metrics.Plane]) -> float:
    """Processor time of the standard form on grey pictures, nothing shared; fastest of five."""
    convention = "mefb" if entry.symbol == "QC" else "standard"
    times = []
    for _ in range(5):
        fresh = {role: metrics.Plane(image.grey(plane.levels)) for role, plane in pictures.items()}
        fused = fresh.pop("fused")
        start = time.process_time()
        metrics.observe([entry], fused, convention, **fresh)
        times.append(time.process_time() - start)
    return min(times) * 1e3


def written(text: str, place: str, content: str) -> str:
    """The card with the place between its marks replaced."""
    pattern = re.compile(rf"<!-- {place} -->.*?<!-- end -->", re.DOTALL)
    return pattern.sub(lambda _: f"<!-- {place} -->\n\n{content}\n\n<!-- end -->", text)


def main() -> None:
    cv2.setNumThreads(1)
    folder = Path(sys.argv[1]) / "M3FD_Detection"
    files = {"fused": Path(sys.argv[2]), "infrared": folder / "Ir" / "00000.png",
             "visible": folder / "Vis" / "00000.png"}  # fmt: skip
    pictures = {role: metrics.Plane(image.read(path)) for role, path in files.items()}
    tables = [json.loads(Path(path).read_text())["rows"] for path in sys.argv[3:]]
    for name in metrics.names():
        entry, card = metrics.find(name), CARDS / f"{name}.md"
        contents = {"facts": facts(entry), "baselines": baselines(entry, tables)}
        if entry.reference in MEASURED:
            contents["example"] = example(entry, pictures)
        text = card.read_text("utf-8")
        for place, content in contents.items():
            text = written(text, place, content) if content else text
        card.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

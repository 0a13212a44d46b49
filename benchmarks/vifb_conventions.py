"""VIFB's 25 methods under every convention: published values reproduced, and ranks that move.

    python benchmarks/vifb_conventions.py DATA PUBLISHED STORE [PAGE]

DATA holds VIFB's pairs and fused pictures, PUBLISHED is tests/golden/metrics/vifb_published.json.
Observations go to STORE, a line per fused picture, from which a stopped run goes on (about half an
hour of two cores). Differences from the published values are printed; with PAGE, they and the
ranking are written into docs/vifb_ranking.md behind its marks.
"""

import json
import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import kendalltau

from fusionzoo import image, metrics

NAMES = {
    "Cross_entropy": "CE", "Entropy": "EN", "Mutinf": "MI", "Psnr": "PSNR", "Avg_gradient": "AG",
    "Edge_intensity": "EI", "Qabf": "Qabf", "Variance": "SD", "Spatial_frequency": "SF",
    "Rmse": "RMSE", "Ssim": "SSIM", "Qcb": "QCB", "Qcv": "QCV",
}  # fmt: skip
TOLERANCE = 3e-5
REPLACED = ("SwinFusion", "YDTR")
"""The stored pictures of these methods are not those that were measured: see the page."""
CONVENTIONS = [name for name in metrics.CONVENTIONS if name != "mitnet"]


def scene(data: Path, name: str, methods: list[str]) -> list[dict[str, object]]:
    """All methods on one pair, so that the sources' statistics are computed once."""
    cv2.setNumThreads(1)
    sources = {}
    for role, folder in (("infrared", "IR"), ("visible", "VI")):
        path = next((data / "VIFB" / folder).glob(f"{name}.*"))
        sources[role] = metrics.Plane(image.read(path))
    lines = []
    for method in methods:
        path = next((data / "VIFB" / "output" / "fused_images").glob(f"{name}_{method}.*"))
        fused = metrics.Plane(image.read(path))
        seen = {}
        for convention in CONVENTIONS:
            chosen = [
                m for m in metrics.select("all", convention) if not m.symbol.startswith("FMI")
            ]
            found = metrics.observe(chosen, fused, convention, **sources)
            seen[convention] = {symbol: one.value for symbol, one in found.items()}
        lines.append({"image": name, "method": method, "values": seen})
    return lines


def compute(data: Path, published: dict, store: Path) -> Iterator[dict]:
    """Observations of every fused picture, old ones from the file."""
    known: dict[str, list[dict]] = {}
    if store.exists():
        for line in store.read_text().splitlines():
            known.setdefault(json.loads(line)["image"], []).append(json.loads(line))
    methods = published["methods"]
    due = [name for name in published["images"] if len(known.get(name, [])) < len(methods)]
    for lines in known.values():
        yield from lines
    with ProcessPoolExecutor(2) as pool, store.open("a") as stream:
        for lines in pool.map(scene, [data] * len(due), due, [methods] * len(due)):
            stream.writelines(json.dumps(line) + "\n" for line in lines)
            stream.flush()
            yield from lines


def compare(published: dict, lines: list[dict]) -> str:
    """Largest relative difference of each metric, and the methods with values out of tolerance."""
    worst: dict[tuple[str, str], float] = {}
    counts = dict.fromkeys(("all", "near", "rounded"), 0)
    outside: dict[str, int] = {}
    for line in lines:
        expected = published["values"][line["image"]][line["method"]]
        for name, value in zip(published["metrics"], expected, strict=True):
            found = line["values"]["vifb"][NAMES[name]]
            error = abs(found - value) / abs(value)
            # Half a unit of the fifth digit is up to 5e-5 of a number that begins with 1.
            half = 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - 4)
            rounded = abs(found - value) <= half * 1.01
            counts["all"] += 1
            counts["near"] += error <= TOLERANCE
            counts["rounded"] += error > TOLERANCE and rounded
            if error > TOLERANCE and not rounded:
                outside[line["method"]] = outside.get(line["method"], 0) + 1
                print(
                    f"{line['image']} {line['method']} {name}: {found:.6g}, published {value:.6g}"
                )
            group = "method" if line["method"] in REPLACED else "rest"
            worst[name, group] = max(worst.get((name, group), 0.0), error)
    rows = [
        f"| {NAMES[n]} | {n} | {worst[n, 'rest']:.1e} | {worst[n, 'method']:.1e} |"
        for n in published["metrics"]
    ]
    others = ", ".join(f"{method} {count}" for method, count in sorted(outside.items()))
    return "\n".join([
        f"Of {counts['all']} values {counts['near']} agree within {TOLERANCE:g}; "
        f"{counts['rounded']} more equal the published number after rounding to its five digits. "
        f"Outside both: {others or 'none'}.", "",
        f"| metric | VIFB's name | largest relative difference | {' and '.join(REPLACED)} |",
        "|---|---|---:|---:|", *rows,
    ])  # fmt: skip


def winners(lines: list[dict], convention: str, symbol: str, sign: int) -> dict[str, str]:
    """Scene to the method that is best there."""
    best: dict[str, tuple[float, str]] = {}
    for line in lines:
        value = line["values"][convention].get(symbol)
        if value is not None:
            best[line["image"]] = max(
                best.get(line["image"], (-math.inf, "")), (sign * value, line["method"])
            )
    return {scene: method for scene, (_, method) in best.items()}


def summary(lines: list[dict], rows: list[tuple]) -> list[str]:
    """Per metric, over the conventions other than `standard`: how sure the winner is."""
    table = [
        "| metric | conventions | mean tau | least tau | that name another winner "
        "| scenes with another winner |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    symbols = sorted(
        {row[1] for row in rows}, key=lambda s: (np.mean([r[0] for r in rows if r[1] == s]), s)
    )
    for symbol in symbols:
        mine = [row for row in rows if row[1] == symbol]
        taus = [row[0] for row in mine]
        other = sum(row[5] != row[6] for row in mine)
        sign = 1 if metrics.find(symbol).higher_is_better else -1
        base = winners(lines, "standard", symbol, sign)
        differ = []
        for row in mine:
            theirs = winners(lines, row[2], symbol, sign)
            differ += [base[scene] != theirs[scene] for scene in set(base) & set(theirs)]
        table.append(
            f"| {symbol} | {len(mine)} | {np.mean(taus):.3f} | {min(taus):.3f} "
            f"| {other} | {100 * np.mean(differ):.0f} % |"
        )
    return table


def ranking(published: dict, lines: list[dict]) -> str:
    """The page: per metric and convention, how far the ranking is from that of `standard`."""
    methods = published["methods"]
    means: dict[tuple[str, str], np.ndarray] = {}
    for convention in CONVENTIONS:
        for symbol in lines[0]["values"][convention]:
            table: dict[str, list[float]] = {method: [] for method in methods}
            for line in lines:
                value = line["values"][convention][symbol]
                if value is not None:
                    table[line["method"]].append(value)
            means[convention, symbol] = np.array([np.mean(table[m]) for m in methods])
    rows = []
    for (convention, symbol), values in means.items():
        if convention == "standard" or ("standard", symbol) not in means:
            continue
        base = means["standard", symbol]
        sign = 1 if metrics.find(symbol).higher_is_better else -1
        first, second = (np.argsort(np.argsort(-sign * x)) for x in (base, values))
        tau = kendalltau(first, second).statistic
        moved = np.abs(first - second)
        best = [methods[int(np.argmax(sign * x))] for x in (base, values)]
        rows.append((tau, symbol, convention, int((moved > 0).sum()), int(moved.max()), *best))
    rows.sort()
    table_lines = [
        "| metric | convention | Kendall tau | methods that move | largest move "
        "| best under standard | best under the convention |",
        "|---|---|---:|---:|---:|---|---|",
    ]
    same = []
    for tau, symbol, convention, moved, largest, ours, theirs in rows:
        if moved == 0:
            same.append(f"{symbol} ({convention})")
            continue
        table_lines.append(
            f"| {symbol} | `{convention}` | {tau:.3f} | {moved} | {largest} | {ours} | {theirs} |"
        )
    head = [*summary(lines, rows), "", "Each row here is a metric under one convention:", ""]
    return "\n".join([*head, *table_lines, "", f"No method moves in: {', '.join(sorted(same))}."])


def main() -> None:
    data, golden, store = (Path(argument) for argument in sys.argv[1:4])
    published = json.loads(golden.read_text())
    lines = list(compute(data, published, store))
    comparison = compare(published, lines)
    print(comparison)
    if len(sys.argv) > 4:
        page = Path(sys.argv[4])
        text = page.read_text()
        for mark, part in (("comparison", comparison), ("ranking", ranking(published, lines))):
            head, _, rest = text.partition(f"<!-- {mark} -->")
            tail = rest.partition("<!-- end -->")[2]
            text = f"{head}<!-- {mark} -->\n\n{part}\n\n<!-- end -->{tail}"
        page.write_text(text)


if __name__ == "__main__":
    main()

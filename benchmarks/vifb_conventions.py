"""VIFB's 25 methods under every convention: published values reproduced, and ranks that move.

Reads the pairs and the fused pictures of VIFB (data root as first argument), the published values
(second argument: vifb_published.json), and writes observations, one line per fused picture, to the
third, from which it goes on if it is stopped. Then it prints the largest differences from the
published values and, with a fourth argument, writes the page docs/vifb_ranking.md.
"""

import json
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


def compare(published: dict, lines: list[dict]) -> None:
    """Print the largest relative difference of each metric, and every value out of tolerance."""
    worst: dict[str, float] = {}
    count = outside = 0
    for line in lines:
        expected = published["values"][line["image"]][line["method"]]
        for name, value in zip(published["metrics"], expected, strict=True):
            found = line["values"]["vifb"][NAMES[name]]
            error = abs(found - value) / abs(value)
            worst[name] = max(worst.get(name, 0.0), error)
            count += 1
            if error > TOLERANCE:
                outside += 1
                where = f"{line['image']} {line['method']} {name}"
                print(f"outside {where}: {found:.6g} published {value:.6g} ({error:.1e})")
    for name, error in worst.items():
        print(f"{name:<18} {error:.1e}")
    print(f"{count} values, {outside} outside {TOLERANCE:g}")


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
    return "\n".join([*table_lines, "", f"No method moves in: {', '.join(sorted(same))}."])


def main() -> None:
    data, golden, store = (Path(argument) for argument in sys.argv[1:4])
    published = json.loads(golden.read_text())
    lines = list(compute(data, published, store))
    compare(published, lines)
    if len(sys.argv) > 4:
        page = Path(sys.argv[4])
        head, _, _ = page.read_text().partition("<!-- table -->")
        page.write_text(f"{head}<!-- table -->\n\n{ranking(published, lines)}\n")


if __name__ == "__main__":
    main()

"""How often 95 % intervals of a mean hold the truth, by number of pictures and shape of values.

    python benchmarks/interval_coverage.py [PAGE] [TRIALS]

With PAGE, the table is written into docs/statistics.md behind its mark. 4,000 trials take a few
minutes of one core.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

from fusionzoo import statistics

SHAPES: dict[str, tuple[Callable[[np.random.Generator, int], np.ndarray], float]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "uniform": (lambda rng, n: rng.random(n), 0.5),
    "beta(8, 2), as ratios near 1": (lambda rng, n: rng.beta(8, 2, n), 0.8),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "Student's t, 5 degrees": (lambda rng, n: rng.standard_t(5, n), 0.0),
}
SIZES = (4, 8, 20, 42, 100)
RESAMPLES = 1000


def percentile(values: np.ndarray) -> tuple[float, float]:
    n = len(values)
    return statistics.percentiles(values[statistics.draws(n, RESAMPLES)].mean(1), n)


def student(values: np.ndarray) -> tuple[float, float]:
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return float(low), float(high)


def coverage(
    interval: Callable[[np.ndarray], tuple[float, float]], shape: str, n: int, trials: int
) -> float:
    draw, truth = SHAPES[shape]
    rng = np.random.default_rng([11, n])
    bounds = (interval(draw(rng, n)) for _ in range(trials))
    return float(np.mean([low <= truth <= high for low, high in bounds]))


def main() -> None:
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    ways = {
        "studentised (used for means)": lambda v: statistics.bootstrap_interval(v, 0.95, RESAMPLES),
        "expanded percentile (used for other statistics)": percentile,
        "Student's t": student,
    }
    lines = [
        f"Share of {trials:,} samples whose 95 % interval holds the true mean ({RESAMPLES:,} "
        f"resamples; standard error {np.sqrt(0.95 * 0.05 / trials):.4f}):", "",
        "| values | interval | " + " | ".join(f"n = {n}" for n in SIZES) + " |",
        "|---|---|" + "---:|" * len(SIZES),
    ]  # fmt: skip
    for shape in SHAPES:
        for way, interval in ways.items():
            shares = (f"{coverage(interval, shape, n, trials):.3f}" for n in SIZES)
            lines.append(f"| {shape} | {way} | " + " | ".join(shares) + " |")
            print(lines[-1], flush=True)
    if len(sys.argv) > 1:
        page = Path(sys.argv[1])
        head, _, rest = page.read_text().partition("<!-- coverage -->")
        tail = rest.partition("<!-- end -->")[2]
        body = "\n".join(lines)
        page.write_text(f"{head}<!-- coverage -->\n\n{body}\n\n<!-- end -->{tail}")


if __name__ == "__main__":
    main()

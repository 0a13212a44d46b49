"""One TC-MoA for three tasks against three that were trained for one task each.

All four start from one seed and see the same crops in the same number of iterations; an iteration
is one optimiser step per task, so the common network takes three times as many steps in all, and
each network alone as many as the common one takes for its task. Usage:

    python benchmarks/tc_moa_tasks.py DATA OUT [STEPS] [PAIRS]

DATA is the data root, OUT a folder for the runs. Prints a Markdown table; runs that are finished
are not repeated.
"""

import statistics
import sys
from itertools import islice
from pathlib import Path

import fusionzoo
from fusionzoo import datasets, metrics
from fusionzoo.train import run

TRAINING = "msrs:train_allowed,roadscene:train_allowed"
SETTINGS = ("batch=1", "learning_rate=1e-3", "pixel_rate=0.02", "average=0.95")
JUDGED = {
    "vif": ("roadscene:test50", ("infrared", "visible")),
    "mef": ("mefb", ("under", "over")),
    "mff": ("mfifb", ("near", "far")),
}
METRICS = ("EN", "SD", "SF", "AG", "SCD", "Qabf", "MEF-SSIM", "NMI")


def trained(task: str, data: Path, out: Path, steps: int) -> Path:
    settings = (*SETTINGS, f"steps={steps}", f"task={task}")
    run.train(run.Job("tc_moa", TRAINING, settings, out / task, data, "cpu", "bfloat16"))
    return out / task / run.WEIGHTS


def judge(task: str, weights: Path, data: Path, pairs: int) -> list[float]:
    """Means over the first pairs of the task's test list."""
    listing, (first, second) = JUDGED[task]
    method = fusionzoo.load("tc_moa", weights=str(weights), device="cpu", task=task)
    rows = []
    for sample in islice(datasets.samples(listing, data), pairs):
        fused, _ = method.fuse(sample)
        seen = metrics.evaluate(
            fused,
            infrared=sample.images[first],
            visible=sample.images[second],
            metrics=METRICS,
            data_range=1,
        )
        rows.append([seen[symbol].value for symbol in METRICS])
    return [statistics.mean(column) for column in zip(*rows, strict=True)]


def main() -> None:
    data, out = (Path(text) for text in sys.argv[1:3])
    steps, pairs = (int(text) for text in (*sys.argv[3:], "200", "4")[:2])
    print(f"{steps} iterations, first {pairs} pairs of each list\n")
    print("| judged on | trained for | " + " | ".join(METRICS) + " |")
    print("|" + " --- |" * (len(METRICS) + 2))
    for task, (listing, _) in JUDGED.items():
        for wanted in ("all", task):
            values = judge(task, trained(wanted, data, out, steps), data, pairs)
            shown = " | ".join(f"{value:.3f}" for value in values)
            print(f"| {listing} | {wanted} | {shown} |", flush=True)


if __name__ == "__main__":
    main()

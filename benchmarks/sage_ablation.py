"""What each of SAGE's losses does: short trainings of the student that differ in one setting.

All start from one trained teacher and one seed and see the same batches; the pictures they are
judged on are none of those they see. Usage:

    python benchmarks/sage_ablation.py DATA TEACHER OUT [STEPS] [PAIRS]

DATA is the data root, TEACHER the `teacher.safetensors` of a training, OUT a folder for the runs.
Prints a Markdown table; runs that are finished are not repeated.
"""

import statistics
import sys
from pathlib import Path

import fusionzoo
from fusionzoo import datasets, metrics
from fusionzoo.train import run

TRAINING = "roadscene:train_allowed,msrs:train_allowed"
JUDGED = "roadscene:test50"
METRICS = ("EN", "SD", "SF", "AG", "SCD", "SSIM", "MS-SSIM")
SETTINGS = ("pretraining=0", "teacher_every=4", "batch=4", "taught=2", "height=64", "width=96",
            "gradient_scales=2")  # fmt: skip
VARIANTS = {
    "all losses": (),
    "without features": ("features=0",),
    "without contrast": ("contrast=0",),
    "without context of the teacher": ("reference=0", "reference_gradient=0"),
    "without any of the three": (
        "features=0", "contrast=0", "reference=0", "reference_gradient=0",
    ),
    "teacher not updated": ("teacher_every=0",),
}  # fmt: skip


def trained(changes: tuple[str, ...], data: Path, teacher: Path, out: Path, steps: int) -> Path:
    # Without teacher steps as many batches are the student's as with them.
    total = steps if "teacher_every=0" in changes else steps * 4 // 3
    settings = (*SETTINGS, f"teacher_weights={teacher}", f"steps={total}", *changes)
    run.train(run.Job("sage", TRAINING, settings, out, data, "cpu", "bfloat16"))
    return out / run.WEIGHTS


def judge(name: str, weights: Path, data: Path, pairs: int) -> list[float]:
    """Means over the first pairs of the test list."""
    method = fusionzoo.load(name, weights=str(weights), device="cpu")
    rows = []
    for index, sample in enumerate(datasets.samples(JUDGED, data)):
        if index == pairs:
            break
        fused, _ = method.fuse(sample)
        seen = metrics.evaluate(fused, **sample.images, data_range=1)
        rows.append([seen[symbol].value for symbol in METRICS])
    return [statistics.mean(column) for column in zip(*rows, strict=True)]


def line(title: str, values: list[float]) -> str:
    return f"| {title} | " + " | ".join(f"{value:.4f}" for value in values) + " |"


def main() -> None:
    data, teacher, out = (Path(text) for text in sys.argv[1:4])
    steps, pairs = (int(text) for text in (*sys.argv[4:], "150", "20")[:2])
    print(f"{steps} student steps, first {pairs} pairs of {JUDGED}\n")
    print("| student trained | " + " | ".join(METRICS) + " |")
    print("|" + " --- |" * (len(METRICS) + 1))
    for title, changes in VARIANTS.items():
        folder = out / title.replace(" ", "-")
        weights = trained(changes, data, teacher, folder, steps)
        print(line(title, judge("sage", weights, data, pairs)), flush=True)


if __name__ == "__main__":
    main()

"""SAGE at 1024x768 on a CPU: the inference form against the plain network, in one run.

Medians of interleaved repetitions, so that a machine that slows down slows all of them. Run it on
an otherwise idle machine: python benchmarks/sage_speed.py [repetitions]
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from fusionzoo import methods, weights
from fusionzoo.layers.folding import prepare_for_inference
from fusionzoo.methods.sage.network import Student

OPERATIONS = 2 * 51.162e9
"""Of one 1024x768 picture: 51.162 G multiplications and additions."""


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@torch.inference_mode()
def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    torch.set_num_threads(2)
    torch.manual_seed(0)
    plain = Student().eval()
    weights.load("sage", methods.find("sage"), plain, "zoo")
    planes = list(torch.rand(2, 1, 1, 768, 1024))
    half = [plane.bfloat16() for plane in planes]
    fast = prepare_for_inference(plain)
    brief = prepare_for_inference(plain, torch.bfloat16)
    square = torch.rand(2048, 2048)
    runs: dict[str, Callable[[], Tensor]] = {
        "plain float32": lambda: plain(*planes),
        "inference form float32": lambda: fast(*planes),
        "inference form bfloat16": lambda: brief(*half),
        "2048x2048 product": lambda: square @ square,
    }
    first = {name: run() for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            times[name].append(seconds(run))
    median = {name: statistics.median(values) for name, values in times.items()}
    for name, value in median.items():
        print(f"{name:<26} {value * 1e3:8.1f} ms  (fastest {min(times[name]) * 1e3:.1f})")
    base, fused = median["plain float32"], median["inference form float32"]
    rate = 2 * 2048**3 / median["2048x2048 product"]
    reference = first["plain float32"]
    print(f"float32 ratio   {base / fused:5.2f}x")
    print(f"bfloat16 ratio  {base / median['inference form bfloat16']:5.2f}x")
    print(
        f"matrix products {rate / 1e9:.0f} GFLOP/s; float32 reaches {OPERATIONS / fused / rate:.0%}"
    )
    apart = (first["inference form float32"] - reference).abs().max()
    levels = (first["inference form bfloat16"].float() - reference).abs().max() * 255
    print(f"largest difference: float32 {apart:.1e}, bfloat16 {levels:.2f} levels")


if __name__ == "__main__":
    main()

"""ReFusion on a CPU: time against the plain network at 1024x768, peak memory at three sizes.

Times are medians of interleaved repetitions in one process; each peak is that of a process of its
own, less what it needs before it fuses. python benchmarks/refusion_speed.py [repetitions]
"""

import resource
import statistics
import subprocess
import sys
import time

import torch

from fusionzoo.layers.folding import prepare_for_inference
from fusionzoo.methods.refusion.network import Fusion

SIZES = ((480, 640), (960, 1280), (1920, 2560))


def peak() -> float:
    """MiB that this process has needed at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


@torch.inference_mode()
def memory(height: int, width: int) -> None:
    """Print what one picture needs, and its time."""
    network = prepare_for_inference(Fusion())
    planes = torch.rand(2, 1, 1, height, width)
    network(*planes[..., :64, :64])
    before, start = peak(), time.perf_counter()
    network(*planes)
    seconds, needed = time.perf_counter() - start, peak() - before
    per_pixel = needed * 2**20 / (height * width)
    print(f"{width}x{height}: {needed:.0f} MiB, {per_pixel:.0f} bytes a pixel, {seconds:.1f} s")


@torch.inference_mode()
def speed(repetitions: int) -> None:
    """Print medians for one 1024x768 pair."""
    torch.manual_seed(0)
    plain, planes = Fusion().eval(), list(torch.rand(2, 1, 1, 768, 1024))
    fast, brief = prepare_for_inference(plain), prepare_for_inference(plain, torch.bfloat16)
    half = [plane.bfloat16() for plane in planes]
    runs = {
        "plain float32": lambda: plain(*planes),
        "strips float32": lambda: fast(*planes),
        "strips bfloat16": lambda: brief(*half),
    }
    first = {name: run() for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    base = statistics.median(times["plain float32"])
    for name, values in times.items():
        median = statistics.median(values)
        apart = (first[name].float() - first["plain float32"]).abs().max() * 255
        print(f"{name:<16} {median:6.2f} s  {base / median:5.2f}x  {apart:.5f} levels apart")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        memory(int(sys.argv[1]), int(sys.argv[2]))
    else:
        for size in SIZES:
            subprocess.run([sys.executable, __file__, *map(str, size)], check=True)
        speed(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

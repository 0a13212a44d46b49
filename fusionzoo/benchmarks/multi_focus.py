"""Focus fusion on MFIFB's pairs focused near and far."""

from fusionzoo.core import Benchmark

ENTRY = Benchmark(
    title="Focus fusion",
    methods=("all",),
    datasets=("mfifb",),
    metrics=("Qabf", "QCB", "NMI", "QNCIE", "EN", "SF", "AG", "SSIM"),
)

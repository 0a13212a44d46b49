"""Exposure fusion on MEFB's pairs of an under- and an over-exposed picture."""

from fusionzoo.core import Benchmark

ENTRY = Benchmark(
    title="Exposure fusion",
    methods=("all",),
    datasets=("mefb",),
    metrics=("MEF-SSIM", "Qabf", "QCB", "QCV", "EN", "SD", "SF", "AG", "SCD", "SSIM"),
)

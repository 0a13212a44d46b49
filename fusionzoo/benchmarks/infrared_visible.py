"""Infrared and visible fusion on the five datasets that papers report."""

from fusionzoo.core import Benchmark

ENTRY = Benchmark(
    title="Infrared and visible fusion",
    methods=("all",),
    datasets=("tno", "roadscene:test50", "mfnet", "fmb", "m3fd"),
    metrics=("core",),
)

"""Haze removal against clean pictures; `visible`, a copy, is the hazy input itself."""

from fusionzoo.core import Benchmark

ENTRY = Benchmark(
    title="Haze removal",
    methods=("visible", "contrast_stretch", "dark_channel", "mitnet"),
    datasets=("reside_in", "sots", "msrs_haze", "awmm"),
    metrics=("restoration",),
)

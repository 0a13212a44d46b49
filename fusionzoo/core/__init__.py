"""The few types that every part of the zoo shares, and the errors a person may see.

Building any of them costs nothing: no file is read, no network is made, and torch is not imported.
"""

from __future__ import annotations

from fusionzoo.core.errors import (
    DataError,
    FusionZooError,
    ImageError,
    MetricError,
    OutputError,
    PluginError,
    UnknownNameError,
    WeightsError,
)
from fusionzoo.core.hashing import hash_of
from fusionzoo.core.measures import Benchmark, Metric, Observation, Reference, Status
from fusionzoo.core.methods import NO_WEIGHTS, Colour, Method, Task, Weights
from fusionzoo.core.recipe import Recipe, Stateful
from fusionzoo.core.scenes import PAIRS, ClassTable, Dataset, Item, Listing, Role, Sample

__all__ = [
    "NO_WEIGHTS",
    "PAIRS",
    "Benchmark",
    "ClassTable",
    "Colour",
    "DataError",
    "Dataset",
    "FusionZooError",
    "ImageError",
    "Item",
    "Listing",
    "Method",
    "Metric",
    "MetricError",
    "Observation",
    "OutputError",
    "PluginError",
    "Recipe",
    "Reference",
    "Role",
    "Sample",
    "Stateful",
    "Status",
    "Task",
    "UnknownNameError",
    "Weights",
    "WeightsError",
    "hash_of",
]

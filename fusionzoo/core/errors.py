"""The errors that are the user's to mend; the command line prints each as one line."""

from __future__ import annotations


class FusionZooError(Exception):
    """Base of every error that is the user's to mend; the command line prints it as one line."""


class UnknownNameError(FusionZooError):
    """A name that no catalogue knows; the message shows near ones."""


class PluginError(FusionZooError):
    """Another distribution's entry that cannot be imported, is malformed or claims a taken name."""


class ImageError(FusionZooError):
    """A picture that cannot be read, has no pixels, or does not match its partner."""


class DataError(FusionZooError):
    """A dataset that is not where it was looked for, or whose pairs do not fit together."""


class WeightsError(FusionZooError):
    """Weights that are missing, altered, unsafe or made for another network."""


class MetricError(FusionZooError, ValueError):
    """Input that no metric can measure: shapes that differ, values out of range, NaN."""


class OutputError(FusionZooError):
    """A place that cannot be written to; what was finished before is intact."""

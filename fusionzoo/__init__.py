"""fusionzoo: a zoo of image-fusion methods and the benchmark that compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas

    from fusionzoo.predictor import Predictor

__version__ = "0.1.0"
__all__ = ["__version__", "load", "results"]


def load(name: str, **settings: Any) -> Predictor:
    """The method `name`, or a chain such as "mitnet+sage", ready to be called.

    See `fusionzoo.pipeline.load` for the settings.

    Example:
        >>> import fusionzoo, torch
        >>> average = fusionzoo.load("average")
        >>> average(visible=torch.ones(3, 4, 6), infrared=torch.zeros(1, 4, 6)).shape
        torch.Size([3, 4, 6])
    """
    from fusionzoo import pipeline  # late: torch takes a second and a half to import

    return pipeline.load(name, **settings)


def results(folder: str | Path, per_image: bool = False) -> pandas.DataFrame:
    """The results that `fusionzoo bench` wrote to a folder, as a pandas frame.

    Args:
        folder: Results folder.
        per_image: One row per picture and metric instead of one per score.

    Raises:
        FusionZooError: No such folder, or a file in it that is no result.
    """
    from pathlib import Path

    from fusionzoo import compare

    return compare.frame(Path(folder), per_image)

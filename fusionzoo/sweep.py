"""A method's dials over a grid: every picture, and one sheet per scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusionzoo import image, sheet
from fusionzoo.core import Sample
from fusionzoo.predictor import Predictor


@dataclass(frozen=True)
class Setting:
    """One point of the grid, and how it is written on the sheet."""

    alpha: float
    beta: float

    @property
    def label(self) -> str:
        """For people and for file names."""
        return f"alpha_{self.alpha:g}_beta_{self.beta:+g}"


def grid(alphas: Sequence[float], betas: Sequence[float]) -> list[Setting]:
    """Rows of one alpha, columns of one beta."""
    return [Setting(alpha, beta) for alpha in alphas for beta in betas]


def pictures(
    predictor: Predictor, sample: Sample, settings: Sequence[Setting]
) -> Iterator[tuple[Setting, image.Levels]]:
    """The fused picture at each setting, as 8-bit levels."""
    for setting in settings:
        turned = predictor.turned(alpha=setting.alpha, beta=setting.beta)
        fused, _ = turned.fuse(sample)
        yield setting, image.to_levels(fused)


def write(
    predictor: Predictor,
    sample: Sample,
    alphas: Sequence[float],
    betas: Sequence[float],
    out: Path,
) -> Path:
    """Write `<out>/<scene>/alpha_..._beta_....png` and the sheet `<out>/<scene>.png`.

    Raises:
        FusionZooError: The method has no such dials, or the place cannot be written to.
    """
    found: dict[str, image.Levels] = {}
    for setting, levels in pictures(predictor, sample, grid(alphas, betas)):
        image.write(out / sample.name / f"{setting.label}.png", levels)
        found[setting.label] = levels
    strips = [sheet.Strip(sample.name, _sources(sample)), sheet.Strip("fused", found)]
    path = out / f"{sample.name}.png"
    sheet.write(path, strips, columns=len(betas))
    return path


def _sources(sample: Sample) -> Mapping[str, image.Levels]:
    return {role: image.to_levels(picture) for role, picture in sample.images.items()}

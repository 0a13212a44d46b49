"""Every number of SAGE's training; `recipe` says what they weigh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters; the defaults are the paper's, with a schedule of FMB's length."""

    steps: int = 3050
    pretraining: int = 1525
    """Teacher steps before the student begins: five epochs of FMB."""
    teacher_every: int = 2
    """After that every n-th step is the teacher's; 0 leaves the teacher as it is then."""
    taught: int | None = None
    """Samples of a batch that the teacher sees, because it costs 64 students; None for all."""
    batch: int = 4
    height: int = 192
    width: int = 256
    seed: int = 2
    variant: Literal["paper", "official"] = "paper"
    learning_rate: float = 2e-3
    teacher_learning_rate: float = 5e-4
    lowest_learning_rate: float = 1e-5

    masks: Literal["felzenszwalb", "precomputed", "sam"] = "felzenszwalb"
    mask_folder: str | None = None
    sam_checkpoint: str | None = None
    sam_preset: str = "quick"
    shared_attention: bool = True
    teacher_weights: str | None = None
    """A trained teacher to begin with, for example from `fusionzoo train sage_teacher`."""
    encoder: str | None = None
    """SAM ViT-B, for the contrast loss; without it, block cosines."""
    segmenter: str | None = None
    """ "module:function" that builds a segmentation network; None trains without labels."""

    visible: float = 9
    infrared: float = 6
    reference: float = 12
    gradient: float = 27
    gradient_scales: int = 1
    reference_gradient: float = 9
    contrast: float = 1 / 3000
    features: float = 0.3
    teacher_visible: float = 1
    teacher_infrared: float = 1
    teacher_gradient: float = 2
    segmentation: float = 0.3
    imitation: float = 0.1
    teacher_features: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what could not be trained."""
        if self.batch < 1 or self.steps < 1:
            raise ValueError("batch and steps must be at least 1")
        if min(self.height, self.width) < 32:
            raise ValueError(
                f"a crop of {self.width}x{self.height} is too small: the teacher needs 32 a side"
            )
        if self.taught is not None and not 1 <= self.taught <= self.batch:
            raise ValueError(f"taught={self.taught}: expected 1 to batch={self.batch}")
        if not 1 <= self.gradient_scales <= 5:
            raise ValueError(f"gradient_scales={self.gradient_scales}: expected 1 to 5")
        if self.pretraining < 0 or self.teacher_every < 0 or self.teacher_every == 1:
            raise ValueError(
                "pretraining must be at least 0, and teacher_every 0 (never) or at least 2"
            )

"""The published supervised settings (Cityscapes), one recipe per size.

200 epochs of 2,975 pictures on four GPUs with four crops each are 37,200 updates. Crops of 512x512
come from pictures whose short side is drawn between 512 and 2048 pixels: of Cityscapes' 1024x2048,
scales of 0.5 to 2. The plain models are trained with the focal loss on the batch's mean cross
entropy, the plus models with OHEM and class weights, as in the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from fusionzoo.methods.trans4pass import losses, recipe


@dataclass(frozen=True)
class PaperSettings(recipe.SupervisedSettings):
    """See `recipe.SupervisedSettings`; `encoder` should name a MiT-B1 file for T, MiT-B2 for S."""

    steps: int = 37_200
    batch: int = 4
    height: int = 1024
    width: int = 2048
    input_height: int = 512
    input_width: int = 512
    smallest_scale: float = 0.5
    largest_scale: float = 2.0
    size: Literal["nano", "t", "s"] = "t"
    plus: bool = False
    classes: str = "cityscapes19"
    learning_rate: float = 5e-5
    decoder_factor: float = 10.0
    weight_decay: float = 1e-4
    warm_up: int = 0
    loss: losses.Loss = "focal"
    fused_share: float = 0.0
    rare_share: float = 0.0
    disturbance: float = 0.0
    drop_path: float = 0.1
    offset_start: Literal["normal", "zero"] = "normal"


@dataclass(frozen=True)
class SmallSettings(PaperSettings):
    """Trans4PASS-S."""

    size: Literal["nano", "t", "s"] = "s"


@dataclass(frozen=True)
class PlusSettings(PaperSettings):
    """Trans4PASS+ T."""

    plus: bool = True
    loss: losses.Loss = "ohem"
    class_weights: str = "ohem"


@dataclass(frozen=True)
class PlusSmallSettings(PlusSettings):
    """Trans4PASS+ S."""

    size: Literal["nano", "t", "s"] = "s"


class Tiny(recipe.Recipe):
    """Trans4PASS-T."""

    Settings: ClassVar[type] = PaperSettings


class Small(recipe.Recipe):
    """Trans4PASS-S."""

    Settings: ClassVar[type] = SmallSettings


class PlusTiny(recipe.Recipe):
    """Trans4PASS+ T."""

    Settings: ClassVar[type] = PlusSettings


class PlusSmall(recipe.Recipe):
    """Trans4PASS+ S."""

    Settings: ClassVar[type] = PlusSmallSettings

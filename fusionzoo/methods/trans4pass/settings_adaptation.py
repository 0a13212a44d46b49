"""Settings of Trans4PASS's adaptation; `recipe_adaptation` says what they decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fusionzoo import classes
from fusionzoo.methods.trans4pass import adaptation, losses


@dataclass(frozen=True)
class AdaptationSettings:
    """Everything that decides a stage of adaptation.

    Attributes:
        stage: "warm_up", "self_training" or "mpa"; or "source", the control: training goes on
            with the source alone.
        steps: Updates at which the decay would end.
        batch: Pictures of each domain per update and process.
        height: Window taken from a picture of either domain.
        width: Likewise.
        input_height: What the network sees of it, after scaling.
        input_width: Likewise.
        smallest_scale: Source windows are scaled by a factor between this ...
        largest_scale: ... and this; panoramas keep their scale.
        rare_share: How often a source window is cut around a rare class; see `views.window_place`.
        seed: Of order, crops and the discriminator.
        size: Of the network.
        plus: Decoder of Trans4PASS+.
        classes: Class table of the source's labels.
        start: File with the parameters of the stage before; "zoo" for the shipped ones.
        target: Unlabelled panoramas.
        pseudo: Folder that `fusionzoo pseudo-label` wrote.
        optimiser: "sgd" as published, or "adamw".
        learning_rate: Before decay.
        weight_decay: Of either.
        rise: Updates of a linear rise to that rate; the paper has none.
        power: Of the polynomial decay.
        groups: "unique" takes every parameter once; "official" repeats each as often as the
            released code does (once per module around it), which multiplies its step.
        source_loss: Of the labelled source; the paper's is "cross_entropy".
        statistics: "fixed" normalises by the running statistics of `start`; "batch" by those of
            each batch, as the released code, whose batches are larger than two pictures here.
        class_weights: Name of the class table's weights for the source's cross entropy, or "none".
        adversarial: Weight of the adversarial term.
        prototypical: Weight of each feature loss.
        temperature: Of the distillation.
        bank: How prototypes move; see `PrototypeBank`.
        bank_momentum: Share they keep.
        bank_every: Updates between moves.
        discriminator_rate: Learning rate of the discriminator's Adam.
        discriminator_width: Channels of its first layer.
        disturbance: Strength of random gain, gamma, cast and noise, on both domains.
    """

    stage: Literal["source", "warm_up", "self_training", "mpa"] = "warm_up"
    steps: int = 200
    batch: int = 2
    height: int = 400
    width: int = 640
    input_height: int = 208
    input_width: int = 352
    smallest_scale: float = 0.55
    largest_scale: float = 0.9
    rare_share: float = 0.75
    seed: int = 0
    size: Literal["nano", "t", "s"] = "nano"
    plus: bool = True
    classes: str = "fmb"
    start: str = "zoo"
    target: str = "demo_panorama:train"
    pseudo: str | None = None
    optimiser: Literal["sgd", "adamw"] = "adamw"
    learning_rate: float = 2e-4
    weight_decay: float = 5e-4
    rise: int = 10
    power: float = 0.9
    groups: Literal["unique", "official"] = "unique"
    source_loss: losses.Loss = "cross_entropy"
    statistics: Literal["fixed", "batch"] = "fixed"
    class_weights: str = "none"
    adversarial: float = 0.001
    prototypical: float = 0.001
    temperature: float = 20.0
    bank: adaptation.BankRule = "class_mean"
    bank_momentum: float = 0.999
    bank_every: int = 100
    discriminator_rate: float = 1e-4
    discriminator_width: int = 64
    disturbance: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is loaded."""
        classes.find(self.classes)
        if self.stage in ("self_training", "mpa") and not self.pseudo:
            raise ValueError(
                f"stage {self.stage} needs pseudo=FOLDER: make it with `fusionzoo pseudo-label`"
            )

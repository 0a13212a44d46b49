"""What a training of ReFusion is set by.

The defaults are those of the shipped weights, chosen for an hour of one CPU core. The authors train
for 50 epochs of 600 meta-steps and a pass over the data each, rate 1e-4 for everything, decay 0.1,
swap "double", padding "zeros"; all of it can be had by `--set`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fusionzoo.methods.refusion.losses import Padding
from fusionzoo.methods.refusion.meta import Kind


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters.

    Attributes:
        task: Pairs to learn from: "vif" takes the dataset's own, "mef" and "mff" make them of its
            visible pictures.
        steps: Updates, meta-steps among them.
        epochs: The steps are cut into that many epochs.
        meta_start: Part of the training before P begins to learn; F and R must be able to do
            something before their reactions mean anything. The authors have no such part.
        meta_share: Part of each later epoch, at its beginning, in which P learns.
        batch: Pictures per update; half of them train and half test in a meta-step.
        height: Of a crop.
        width: Of a crop.
        seed: Of everything random.
        learning_rate: Of F and R (Adam).
        inner_rate: Of the steps inside a meta-step.
        proposal_rate: Of P.
        decay: The rates of F, R and P are multiplied by it after each fifth of the training.
        proposal_step: "max_norm" divides P's gradient by its largest entry, "adam" uses Adam.
        meta_gradient: See `meta.MetaStep`.
        gradient_ramp: The factor of the loss's gradient term grows from 1/epochs to 1.
        gradient_factor: That factor in the end.
        gradient_padding: "zeros" as published, or "replicate".
        swap: "double" enters each pair in both orders, "random" in one of them, "none" as it is;
            "meta" in both orders where P learns, else in one of them.
        symmetric: Ask P in both orders and take the mean. Without it, short trainings end with
            one place of the two preferred everywhere, whatever picture stands there.
        fixed_loss: Leave P out: W = V = 0.5. The meta-steps are skipped, so that F and R see the
            same batches at the same rates as with a learned loss.
        start: Folder of a finished training that F, R and P start from; empty: random.
        start_intensity: False leaves out P's network for W, which starts at random. A preference
            of the brighter source, learned on one task, would never be lost on another: decided
            weights have no slope.
    """

    task: Literal["vif", "mef", "mff"] = "vif"
    steps: int = 900
    epochs: int = 18
    meta_start: float = 0.1
    meta_share: float = 0.4
    batch: int = 2
    height: int = 48
    width: int = 48
    seed: int = 0
    learning_rate: float = 2e-3
    inner_rate: float = 1e-2
    proposal_rate: float = 3e-3
    decay: float = 0.4
    proposal_step: Literal["max_norm", "adam"] = "max_norm"
    meta_gradient: Kind = "second_order"
    gradient_ramp: bool = True
    gradient_factor: float = 1.0
    gradient_padding: Padding = "replicate"
    swap: Literal["double", "meta", "random", "none"] = "random"
    symmetric: bool = True
    fixed_loss: bool = False
    start: str = ""
    start_intensity: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.batch % 2:
            raise ValueError(f"batch is {self.batch}: it must be even, half trains and half tests")
        if not 1 <= self.epochs <= self.steps:
            raise ValueError(f"epochs is {self.epochs}: expected 1 to {self.steps}, the steps")
        if not 0 <= self.meta_share < 1:
            raise ValueError(f"meta_share is {self.meta_share}: expected 0 to below 1")

    def epoch(self, step: int) -> int:
        """Epoch of a step, from 0."""
        return step * self.epochs // self.steps

    def is_meta(self, step: int) -> bool:
        """True if P learns in this step."""
        place = step * self.epochs % self.steps / self.steps
        return step >= self.meta_start * self.steps and place < self.meta_share

    def factor(self, step: int) -> float:
        """C of the fusion loss."""
        share = (self.epoch(step) + 1) / self.epochs if self.gradient_ramp else 1.0
        return self.gradient_factor * share

    def decayed(self, rate: float, step: int) -> float:
        """A rate at a step."""
        return rate * self.decay ** (5 * step // self.steps)

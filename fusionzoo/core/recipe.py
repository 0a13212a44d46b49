"""What a method's training must offer; `fusionzoo.train` does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fusionzoo.core.scenes import Sample


class Stateful(Protocol):
    """Anything a checkpoint can hold: a network, an optimiser, a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Inverse of `state_dict`."""


class Recipe(Protocol):
    """How a method is trained; `fusionzoo train` supplies batches, log, checkpoints and resuming.

    A recipe owns its networks, losses and optimisers, so that two networks in turn or an update
    inside an update need nothing special. It is built as `Recipe(settings, device)`, where settings
    are an instance of its frozen dataclass `Settings`: every hyper-parameter a field, among them
    `steps`, `batch`, `height` and `width` (of a crop) and `seed`. Randomness inside `update` is
    repeatable: torch is seeded by (seed, step) before each call.

    An attribute `streams: Mapping[str, str]` may name further datasets ("name:split"), whose planes
    arrive as "<key>/<plane>". Another, `companions: Mapping[str, Mapping[str, Tensor]]`, may name
    further state dicts that are exported beside the weights.
    """

    Settings: ClassVar[type]
    roles: ClassVar[tuple[str, ...]]

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """Decoded scene to planes (C, H, W) of one H and W; called once a scene, then cached."""

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """One cropped and perhaps mirrored scene to what a batch is stacked from."""

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:
        """One optimisation step on planes (B, C, H, W); the losses to log."""

    def state(self) -> dict[str, Stateful]:
        """Everything that changes while training, by name."""

    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Planes (B, 1 or 3, H, W) in [0, 1] to look at, by name."""

    def weights(self) -> dict[str, Tensor]:
        """The state dict that inference loads."""

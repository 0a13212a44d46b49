"""Masked-autoencoder pre-training of a backbone: `fusionzoo train mae`.

He et al., CVPR 2022: hide most of a picture, encode the rest, let a decoder draw what is missing.
Attention in windows needs the whole grid of tokens, so hidden patches enter the encoder as one
learned token instead of being left out (as in SimMIM, Xie et al., CVPR 2022). The loss is the mean
absolute difference over all pixels, hidden and seen: the fusion network later shows every patch.

Each sample is a grey picture, visible or infrared in equal shares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo import colour, parallel
from fusionzoo.core import Sample, Stateful
from fusionzoo.methods.tc_moa.configuration import ENLARGED, check_crop
from fusionzoo.methods.tc_moa.network import Network
from fusionzoo.methods.tc_moa.start import begin_as_autoencoder, groups, set_rate


@dataclass(frozen=True)
class MaskingSettings:
    """Hyper-parameters.

    Attributes:
        size: Size of the network.
        steps: Updates.
        batch: Pictures a process sees in a step.
        height, width: Of a crop (pixels); multiples of the network's.
        seed: Decides order, crops, masks and initial values.
        learning_rate: Peak, reached after `warmup` steps, then a cosine to `last_rate`.
        last_rate: Learning rate at the end.
        warmup: Steps of linear warm-up.
        weight_decay: Of matrices; vectors have none.
        pixel_rate: Factor on the learning rate of the maps between pixels and tokens.
        hidden: Share of patches that are hidden.
        cell: Patches are hidden in squares of this many.
    """

    size: Literal["tiny", "base", "large"] = "tiny"
    steps: int = 800
    batch: int = 8
    height: int = 112
    width: int = 112
    seed: int = 0
    learning_rate: float = 1e-3
    last_rate: float = 1e-4
    warmup: int = 40
    weight_decay: float = 0.05
    pixel_rate: float = 0.1
    hidden: float = 0.6
    cell: int = 2

    def __post_init__(self) -> None:
        """Refuse crops that cannot be trained on."""
        check_crop(self.size, self.height, self.width)


class Autoencoder(nn.Module):
    """The backbone of `Network`, and the token that stands for hidden patches."""

    def __init__(self, size: str) -> None:
        """Random values; `tiny` begins as an exact autoencoder of what it sees."""
        super().__init__()
        self.network = Network(size)
        if size == "tiny":
            begin_as_autoencoder(self.network)
        self.network.encoder.units = nn.ModuleList()
        self.network.decoder.units = nn.ModuleList()
        constant = self.network.patch_embed.bias
        assert constant is not None
        # A hidden patch starts as a mean grey one.
        self.mask_token = nn.Parameter(constant.detach().clone())

    def forward(self, pictures: Tensor, hidden: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [0, 1], a mask (B, h, w) bool -> pixels (B, 3, 2 H, 2 W)."""
        network = self.network
        tokens = network.encoder.plain(network.embed(pictures, hidden, self.mask_token))
        return network.pixels(network.decoder.plain(network.decoder_tokens(tokens)))


def learning_rate(step: int, settings: MaskingSettings) -> float:
    """Linear warm-up, then a cosine to the last rate."""
    if step < settings.warmup:
        return settings.learning_rate * (step + 1) / settings.warmup
    share = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    swing = 0.5 * (1 + math.cos(math.pi * share))
    return settings.last_rate + (settings.learning_rate - settings.last_rate) * swing


def hidden_patches(grid: tuple[int, int, int], share: float, cell: int) -> Tensor:
    """Masks (B, h, w) bool that hide the same number of cells in every picture, at random."""
    batch, rows, columns = grid
    cells = (-(-rows // cell), -(-columns // cell))
    count = round(share * cells[0] * cells[1])
    chosen = torch.rand(batch, cells[0] * cells[1]).argsort(1) < count
    mask = chosen.view(batch, *cells)
    return mask.repeat_interleave(cell, 1).repeat_interleave(cell, 2)[:, :rows, :columns]


class Recipe:
    """See `fusionzoo.core.Recipe`."""

    Settings = MaskingSettings
    roles = ("visible", "infrared")

    def __init__(self, settings: MaskingSettings, device: torch.device) -> None:
        """Random values; the caller has seeded torch."""
        self.settings = settings
        self.model = Autoencoder(settings.size).to(device)
        self.optimiser = torch.optim.AdamW(
            groups(self.model, settings.weight_decay, settings.pixel_rate),
            lr=settings.learning_rate,
            betas=(0.9, 0.95),
        )

    def prepare(self, sample: Sample) -> dict[str, Tensor]:
        """Luminance and infrared as levels (1, H, W) uint8."""
        planes = {role: colour.grey_plane(sample.images[role][None])[0] for role in self.roles}
        return {role: (plane * 255).round().byte() for role, plane in planes.items()}

    def augment(self, planes: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """One of the two pictures (1, H, W) in [0, 1]."""
        role = self.roles[int(torch.randint(2, (), generator=generator))]
        return {"picture": planes[role].float() / 255}

    def update(self, batch: dict[str, Tensor], step: int) -> dict[str, float]:
        """One step of AdamW."""
        self.model.train()
        rate = learning_rate(step, self.settings)
        set_rate(self.optimiser, rate)
        pixels, target, _ = self._drawn(batch["picture"])
        loss = (pixels.float() - target).abs().mean()
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        parallel.average_gradients(self.model.parameters())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return {"loss": loss.item(), "learning_rate": rate}

    def _drawn(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Drawn and true pixels (B, 3, 2 H, 2 W), normalised, and the mask."""
        network, settings = self.model.network, self.settings
        pictures = grey.expand(-1, 3, -1, -1)
        side = network.size.patch // ENLARGED
        grid = (len(grey), grey.shape[-2] // side, grey.shape[-1] // side)
        hidden = hidden_patches(grid, settings.hidden, settings.cell).to(grey.device)
        normal = (pictures - network.mean) / network.deviation
        target = functional.interpolate(normal, scale_factor=ENLARGED, mode="bilinear")
        return self.model(pictures, hidden), target, hidden

    def state(self) -> dict[str, Stateful]:
        """Network and optimiser."""
        return {"model": self.model, "optimiser": self.optimiser}

    @torch.no_grad()
    def pictures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The picture, what is left of it, and what is drawn."""
        self.model.eval()
        pixels, _, hidden = self._drawn(batch["picture"])
        side = batch["picture"].shape[-1] // hidden.shape[-1]
        seen = ~hidden.repeat_interleave(side, 1).repeat_interleave(side, 2)[:, None]
        drawn = self.model.network.picture(pixels).clamp(0, 1)
        return {"picture": batch["picture"], "seen": batch["picture"] * seen, "drawn": drawn}

    def weights(self) -> dict[str, Tensor]:
        """The backbone's parameters under the network's names."""
        return dict(self.model.network.state_dict())

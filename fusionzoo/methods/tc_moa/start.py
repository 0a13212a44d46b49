"""Initial values with which a network is already an autoencoder of grey pictures, and averages two.

Meta's autoencoders have seen a million pictures for weeks; a small one that is trained for minutes
on a CPU would spend them on learning to draw sharply what it sees. So it begins there:

- `patch_embed` recovers the n = (patch / 2)^2 grey pixels of a patch from the enlarged picture (the
  least-squares inverse of the bilinear enlargement) and writes them along n directions of a token
  that are orthogonal to all positions; a constant of larger norm along one more direction keeps
  the scale of layer normalisation nearly the same for every patch;
- blocks add nothing (their last maps are zero), `decoder_embed` is the identity, and
  `decoder_pred` reads the n directions back;
- fusion layers pass those directions, so with prompts of 1/2 and shares of 1/2 the streams draw
  near to their mean.

The architecture is not touched: everything is trained from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fusionzoo.methods.tc_moa.adapters import TaskMixture
from fusionzoo.methods.tc_moa.backbone import Block
from fusionzoo.methods.tc_moa.configuration import ENLARGED
from fusionzoo.methods.tc_moa.network import Network, Stage

GAIN = 0.5
"""Length of a token per unit of a normalised pixel."""
CONSTANT, REST = 30.0, 5.0
"""Length of the constant part of a token; and what positions and pixels typically add to it."""
NOISE = 0.02


def begin_as_autoencoder(network: Network) -> None:
    """Set the initial values, in place.

    Raises:
        ValueError: Encoder and decoder differ in width, or fusion layers are too narrow for the
            pixels of a patch (only `tiny` fits).
    """
    size = network.size
    pixels = (size.patch // ENLARGED) ** 2
    if size.width != size.decoder_width or pixels + 1 > size.width // 4:
        raise ValueError(f"size {size}: its tokens cannot carry {pixels} pixels a patch this way")
    basis = free_directions(network.table, pixels + 1)
    drawn, constant = basis[:, :pixels], basis[:, pixels]
    inverse = unenlarge(size.patch // ENLARGED)
    read = torch.einsum("ia,jb->ijab", inverse, inverse).reshape(pixels, size.patch, size.patch)
    spread = torch.kron(torch.eye(size.patch // ENLARGED), torch.ones(ENLARGED, 1))
    write = torch.einsum("ai,bj->abij", spread, spread).reshape(size.patch**2, 1, pixels)
    # Grey in units of the mean deviation; each channel has its own mean and deviation.
    mean, deviation = network.mean.flatten(), network.deviation.flatten()
    share = (deviation / deviation.sum()).view(1, 3, 1, 1)
    gain = (deviation.mean() / deviation).view(1, 3, 1)
    with torch.no_grad():
        network.patch_embed.weight.copy_(
            GAIN * torch.einsum("cp,pkab->ckab", drawn, share * read[:, None])
        )
        assert network.patch_embed.bias is not None
        network.patch_embed.bias.copy_(CONSTANT * constant)
        network.decoder_embed.weight.copy_(torch.eye(size.width))
        network.decoder_pred.weight.copy_((gain * write).reshape(-1, pixels) @ drawn.T / GAIN)
        offset = (mean.mean() - mean) / deviation
        network.decoder_pred.bias.copy_(offset.repeat(size.patch**2))
        for stage in (network.encoder, network.decoder):
            _pass_through(stage, basis)


PIXELS = ("patch_embed", "decoder_embed", "decoder_pred", "fusion")
"""Maps that see tokens with their large constant part, or pixels: small steps move them far."""
WRITERS = ("proj", "fc2", "source")
"""What is added to a token, where a step's noise becomes noise of the pixels."""


def groups(
    module: nn.Module, decay: float, slow_rate: float, slow: Sequence[str] = PIXELS
) -> list[dict[str, Any]]:
    """An optimiser's groups of what is trained: decay for matrices only, a factor for `slow`.

    Args:
        module: A network, or what contains one.
        decay: Weight decay of matrices.
        slow_rate: Factor on the learning rate of `slow`.
        slow: Parts of names.
    """
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            factor = slow_rate if any(part in slow for part in name.split(".")) else 1.0
            kind = (decay if parameter.ndim > 1 else 0.0, factor)
            found.setdefault(kind, []).append(parameter)
    return [
        {"params": members, "weight_decay": weight, "factor": factor}
        for (weight, factor), members in sorted(found.items(), key=lambda item: item[0])
    ]


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group, times its factor."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


def _pass_through(stage: Stage, basis: Tensor) -> None:
    """Blocks that add nothing, fusion layers that pass the basis, a norm that keeps the scale."""
    width, kept = basis.shape
    stage.norm.weight.fill_((CONSTANT**2 + REST**2) ** 0.5 / width**0.5)
    for block in stage.blocks:
        assert isinstance(block, Block)
        nn.init.zeros_(block.attn.proj.weight)
        nn.init.zeros_(block.mlp.fc2.weight)
    for unit in stage.units:
        assert isinstance(unit, TaskMixture)
        fusion = unit.fusion
        for layer in (fusion.conv1, fusion.conv2, fusion.conv3):
            nn.init.normal_(layer.weight, std=NOISE)
        # What starts at random must not see the constant: it would draw it as one and the same
        # pattern into every patch.
        constant = basis[:, -1:]
        along = fusion.conv1.weight[:, :, 0, 0] @ constant @ constant.T
        fusion.conv1.weight[:, :, 0, 0] -= along
        fusion.conv1.weight[:kept, :, 0, 0] = basis.T
        fusion.conv2.weight[:kept] = 0
        fusion.conv2.weight[:, kept - 1] = 0
        fusion.conv2.weight[:kept, :, 1, 1] = torch.eye(width // 4)[:kept]
        fusion.conv3.weight[:, :kept, 0, 0] = basis
        unit.source.sub_(unit.source @ basis @ basis.T)


def free_directions(table: Tensor, count: int) -> Tensor:
    """(C, count) orthonormal, orthogonal to every position of (C, 14, 14) and to a constant."""
    used = torch.cat([table.flatten(1), torch.ones(len(table), 1)], 1)
    left: Tensor
    left, strength, _ = torch.linalg.svd(used, full_matrices=True)
    rank = int((strength > 1e-4 * strength[0]).sum())
    return left[:, rank : rank + count]


def unenlarge(side: int) -> Tensor:
    """(side, 2 side) map from the samples of a line, enlarged bilinearly, to its pixels.

    The first and last sample also hold a quarter of the pixels outside the patch; they are
    unknowns of the least squares, so that what is inside is exact.
    """
    samples = torch.arange(ENLARGED * side)
    near = samples // ENLARGED + 1
    other = near + torch.where(samples % ENLARGED == 0, -1, 1)
    enlarge = torch.zeros(ENLARGED * side, side + 2)
    enlarge[samples, near] = 0.75
    enlarge[samples, other] = 0.25
    inverse: Tensor = torch.linalg.pinv(enlarge)
    return inverse[1:-1]

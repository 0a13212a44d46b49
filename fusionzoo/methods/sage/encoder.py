"""Feature spaces in which SAGE's contrast loss compares pictures: SAM's first blocks, or cosines.

The paper takes the patch embedding and the first two blocks of SAM ViT-B's image encoder, without
positional embedding, without SAM's normalisation of colours and without enlarging to 1024. `load`
reads them from Meta's checkpoint or from an export of its encoder, strictly: the released code
keeps whatever keys agree, and so trains with random features when given the ordinary file.

Without such a file the loss uses `BlockCosines`: the discrete cosine transform of blocks of 8x8
pixels, and the 64 lowest frequencies of blocks of 16x16. Like a patch embedding it is a linear map
of patches, but an orthonormal one that is known in closed form (Ahmed et al., IEEE Trans.
Computers 1974), so each channel is the strength of one spatial frequency in one direction. It costs
a thousandth of SAM's blocks and knows nothing of objects; what is semantic then is only the masks.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.core import WeightsError
from fusionzoo.weights import read_state_dict

CHANNELS, HEADS, WINDOW, PATCH = 768, 12, 14, 16
PREFIX = "image_encoder."
USED = ("patch_embed.", "blocks.0.", "blocks.1.")


class Encoder(Protocol):
    """One-channel pictures (B, 1, H, W) in [0, 1] to two maps (B, C, h, w)."""

    def __call__(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Both maps."""


class BlockCosines(nn.Module):
    """Cosine transform of 8x8 blocks, and the 64 lowest frequencies of 16x16 blocks."""

    kernels8: Tensor
    kernels16: Tensor

    def __init__(self) -> None:
        """Nothing is learnt."""
        super().__init__()
        self.register_buffer("kernels8", _cosines(8), persistent=False)
        self.register_buffer("kernels16", _cosines(16), persistent=False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, H, W), sides of at least 16 -> (B, 64, H/8, W/8) and (B, 64, H/16, W/16)."""
        with torch.autocast(pictures.device.type, enabled=False):
            plane = pictures.float()
            return (
                functional.conv2d(plane, self.kernels8, stride=8),
                functional.conv2d(plane, self.kernels16, stride=16),
            )


def _cosines(side: int) -> Tensor:
    """The 8x8 lowest frequencies of an orthonormal DCT-II, (64, 1, side, side)."""
    places = (torch.arange(side) + 0.5) * math.pi / side
    waves = torch.stack([torch.cos(k * places) for k in range(8)]) * math.sqrt(2 / side)
    waves[0] /= math.sqrt(2)
    return torch.einsum("iy,jx->ijyx", waves, waves).reshape(64, 1, side, side)


class _Attention(nn.Module):
    """Attention within one window, with decomposed relative positions."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(CHANNELS, 3 * CHANNELS)
        self.proj = nn.Linear(CHANNELS, CHANNELS)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * WINDOW - 1, CHANNELS // HEADS))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * WINDOW - 1, CHANNELS // HEADS))

    def forward(self, x: Tensor) -> Tensor:
        """Windows (N, 14, 14, 768)."""
        tokens = self.qkv(x.flatten(1, 2)).view(len(x), -1, 3, HEADS, CHANNELS // HEADS)
        query, keys, values = tokens.permute(2, 0, 3, 1, 4)
        grid = query.reshape(len(x), HEADS, WINDOW, WINDOW, -1)
        offsets = torch.arange(WINDOW, device=x.device)
        offsets = offsets[:, None] - offsets[None] + WINDOW - 1
        rows = torch.einsum("nhyxc,ykc->nhyxk", grid, self.rel_pos_h[offsets].to(grid.dtype))
        columns = torch.einsum("nhyxc,xkc->nhyxk", grid, self.rel_pos_w[offsets].to(grid.dtype))
        bias = (rows[..., :, None] + columns[..., None, :]).flatten(4).flatten(2, 3)
        answer = functional.scaled_dot_product_attention(query, keys, values, attn_mask=bias)
        projected: Tensor = self.proj(answer.transpose(1, 2).flatten(2))
        return projected.view_as(x)


class _Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin1 = nn.Linear(CHANNELS, 4 * CHANNELS)
        self.lin2 = nn.Linear(4 * CHANNELS, CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        enlarged: Tensor = self.lin2(functional.gelu(self.lin1(x)))
        return enlarged


class _Block(nn.Module):
    """Windowed attention and MLP, each after a normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(CHANNELS, eps=1e-6) for _ in range(2))
        self.attn, self.mlp = _Attention(), _Mlp()

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, h, w, 768)."""
        height, width = x.shape[1:3]
        below, right = -height % WINDOW, -width % WINDOW
        padded = functional.pad(self.norm1(x), (0, 0, 0, right, 0, below))
        rows, columns = (height + below) // WINDOW, (width + right) // WINDOW
        cut = padded.view(len(x), rows, WINDOW, columns, WINDOW, CHANNELS)
        attended = self.attn(cut.transpose(2, 3).flatten(0, 2))
        whole = attended.view(len(x), rows, columns, WINDOW, WINDOW, CHANNELS).transpose(2, 3)
        x = x + whole.flatten(3, 4).flatten(1, 2)[:, :height, :width]
        mixed: Tensor = x + self.mlp(self.norm2(x))
        return mixed


class SamBlocks(nn.Module):
    """SAM ViT-B's patch embedding and its blocks 0 and 1; keys are those of Meta's encoder."""

    def __init__(self) -> None:
        """Random parameters; only `load` gives a usable encoder."""
        super().__init__()
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, CHANNELS, PATCH, stride=PATCH)})
        self.blocks = nn.ModuleList(_Block() for _ in range(2))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, H, W) in [0, 1], sides of at least 16 -> two maps (B, 768, H/16, W/16)."""
        tokens = self.patch_embed["proj"](pictures.expand(-1, 3, -1, -1)).permute(0, 2, 3, 1)
        first = self.blocks[0](tokens)
        second = self.blocks[1](first)
        return first.permute(0, 3, 1, 2), second.permute(0, 3, 1, 2)


def load(path: Path | None) -> nn.Module:
    """A frozen encoder: SAM's blocks from a file, or cosines without one.

    Args:
        path: Meta's SAM ViT-B checkpoint, an export of its image encoder, or None.

    Raises:
        WeightsError: The file is missing, damaged, or not of SAM ViT-B.
    """
    if path is None:
        return BlockCosines()
    if not path.is_file():
        raise WeightsError(
            f"the SAM encoder {path} is not a file: give Meta's sam_vit_b_01ec64.pth, or leave "
            "the setting out for the block-cosine features"
        )
    encoder = SamBlocks()
    encoder.load_state_dict(_chosen(path, encoder.state_dict()), strict=True)
    return encoder.eval().requires_grad_(False)


def _chosen(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that the two blocks need; every one must be there, in its shape."""
    tensors = read_state_dict(path)
    plain = {key.removeprefix(PREFIX): value for key, value in tensors.items()}
    missing = sorted(set(expected) - set(plain))
    if missing:
        raise WeightsError(
            f"{path} is no SAM ViT-B image encoder: {len(missing)} of {len(expected)} keys are "
            f"missing ({missing[0]}, ...); training with random features is refused"
        )
    for key, value in expected.items():
        if plain[key].shape != value.shape:
            raise WeightsError(
                f"{path} is another size of SAM than ViT-B: {key} is {tuple(plain[key].shape)}, "
                f"expected {tuple(value.shape)}"
            )
    return {key: plain[key] for key in expected}

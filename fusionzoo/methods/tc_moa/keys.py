"""Names of parameters: the released TC-MoA's and masked autoencoders' to ours.

MAE checkpoints (Meta's files, and the `vit_mae` layout of Hugging Face) give the backbone; a
TC-MoA checkpoint gives everything but the source embeddings S, which the released code draws anew
whenever it is built and never saves. Here they are parameters; for such a checkpoint they are drawn
once, from a fixed seed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fusionzoo.methods.tc_moa.configuration import TASKS

if TYPE_CHECKING:
    from torch import Tensor

_EXPERT = r"MoA\.experts\.\d+\.fc[12]\.(?:weight|bias)"
_RULES = (
    (r"blocks\.(.+)", r"encoder.blocks.\1"),
    (r"norm\.(.+)", r"encoder.norm.\1"),
    (r"decoder_blocks\.(.+)", r"decoder.blocks.\1"),
    (r"decoder_norm\.(.+)", r"decoder.norm.\1"),
    (r"en_relative_position\.(\d+)\.relative_position_bias_table", r"encoder.relative.\1.table"),
    (r"de_relative_position\.(\d+)\.relative_position_bias_table", r"decoder.relative.\1.table"),
    (r"blocks_MoA\.(\d+)\.MoA\.w_(gate|noise)", r"encoder.units.\1.routers.\2"),
    (r"decoder_blocks_MoA\.(\d+)\.MoA\.w_(gate|noise)", r"decoder.units.\1.routers.\2"),
    (r"blocks_MoA\.(\d+)\.dimReduction\.(.+)", r"encoder.units.\1.reduce.\2"),
    (r"decoder_blocks_MoA\.(\d+)\.dimReduction\.(.+)", r"decoder.units.\1.reduce.\2"),
    (r"blocks_MoA\.(\d+)\.(norm[12]\..+)", r"encoder.units.\1.\2"),
    (r"decoder_blocks_MoA\.(\d+)\.(norm[12]\..+)", r"decoder.units.\1.\2"),
    (r"FusionLayer\.(\d+)\.(.+)", r"encoder.units.\1.fusion.\2"),
    (r"de_FusionLayer\.(\d+)\.(.+)", r"decoder.units.\1.fusion.\2"),
    (r"patch_embed\.proj\.(.+)", r"patch_embed.\1"),
    (r"(decoder_(?:embed|pred)\..+)", r"\1"),
)  # fmt: skip
_DROPPED = re.compile(
    r"cls_token|mask_token|(decoder_)?pos_embed|.*relative_position_index"
    r"|.*MoA\.(mean|std)|(MaxGradLoss|MFFselect)\..+"
)
"""Fixed tables, which are made anew; the class and mask tokens; Sobel kernels of the loss."""
_STACKED = {
    "fc1.weight": "down",
    "fc1.bias": "down_bias",
    "fc2.weight": "up",
    "fc2.bias": "up_bias",
}
_OLD_NAMES = (
    ("blocks_SSF_rgb", "blocks_MoA"),
    ("SE_en_linear", "dimReduction"),
    ("SSF_beta", "modal_shifts"),
    ("en_projAdapter", "FusionLayer"),
    ("de_projAdapter", "de_FusionLayer"),
)
"""Names of the 2024 checkpoint (its `mlp` of a unit is today's `MoA`)."""
SOURCE_SEED = 0


def own_name(name: str) -> str | None:
    """Our name of a released one; None if it is not needed, or is one of several that are joined.

    Raises:
        KeyError: An unknown name.
    """
    if _DROPPED.fullmatch(name) or name.startswith("Alpha_") or re.search(_EXPERT, name):
        return None
    for pattern, ours in _RULES:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, ours, name)
    raise KeyError(name)


def renamed(name: str) -> str:
    """A name of the 2024 checkpoint as the current code has it."""
    for old, new in _OLD_NAMES:
        name = name.replace(old, new)
    return re.sub(r"(blocks_MoA\.\d+)\.mlp\.", r"\1.MoA.", name)


def from_released(tensors: Mapping[str, Tensor], seed: int = SOURCE_SEED) -> dict[str, Tensor]:
    """A TC-MoA checkpoint of the released code, of 2024 or 2025, under our names.

    Args:
        tensors: Its state dict.
        seed: Of the source embeddings N(0, 0.02^2), which it does not hold.

    Raises:
        KeyError: It holds a name that neither release has, or lacks one.
    """
    import torch

    current = {renamed(name): tensor for name, tensor in tensors.items()}
    ours = {own: tensor for name, tensor in current.items() if (own := own_name(name))}
    generator = torch.Generator().manual_seed(seed)
    for stage, prefix in (("encoder", ""), ("decoder", "decoder_")):
        for index, share in enumerate(current[f"Alpha_{stage}"]):
            unit = f"{stage}.units.{index}"
            ours[f"{unit}.share"] = share.clone()
            for theirs, own in _STACKED.items():
                names = [f"{prefix}blocks_MoA.{index}.MoA.experts.{e}.{theirs}" for e in range(4)]
                ours[f"{unit}.adapters.{own}"] = torch.stack([current[name] for name in names])
            width = current[f"{prefix}blocks_MoA.{index}.norm1.weight"].numel() // 2
            drawn = torch.randn(len(TASKS), 2, width, generator=generator)
            ours[f"{unit}.source"] = 0.02 * drawn
    return ours


def from_autoencoder(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone of a masked autoencoder with decoder under our names.

    Args:
        tensors: State dict of Meta's "visualize" files, of `ViTMAEForPreTraining` of Hugging Face,
            or of our own pre-training.

    Raises:
        KeyError: It is none of these.
    """
    if any(name.startswith("encoder.blocks.") for name in tensors):
        return dict(tensors)
    if any(name.startswith("vit.") for name in tensors):
        tensors = _from_hugging_face(tensors)
    return {own: tensor for name, tensor in tensors.items() if (own := own_name(name))}


_HUGGING_FACE = (
    (r"vit\.embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"vit\.embeddings\.cls_token", "cls_token"),
    (r"vit\.embeddings\.position_embeddings", "pos_embed"),
    (r"vit\.layernorm\.", "norm."),
    (r"vit\.encoder\.layer\.", "blocks."),
    (r"decoder\.mask_token", "mask_token"),
    (r"decoder\.decoder_pos_embed", "decoder_pos_embed"),
    (r"decoder\.decoder_layers\.", "decoder_blocks."),
    (r"decoder\.", ""),
    (r"attention\.output\.dense\.", "attn.proj."),
    (r"intermediate\.dense\.", "mlp.fc1."),
    (r"output\.dense\.", "mlp.fc2."),
    (r"layernorm_before\.", "norm1."),
    (r"layernorm_after\.", "norm2."),
)


def _from_hugging_face(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Meta's names; query, key and value are joined to one map."""
    import torch

    found = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        for pattern, replacement in _HUGGING_FACE:
            name = re.sub(rf"(^|(?<=\.)){pattern}", replacement, name, count=1)
        kind = re.fullmatch(r"(.+)\.attention\.attention\.(query|key|value)\.(weight|bias)", name)
        if kind:
            parts.setdefault(f"{kind[1]}.attn.qkv.{kind[3]}", {})[kind[2]] = tensor
        else:
            found[name] = tensor
    for name, three in parts.items():
        found[name] = torch.cat([three[part] for part in ("query", "key", "value")])
    return found

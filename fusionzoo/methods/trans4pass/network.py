"""Trans4PASS and Trans4PASS+: a deformable Mix Transformer under a deformable MLP decoder.

T has 15,274,427 parameters and S 26,319,291 (19 classes); T+ 15,217,339 and S+ 26,262,203.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from fusionzoo.methods.trans4pass.decoder import (
    Decoder,
    DmlpHead,
    OffsetLayout,
    PlusHead,
    enlarge,
)
from fusionzoo.methods.trans4pass.encoder import DROP_PATH, SIZES, Encoder, initialise

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet's pictures, RGB in [0, 1]."""


class Output(NamedTuple):
    """Everything a forward pass finds.

    Attributes:
        stages: Encoder maps at strides 4, 8, 16, 32.
        heads: Four decoder maps (B, N, H / 4, W / 4).
        feature: Their sum, which adaptation compares with prototypes.
        logits: (B, K, H, W) at the size of the picture.
    """

    stages: list[Tensor]
    heads: list[Tensor]
    feature: Tensor
    logits: Tensor


class Trans4PASS(nn.Module):
    """Segments pictures of any size of at least 32 pixels a side."""

    def __init__(
        self,
        size: str = "nano",
        classes: int = 15,
        plus: bool = True,
        offset_layout: OffsetLayout = "official",
        mlp_activation: bool = False,
        offset_start: Literal["normal", "zero"] = "normal",
        drop_path: float = DROP_PATH,
    ) -> None:
        """Build with random parameters.

        Args:
            size: "nano", "t" or "s".
            classes: Number of classes.
            plus: Decoder of Trans4PASS+ instead of that of Trans4PASS.
            offset_layout: "official" for published weights; "interleaved" is what was meant.
            mlp_activation: Call the GELU that the official SEMlp leaves out.
            offset_start: How the first embedding's offsets begin.
            drop_path: Probability, in training, of leaving out the last block; earlier ones less.
        """
        super().__init__()
        chosen = SIZES[size]
        self.encoder = Encoder(chosen, drop_path)
        initialise(self.encoder, offset_start == "zero")
        make = (
            partial(PlusHead, layout=offset_layout, activation=mlp_activation)
            if plus
            else partial(DmlpHead, layout=offset_layout)
        )
        heads = [make(width, chosen.decoder) for width in chosen.widths]
        self.dede_head = Decoder(heads, chosen.decoder, classes)
        initialise(self.dede_head, zero_offsets=True)
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1), persistent=False)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.dede_head.pred.out_channels

    def outputs(self, normalised: Tensor) -> Output:
        """All maps for a picture (B, 3, H, W) from which mean and deviation are already taken."""
        stages = self.encoder(normalised)
        heads = self.dede_head.heads(stages)
        feature = heads[0] + heads[1] + heads[2] + heads[3]
        logits = enlarge(self.dede_head.pred(feature), normalised.shape[-2:])
        return Output(stages, heads, feature, logits)

    def normalised(self, picture: Tensor) -> Tensor:
        """RGB in [0, 1] to the scale that the encoder was made for."""
        mean, deviation = self.get_buffer("mean"), self.get_buffer("deviation")
        return (picture - mean) / deviation

    def forward(self, picture: Tensor) -> Tensor:
        """Logits (B, K, H, W) of RGB pictures (B, 3, H, W) in [0, 1]."""
        return self.outputs(self.normalised(picture)).logits


_PREFIXES = {"module.": "", "backbone.": "encoder.", "decode_head.": "dede_head."}


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys of the authors' two programs (`backbone.`, `decode_head.`, `module.`) to ours."""
    converted = {}
    for key, value in tensors.items():
        for old, new in _PREFIXES.items():
            if key.startswith(old):
                key = new + key.removeprefix(old)
        converted[key] = value
    return converted


_HUB = {
    "layer_norm_1": "norm1", "layer_norm_2": "norm2", "attention.self.query": "attn.q",
    "attention.output.dense": "attn.proj", "attention.self.sr": "attn.sr",
    "attention.self.layer_norm": "attn.norm", "mlp.dense1": "mlp.fc1", "mlp.dense2": "mlp.fc2",
    "mlp.dwconv": "mlp.dwconv",
}  # fmt: skip
"""Names inside a block on the Hugging Face hub -> names in SegFormer's own files."""


def imagenet_encoder(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of a MiT classifier, in SegFormer's or the hub's naming, for our encoder.

    The classifier's head is dropped. Offsets of the deformable embedding are not part of it.
    """
    found: dict[str, Tensor] = {}
    for key, value in tensors.items():
        name = key.removeprefix("segformer.").removeprefix("backbone.")
        if name.startswith(("head.", "classifier.")):
            continue
        if name.startswith("encoder."):
            name = _from_hub(name.removeprefix("encoder."))
        found[name] = value
    for name in [name for name in found if ".attn.key." in name]:
        other = name.replace(".key.", ".value.")
        found[name.replace(".key.", ".kv.")] = torch.cat([found.pop(name), found.pop(other)])
    return found


def _from_hub(name: str) -> str:
    """Turn "block.0.1.attention.self.query.weight" into "block1.1.attn.q.weight"."""
    part, stage, rest = name.split(".", 2)
    number = int(stage) + 1
    if part == "patch_embeddings":
        return f"patch_embed{number}.{rest.replace('layer_norm', 'norm')}"
    if part == "layer_norm":
        return f"norm{number}.{rest}"
    for side in ("key", "value"):
        rest = rest.replace(f"attention.self.{side}", f"attn.{side}")
    for old, new in _HUB.items():
        rest = rest.replace(old, new)
    return f"block{number}.{rest}"


def load_imagenet(network: Trans4PASS, tensors: Mapping[str, Tensor]) -> None:
    """Fill the encoder from an ImageNet checkpoint; only the offset layers keep their start.

    Raises:
        KeyError: Keys are missing or unknown.
        ValueError: The checkpoint is of another width or depth.
    """
    found = imagenet_encoder(tensors)
    state = network.encoder.state_dict()
    own = {key for key in state if "offset_conv" in key or "modulator_conv" in key}
    if unlike := set(found) ^ (set(state) - own):
        raise KeyError(f"{len(unlike)} keys do not fit, such as {sorted(unlike)[0]}")
    if wrong := [key for key in found if found[key].shape != state[key].shape]:
        raise ValueError(f"{len(wrong)} shapes differ, such as {wrong[0]}: another size of MiT")
    network.encoder.load_state_dict(state | found, strict=True)

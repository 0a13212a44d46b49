"""SAGE's teacher: an encoder-decoder whose five stages see the image and its masks.

Shapes for planes of H x W (sides are best multiples of 4, and at least 16):

    image    cat(visible, infrared) -> 32 (kept for the decoder) -> 64
    masks    4 patches a picture -> 32 -> 64, own weights for visible and infrared
    stage 1  H      256 image channels, halved in size and brought to 64
    stage 2  H/2    likewise
    stage 3  H/4
    stage 4  H/2    stage 3 enlarged + stage 2, brought to 64
    stage 5  H      stage 4 enlarged + stage 1, brought to 64
    decoder  cat(stage 5, 64) -> 64, cat(that, 32) -> 1; the output has no bound above

The stages share one set of weights, as released; the paper's figure draws them apart, which
`shared_attention=False` builds. The released network also carries a 256-to-64 convolution that
nothing calls; without its 147,520 parameters, 2,639,505 of the released 2,787,025 remain. The last
convolution of the visible mask stream has no activation, that of the infrared one has.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.sage.attention import (
    CHANNELS,
    SemanticPersistentAttention,
    Streams,
    joined,
)
from fusionzoo.methods.sage.network import WIDTH, Features

MASKS = 4
STAGES = 5
IMAGE = 4 * CHANNELS


class Taught(NamedTuple):
    """Fused luminance (B, 1, H, W), and five maps (B, 32, h, w) that the student imitates."""

    fused: Tensor
    features: Features


def _chain(*widths: int) -> nn.Sequential:
    return nn.Sequential(*(joined(first, second) for first, second in pairwise(widths)))


def _enlarge(picture: Tensor, like: Tensor) -> Tensor:
    """Bilinear with aligned corners, as on the teacher's way up (the student's differs)."""
    size = like.shape[-2:]
    return functional.interpolate(picture, size=size, mode="bilinear", align_corners=True)


class Teacher(nn.Module):
    """Fuses two planes under the guidance of masks."""

    def __init__(self, shared_attention: bool = True) -> None:
        """Random parameters; no trained ones were published.

        Args:
            shared_attention: One set of attention weights for all stages, or one for each.
        """
        super().__init__()
        self.image_shallow, self.image_deep = _chain(2, 16, 32), joined(32)
        self.visible_shallow, self.infrared_shallow = _chain(MASKS, 16, 32), _chain(MASKS, 16, 32)
        self.visible_deep = nn.Conv2d(32, CHANNELS, 3, padding=1)
        self.infrared_deep = joined(32)
        self.attention = nn.ModuleList(
            SemanticPersistentAttention() for _ in range(1 if shared_attention else STAGES)
        )
        self.between = nn.ModuleList(joined(IMAGE) for _ in range(STAGES - 1))
        self.decoder_deep = _chain(IMAGE + CHANNELS, 256, 128, 64)
        self.decoder_shallow = _chain(CHANNELS + 32, 64, 32, 16, 1)
        self.heads = nn.ModuleList(nn.Conv2d(IMAGE, WIDTH, 1) for _ in range(STAGES))

    def teach(
        self, visible: Tensor, infrared: Tensor, visible_masks: Tensor, infrared_masks: Tensor
    ) -> Taught:
        """Fused picture and features.

        Args:
            visible: Luminance (B, 1, H, W) in [0, 1].
            infrared: Likewise.
            visible_masks: Four mask planes (B, 4, H, W) in [0, 1] (see `masks.planes`).
            infrared_masks: Likewise.
        """
        shallow = self.image_shallow(torch.cat([visible, infrared], 1))
        deep = self.image_deep(shallow)
        masks = (
            self.visible_deep(self.visible_shallow(visible_masks)),
            self.infrared_deep(self.infrared_shallow(infrared_masks)),
        )
        maps = self._stages(Streams(deep, *masks))
        decoded = self.decoder_deep(torch.cat([maps[-1], deep], 1))
        fused = self.decoder_shallow(torch.cat([decoded, shallow], 1))
        features = [head(one) for head, one in zip(self.heads, maps, strict=True)]
        return Taught(fused, Features(*features))

    def forward(
        self, visible: Tensor, infrared: Tensor, visible_masks: Tensor, infrared_masks: Tensor
    ) -> Tensor:
        """Only the fused luminance of `teach`."""
        return self.teach(visible, infrared, visible_masks, infrared_masks).fused

    def _stages(self, streams: Streams) -> list[Tensor]:
        """The image streams of the five stages, (B, 256, h, w) each."""
        first = self._stage(0, streams)
        second = self._stage(1, self._down(0, first))
        third = self._stage(2, self._down(1, second))
        fourth = self._stage(3, self._up(2, third, second))
        fifth = self._stage(4, self._up(3, fourth, first))
        return [stage.image for stage in (first, second, third, fourth, fifth)]

    def _stage(self, index: int, streams: Streams) -> Streams:
        done: Streams = self.attention[index % len(self.attention)](streams)
        return done

    def _down(self, index: int, streams: Streams) -> Streams:
        """Half the size."""
        convolution, activation = cast(nn.Sequential, self.between[index])
        masks = (functional.max_pool2d(x, 2) for x in (streams.visible, streams.infrared))
        return Streams(activation(functional.max_pool2d(convolution(streams.image), 2)), *masks)

    def _up(self, index: int, streams: Streams, skip: Streams) -> Streams:
        """The size of an earlier stage, whose image stream is added."""
        larger = Streams(*(_enlarge(x, skip.image) for x in streams))
        return larger._replace(image=self.between[index](larger.image + skip.image))


_BLOCK = "transformer_blocks.0."
_IN_TRANSFORMER = {
    "proj_in.": "enter.",
    "proj_out.": "leave.",
    f"{_BLOCK}norm1.": "norm_self.",
    f"{_BLOCK}norm2.": "norm_cross.",
    f"{_BLOCK}norm3.": "norm_mlp.",
    f"{_BLOCK}attn1.": "self_attention.",
    f"{_BLOCK}attn2.": "cross_attention.",
    f"{_BLOCK}ff.net.0.proj.": "mlp.enlarge.",
    f"{_BLOCK}ff.net.2.": "mlp.shrink.",
    "to_q.": "to_query.",
    "to_k.": "to_keys.",
    "to_v.": "to_values.",
    "to_out.0.": "project.",
}
_STAGE_PARTS = {
    "img_transformer1": "image_first",
    "img_transformer2": "image_second",
    "mask_transformer1_vi": "visible_first",
    "mask_transformer1_ir": "infrared_first",
    "mask_transformer2": "masks_second",
    "middle_img": "between_image",
    "middle_mask": "between_masks",
    "middle_mask_vi": "between_visible",
    "middle_mask_ir": "between_infrared",
}
_CHAINS = {
    "encoder_img1": "image_shallow",
    "encoder_mask1_vi": "visible_shallow",
    "encoder_mask1_ir": "infrared_shallow",
    "img_decoder1": "decoder_deep",
    "img_decoder2": "decoder_shallow",
}
_SINGLE = {
    "encoder_img2.0": "image_deep.0",
    "encoder_mask2_vi.0": "visible_deep",
    "encoder_mask2_ir.0": "infrared_deep.0",
    **{f"compress_and_downsample_img{n + 1}": f"between.{n}" for n in range(4)},
    **{f"compress_to_32_{n + 1}": f"heads.{n}" for n in range(5)},
}


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The released code's keys to ours; the convolution that nothing calls is left out.

    Raises:
        KeyError: A key that the released teacher does not have.
    """
    return {
        _renamed(key): value
        for key, value in tensors.items()
        if not key.startswith("compress_and_upsample.")
    }


def _renamed(key: str) -> str:
    part, _, rest = key.partition(".")
    if part in _STAGE_PARTS:
        for theirs, ours in _IN_TRANSFORMER.items():
            rest = rest.replace(theirs, ours)
        return f"attention.0.{_STAGE_PARTS[part]}.{rest}"
    if part in _CHAINS:
        number, _, name = rest.partition(".")
        return f"{_CHAINS[part]}.{int(number) // 2}.0.{name}"
    stem = next((old for old in _SINGLE if key.startswith(f"{old}.")), None)
    if stem is None:
        raise KeyError(key)
    return _SINGLE[stem] + key[len(stem) :]

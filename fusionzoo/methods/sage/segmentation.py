"""SAGE's segmentation loss: a frozen network of the user's judges the teacher's picture.

The segmenter is any "module:function" that builds an `nn.Module` from RGB pictures (B, 3, H, W) in
[0, 1] to scores (B, K, h, w) of the K classes of the labels. The paper uses X-Decoder, which is too
large to come along; without a segmenter SAGE trains without labels. The released code hands
probabilities to a loss that expects scores, and labels that have all become zero; the variant
"official" repeats both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.catalog import resolve
from fusionzoo.core import DataError, FusionZooError, Sample

IGNORED = 255


def build(reference: str | None, device: torch.device) -> nn.Module | None:
    """The frozen segmenter of "module:function", or None.

    Raises:
        FusionZooError: It cannot be imported or is no network.
    """
    if reference is None:
        return None
    try:
        network = resolve(reference)()
    except (ImportError, AttributeError, ValueError) as error:
        raise FusionZooError(
            f"segmenter '{reference}' cannot be built ({error}): expected module:function"
        ) from None
    if not isinstance(network, nn.Module):
        raise FusionZooError(f"segmenter '{reference}' gave no nn.Module")
    return network.to(device).eval().requires_grad_(False)


def label_plane(sample: Sample) -> Tensor:
    """Labels as one plane (1, H, W) uint8, 255 = ignore.

    Raises:
        DataError: The scene has no label map.
    """
    if sample.target is None or sample.target.ndim != 2:
        raise DataError(
            f"{sample.name} has no label map, which the segmentation loss needs: train on a "
            "dataset with labels, or leave out --set segmenter="
        )
    return sample.target.to(torch.uint8)[None]


def loss(
    segmenter: nn.Module, fused: Tensor, colour: Tensor, labels: Tensor, official: bool
) -> Tensor:
    """Cross entropy of the fused picture in colour.

    Args:
        segmenter: Frozen network.
        fused: Luminance (B, 1, H, W).
        colour: Visible picture (B, 3, H, W) uint8, whose chroma is put back.
        labels: (B, 1, H, W) uint8.
        official: As released: probabilities taken for scores, and every label 0.
    """
    visible = colour.float() / 255
    red, green, blue = visible.chunk(3, 1)
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    scores = segmenter((fused.float() + visible - luminance).clamp(0, 1)).float()
    if official:
        scores, labels = scores.softmax(1), torch.zeros_like(labels)
    scores = functional.interpolate(scores, size=labels.shape[-2:], mode="bilinear")
    target = labels[:, 0].long()
    if bool((target == IGNORED).all()):
        return scores.sum() * 0
    return functional.cross_entropy(scores, target, ignore_index=IGNORED)

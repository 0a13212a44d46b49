"""SAGE's losses (CVPR 2025, section 3.3; weights as in the released code, see `recipe.Settings`).

Gradients are |Kx * x| + |Ky * x| with Sobel kernels and zero padding;

    gradient_loss(x; a, b) = mean |g(x) - max(g(a), g(b))|
    feature_loss(s, t)     = sum over five scales of 1 - mean cosine(s_k, t_k)
    contrast_loss(x)       = sum over masks m of d(x m, ref m) / (d(x m, source m) + 1e-7)

where d sums, over the two maps of an encoder, the L2 distance of instance-normalised features over
the whole batch, and the source of a mask is the picture it was found in. The paper's denominator
adds d(ref m, source m), so that it counts both pictures; the released code leaves that out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from fusionzoo import parallel
from fusionzoo.methods.sage.encoder import Encoder
from fusionzoo.methods.sage.network import Features

EPSILON = 1e-7
FLOOR = 1e-24


def edges(x: Tensor) -> Tensor:
    """|horizontal| + |vertical| Sobel response of (B, 1, H, W), zero padding; in float32."""
    padded = functional.pad(x.float(), (1, 1, 1, 1))
    across = padded[..., 2:] - padded[..., :-2]
    horizontal = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    down = padded[..., :-2, :] - padded[..., 2:, :]
    vertical = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    return horizontal.abs() + vertical.abs()


def gradient_loss(x: Tensor, sources: Sequence[Tensor], scales: int = 1) -> Tensor:
    """Mean difference between the edges of x and the strongest of the sources.

    Args:
        x: Fused luminance (B, 1, H, W).
        sources: Planes of the same shape.
        scales: Above 1, the mean over pictures halved in size that many times less one.
    """
    planes = [x, *sources]
    total = x.new_zeros((), dtype=torch.float32)
    for scale in range(scales):
        if scale:
            planes = [functional.avg_pool2d(plane.float(), 2) for plane in planes]
        strongest = torch.stack([edges(plane) for plane in planes[1:]]).amax(0)
        total = total + (edges(planes[0]) - strongest).abs().mean()
    return total / scales


def intensity_loss(x: Tensor, source: Tensor) -> Tensor:
    """Mean squared difference, in float32."""
    return functional.mse_loss(x.float(), source.float())


def feature_loss(student: Features, teacher: Features) -> Tensor:
    """One minus the cosine of whole maps, summed over the five scales; 0 to 10."""
    terms = [
        1 - functional.cosine_similarity(s.flatten(1).float(), t.flatten(1).float()).mean()
        for s, t in zip(student, teacher, strict=True)
    ]
    return torch.stack(terms).sum()


def contrast_loss(
    encoder: Encoder,
    x: Tensor,
    reference: Tensor,
    sources: tuple[Tensor, Tensor],
    masks: tuple[Tensor, Tensor],
    both: bool = False,
) -> tuple[Tensor, Tensor]:
    """Nearer to the reference than to the sources, mask by mask.

    Args:
        encoder: Feature space.
        x: Picture being trained, (B, 1, H, W); gradients flow through it in both distances.
        reference: The other network's picture.
        sources: Visible luminance and infrared.
        masks: Mask planes (B, M, H, W) of each; planes that are zero in the whole batch count
            nothing.
        both: The paper's denominator, which counts the reference too.

    Returns:
        The sums over visible and over infrared masks.
    """
    planes = torch.cat([plane.movedim(1, 0) for plane in masks])[:, :, None]
    origin = torch.cat(
        [
            source.expand(plane.shape[1], *source.shape)
            for source, plane in zip(sources, masks, strict=True)
        ]
    )
    with torch.no_grad():
        from_source = _features(encoder, origin * planes)
        from_reference = _features(encoder, reference.detach() * planes)
    from_x = _features(encoder, x * planes)
    nearness = _distance(from_x, from_reference)
    distance = _distance(from_x, from_source)
    if both:
        distance = distance + _distance(from_reference, from_source)
    ratios = nearness / (distance + EPSILON)
    count = masks[0].shape[1]
    return ratios[:count].sum(), ratios[count:].sum()


def _features(encoder: Encoder, pictures: Tensor) -> list[Tensor]:
    """Instance-normalised maps (M, B, C, h, w) of (M, B, 1, H, W) pictures."""
    maps = encoder(pictures.flatten(0, 1))
    lead = pictures.shape[:2]
    return [functional.instance_norm(one.float()).view(*lead, *one.shape[1:]) for one in maps]


def _distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """(M,): the L2 norm over everything but the mask, summed over the maps.

    The norm is that of the global batch, whichever processes hold it. Pictures that agree, as under
    a mask that is zero in the whole batch, get the floor and no gradient.
    """
    norms = []
    for p, q in zip(a, b, strict=True):
        squares = parallel.total((p - q).square().flatten(1).sum(1))
        norms.append(squares.clamp_min(FLOOR).sqrt())
    return torch.stack(norms).sum(0)

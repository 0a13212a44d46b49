"""Losses of the three tasks, and the regularisers of prompts and load.

Pictures are (B, 3, H, W) in about [0, 1]; f is the fused one, x and y are the sources.

    gradient map   g = conv(R + G + B, K_x) + conv(R + G + B, K_y), signed, zero padding
    max gradient   3 mean |g_f - g_s|, s the source with the larger |g| at the pixel
    max pixel      mean |f - max(x, y)|           average pixel   3 mean |f - (x + y) / 2|
    structure      1 - SSIM, Gaussian window 11, sigma 1.5, zero padding
    focus          the same against a composite that takes each 16x16 patch from the source whose
                   strongest Sobel response |S_x| + |S_y| of grey is the larger
    MEF-SSIM       `mef_ssim` below

Weights of the sums are those of the released code, of 2025-02 or of 2024 (the paper's time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from fusionzoo.methods.tc_moa.adapters import Prompts
from fusionzoo.methods.tc_moa.configuration import SourceTask, Variant
from fusionzoo.methods.tc_moa.network import Fused

WARM_UP_EPOCHS = 2
PATCH = 16
EXPOSED_DEVIATION = 0.2
GREY = (0.2989, 0.587, 0.114)
_SMOOTH_X = ((-0.2, 0.0, 0.2), (-1.0, 0.0, 1.0), (-0.2, 0.0, 0.2))
_SMOOTH_Y = ((0.2, 1.0, 0.2), (0.0, 0.0, 0.0), (-0.2, -1.0, -0.2))
_SOBEL_X = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))
_SOBEL_Y = ((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -1.0))

WEIGHTS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "2025": {
        "vif": {"gradient": 1.5, "pixel": 1.5, "mir": 1.0, "structure": 2.0},
        "mef": {"gradient": 1.8, "pixel": 1.8, "mir": 1.8, "structure": 3.6},
        "mff": {"gradient": 20.0, "pixel": 20.0, "mir": 1.0, "structure": 3.0},
    },
    "2024": {
        "vif": {"gradient": 1.0, "pixel": 1.0, "mir": 20.0, "structure": 0.5, "balance": 1.0},
        "mef": {"gradient": 1.2, "pixel": 1.2, "mir": 24.0, "structure": 1.2, "balance": 1.2},
        "mff": {"gradient": 5.0, "pixel": 5.0, "mir": 20.0, "structure": 1.0, "balance": 1.0},
    },
}
"""Factors of the terms by release and task; the load balance of 2025 is divided by epoch + 1."""


def _convolved(plane: Tensor, rows: Sequence[Sequence[float]]) -> Tensor:
    kernel = torch.tensor(rows, dtype=plane.dtype, device=plane.device)[None, None]
    return functional.conv2d(plane, kernel, padding=1)


def gradient(picture: Tensor) -> Tensor:
    """Signed gradient map (B, 1, H, W)."""
    total = picture.sum(1, keepdim=True)
    return _convolved(total, _SMOOTH_X) + _convolved(total, _SMOOTH_Y)


def max_gradient(fused: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """3 mean |g_f - the stronger of g_x and g_y|."""
    of_x, of_y = gradient(x), gradient(y)
    stronger = torch.where(of_x.abs() > of_y.abs(), of_x, of_y)
    return 3 * (gradient(fused) - stronger).abs().mean()


def sobel(picture: Tensor) -> Tensor:
    """|S_x| + |S_y| (B, 1, H, W) of grey."""
    weights = torch.tensor(GREY, dtype=picture.dtype, device=picture.device).view(3, 1, 1)
    grey = (picture * weights).sum(1, keepdim=True)
    return _convolved(grey, _SOBEL_X).abs() + _convolved(grey, _SOBEL_Y).abs()


def focus_composite(x: Tensor, y: Tensor) -> Tensor:
    """Each 16x16 patch from the source with the stronger edge in it; x of two equal ones.

    Patches at the right and lower border may be smaller.
    """
    strongest = [functional.max_pool2d(sobel(picture), PATCH, ceil_mode=True) for picture in (x, y)]
    takes_x = (strongest[0] >= strongest[1]).to(x.dtype)
    mask = takes_x.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    mask = mask[..., : x.shape[-2], : x.shape[-1]]
    return mask * x + (1 - mask) * y


def _window(sigma: float, channels: int, like: Tensor) -> Tensor:
    """(channels, 1, 11, 11) Gaussian of sum 1."""
    axis = torch.arange(11, dtype=torch.float64) - 5
    bell = (-(axis**2) / (2 * sigma**2)).exp()
    bell = bell / bell.sum()
    return (bell[:, None] * bell[None]).to(like).expand(channels, 1, 11, 11)


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Mean structural similarity, window 11, sigma 1.5, zero padding, data range 1."""
    channels = first.shape[1]
    window = _window(1.5, channels, first)

    def blurred(plane: Tensor) -> Tensor:
        return functional.conv2d(plane, window, padding=5, groups=channels)

    mean1, mean2 = blurred(first), blurred(second)
    variance1 = blurred(first * first) - mean1**2
    variance2 = blurred(second * second) - mean2**2
    covariance = blurred(first * second) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + 1e-4) / (mean1**2 + mean2**2 + 1e-4)
    structure = (2 * covariance + 9e-4) / (variance1 + variance2 + 9e-4)
    return (luminance * structure).mean()


def mef_ssim(fused: Tensor, sources: Tensor) -> Tensor:
    """MEF-SSIM of a picture and its exposures, in the form that serves as a loss.

    Ma, Duanmu, Zhu, Fang and Wang, "Deep Guided Learning for Fast Multi-Exposure Image Fusion",
    IEEE TIP 2020: in each window (11x11, sigma 11/6, three channels together) the fused picture is
    compared by contrast and structure with the exposure of the largest variance, and by mean
    intensity with the exposures' means, weighted by how well each is exposed in the window and in
    the whole (sigma 0.2 each). The mean of the intensities' map is multiplied by that of the
    structures'. One scale, zero padding, data range 1.

    Args:
        fused: (1, 3, H, W).
        sources: (K, 3, H, W), the exposures.
    """
    channels = fused.shape[1]
    window = _window(11 / 6, channels, fused).reshape(1, channels, 11, 11) / channels

    def blurred(planes: Tensor) -> Tensor:
        return functional.conv2d(planes, window, padding=5)

    means, mean = blurred(sources), blurred(fused)
    variances = blurred(sources**2) - means**2
    variance = blurred(fused**2) - mean**2
    covariances = blurred(fused * sources) - mean * means
    scores = (2 * covariances + 9e-4) / (variance + variances + 9e-4)
    strongest = variances.argmax(0, keepdim=True)
    structure = scores.gather(0, strongest)
    everywhere = means.mean((1, 2, 3), keepdim=True)
    off = (everywhere - 0.5) ** 2 + (means - 0.5) ** 2
    exposed = (-off / (2 * EXPOSED_DEVIATION**2)).exp()
    wanted = (exposed * means).sum(0) / exposed.sum(0)
    luminance = (2 * mean * wanted + 1e-4) / (mean**2 + wanted**2 + 1e-4)
    return luminance.mean() * structure.mean()


def stacked(pictures: Tensor) -> Tensor:
    """A batch (B, 3, H, W) as one tall picture (1, 3, B H, W)."""
    batch, channels, height, width = pictures.shape
    return pictures.transpose(0, 1).reshape(1, channels, batch * height, width)


def inconsistency(fused: Fused, variant: Variant) -> Tensor:
    """Mutual-information regularisation: how far p_x + p_y is from 1.

    Three quarters of the mean over the encoder's prompts, one quarter of that over the decoder's.
    """

    def off(prompts: Sequence[Prompts]) -> Tensor:
        gaps = torch.stack([prompt.x + prompt.y - 1 for prompt in prompts])
        return gaps.abs().mean() if variant.mir == "l1" else (gaps**2).mean()

    return 0.75 * off(fused.encoder_prompts) + 0.25 * off(fused.decoder_prompts)


def terms(fused: Fused, x: Tensor, y: Tensor, task: SourceTask, warm_up: bool) -> dict[str, Tensor]:
    """The pictures' losses of a task by name: pixel, structure and, after warm-up, gradient."""
    picture = fused.picture
    if task == "mff":
        target = focus_composite(x, y)
        pixel, structure = (picture - target).abs().mean(), 1 - ssim(picture, target)
        gap = 3 * (gradient(picture) - gradient(target)).abs().mean()
    else:
        average = 3 * (picture - (x + y) / 2).abs().mean()
        greatest = (picture - torch.maximum(x, y)).abs().mean()
        pixel = greatest if task == "vif" and not warm_up else average
        if task == "mef" and not warm_up:
            sources = torch.cat([stacked(x), stacked(y)])
            structure = 1 - mef_ssim(stacked(picture), sources)
        else:
            structure = 1 - (ssim(picture, x) + ssim(picture, y)) / 2
        gap = max_gradient(picture, x, y)
    found = {"pixel": pixel, "structure": structure}
    return found if warm_up else {**found, "gradient": gap}


def total(
    fused: Fused, x: Tensor, y: Tensor, task: SourceTask, epoch: int, variant: Variant
) -> tuple[Tensor, dict[str, float]]:
    """What is minimised, and its terms.

    Args:
        fused: Of the network in training mode.
        x: First source (B, 3, H, W).
        y: Second source.
        task: Which losses.
        epoch: From 0; the first two are a warm-up towards the mean picture.
        variant: `losses` and `mir` are used.
    """
    warm_up, old = epoch < WARM_UP_EPOCHS, variant.losses == "2024"
    found = terms(fused, x, y, task, warm_up)
    found |= {"mir": inconsistency(fused, variant), "balance": fused.balance}
    factors = dict(WEIGHTS[variant.losses][task])
    if warm_up:
        factors = {"pixel": 1.0, "structure": 1.0, "mir": 20.0 if old else 1.0, "balance": 1.0}
    if not old:
        factors["balance"] = 1 / (epoch + 1)
    whole = torch.stack([factors[name] * value for name, value in found.items()]).sum()
    return whole, {name: value.item() for name, value in found.items()}

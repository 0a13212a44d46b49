"""MITNet's losses: pixels, Fourier amplitude, complex spectrum, mutual information.

With gt_1 = clean amplitude and hazy phase, the best that the first stage can do:

    pixels = |out_1 - gt_1| + |out_2 - gt|
    fourier = ||F(out_1)| - |F(gt)|| + |F(out_2) - F(gt)| (real and imaginary part apart)

each a mean over all values, F the unnormalised transform of real pictures.

Differs from the authors' code: the mutual-information term pools before its linear layers, so crops
may have any size, and averages where theirs sums.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.mitnet.layers import swap_amplitude
from fusionzoo.methods.mitnet.network import Stages

LATENT = 4
SSIM_SIDE, SSIM_SIGMA = 11, 1.5


def pixels(stages: Stages, hazy: Tensor, clean: Tensor) -> Tensor:
    """L1 of both stages against the best each can do; pictures (B, C, H, W)."""
    best_first = swap_amplitude(clean, hazy)
    first = functional.l1_loss(stages.first.float(), best_first)
    return first + functional.l1_loss(stages.second.float(), clean)


def fourier(stages: Stages, clean: Tensor) -> Tensor:
    """L1 of amplitudes after the first stage and of spectra after the second."""
    target = torch.fft.rfft2(clean.float())
    amplitude = torch.fft.rfft2(stages.first.float()).abs()
    spectrum = torch.view_as_real(torch.fft.rfft2(stages.second.float()))
    return functional.l1_loss(amplitude, target.abs()) + functional.l1_loss(
        spectrum, torch.view_as_real(target)
    )


def decibels(output: Tensor, clean: Tensor) -> Tensor:
    """PSNR of each picture in dB, (B,), peak 1."""
    error = (output.float() - clean.float()).square().mean((1, 2, 3))
    return -10 * torch.log10(error + 1e-8)


def dissimilarity(output: Tensor, clean: Tensor) -> Tensor:
    """1 - SSIM per channel, 11x11 Gaussian of sigma 1.5, zero padding (for real haze)."""
    channels = clean.shape[1]
    position = torch.arange(SSIM_SIDE, device=clean.device) - SSIM_SIDE // 2
    line = torch.exp(-(position.float() ** 2) / (2 * SSIM_SIGMA**2))
    window = torch.outer(line, line) / line.sum() ** 2
    kernel = window.expand(channels, 1, -1, -1)

    def blur(plane: Tensor) -> Tensor:
        return functional.conv2d(plane, kernel, padding=SSIM_SIDE // 2, groups=channels)

    output, clean = output.float(), clean.float()
    mean_1, mean_2 = blur(output), blur(clean)
    power = blur(output * output) + blur(clean * clean) - mean_1**2 - mean_2**2
    product = blur(output * clean) - mean_1 * mean_2
    similar = (2 * mean_1 * mean_2 + 1e-4) * (2 * product + 9e-4)
    return 1 - (similar / ((mean_1**2 + mean_2**2 + 1e-4) * (power + 9e-4))).mean()


class _Projector(nn.Module):
    """Features of one stream and level to the mean and logarithmic variance of a Gaussian."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 4, 2, 1), nn.LeakyReLU(0.01),
            nn.Conv2d(channels, channels, 4, 2, 1), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
        )  # fmt: skip
        self.mean = nn.Linear(16 * channels, LATENT)
        self.spread = nn.Linear(16 * channels, LATENT)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        flat = self.body(features)
        return torch.tanh(self.mean(flat)), torch.tanh(self.spread(flat))


class MutualInformation(nn.Module):
    """An estimate of what the phase and amplitude streams share, summed over three levels.

    Per level both streams become Gaussians N(m, exp(v)) of 4 numbers, z is a draw from each, and

        cross-entropy(s(z_1), s(z_2)) + cross-entropy(s(z_2), s(z_1)) - KL(1|2) - KL(2|1)

    with s the logistic function and the second argument held fixed. As in the authors' code, the
    projectors are random and stay so unless the setting `train_projector` says otherwise.
    """

    def __init__(self, width: int) -> None:
        """For features of width, 2 width and 4 width channels."""
        super().__init__()
        widths = [width, 2 * width, 4 * width]
        self.phase = nn.ModuleList(map(_Projector, widths))
        self.amplitude = nn.ModuleList(map(_Projector, widths))

    def forward(self, stages: Stages) -> Tensor:
        """A number; draws from torch's random numbers."""
        terms = []
        for level, project in enumerate(self.phase):
            one = project(stages.phase[level].float())
            other = self.amplitude[level](stages.amplitude[level].float())
            terms.append(_shared(one, other))
        return torch.stack(terms).sum()


def _shared(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
    drawn = [
        torch.sigmoid(mean + torch.exp(0.5 * spread) * torch.randn_like(mean))
        for mean, spread in (one, other)
    ]
    crossed = functional.binary_cross_entropy(drawn[0], drawn[1].detach())
    crossed = crossed + functional.binary_cross_entropy(drawn[1], drawn[0].detach())
    return crossed - _divergence(one, other) - _divergence(other, one)


def _divergence(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
    """Mean KL divergence of N(m_1, exp(v_1)) from N(m_2, exp(v_2)), v being log deviations."""
    ratio = torch.exp(2 * (one[1] - other[1]))
    shift = ((one[0] - other[0]) / torch.exp(other[1])) ** 2
    return 0.5 * (ratio + shift - 1 - torch.log(ratio)).mean()

"""MITNet's building blocks: a residual block with a Fourier branch, attention, a dynamic filter.

Everything in the frequency domain is computed in float32 whatever the precision of the rest: half
precision has no complex numbers, and amplitudes span more than its range.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Part = Literal["amplitude", "phase", "none"]
SLOPE = 0.2


def conv3(inputs: int, outputs: int) -> nn.Conv2d:
    """3x3 convolution that keeps the size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def activation() -> nn.LeakyReLU:
    """The network's only non-linearity apart from gates."""
    return nn.LeakyReLU(SLOPE)


def phase_of(spectrum: Tensor) -> Tensor:
    """Angle in (-pi, pi]; real negative bins always give +pi, never -pi by the sign of a zero."""
    return torch.atan2(spectrum.imag + 0.0, spectrum.real)


def with_amplitude(amplitude: Tensor, spectrum: Tensor) -> Tensor:
    """`amplitude` with the phase of `spectrum`; empty bins count as phase 0."""
    size = spectrum.abs()
    empty = size == 0
    # Both operands are replaced, so that no gradient of the division is NaN.
    phasor: Tensor = spectrum.masked_fill(empty, 1) / size.masked_fill(empty, 1)
    return amplitude * phasor


def swap_amplitude(amplitude_of: Tensor, phase_of_picture: Tensor) -> Tensor:
    """The picture that has the amplitude of the first and the phase of the second.

    Args:
        amplitude_of: (B, C, H, W).
        phase_of_picture: (B, C, H, W).

    Returns:
        (B, C, H, W) float32, not limited to [0, 1].
    """
    size = amplitude_of.shape[-2:]
    with torch.autocast(amplitude_of.device.type, enabled=False):
        amplitude = torch.fft.rfft2(amplitude_of.float()).abs()
        mixed = with_amplitude(amplitude, torch.fft.rfft2(phase_of_picture.float()))
        picture: Tensor = torch.fft.irfft2(mixed, s=size)
    return picture


class SpectralBranch(nn.Sequential):
    """Two 1x1 convolutions over the half spectrum's amplitude or phase, the other part kept."""

    def __init__(self, channels: int, part: Part) -> None:
        """For `channels` feature planes."""
        super().__init__(
            nn.Conv2d(channels, channels, 1), activation(), nn.Conv2d(channels, channels, 1)
        )
        self.part = part

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape and dtype."""
        with torch.autocast(features.device.type, enabled=False):
            spectrum = torch.fft.rfft2(features.float())
            if self.part == "amplitude":
                changed = with_amplitude(self._convolve(spectrum.abs()), spectrum)
            else:
                changed = torch.polar(spectrum.abs(), self._convolve(phase_of(spectrum)))
            output: Tensor = torch.fft.irfft2(changed, s=features.shape[-2:])
        return output.to(features.dtype)

    def _convolve(self, plane: Tensor) -> Tensor:
        for layer in self:
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                plane = functional.conv2d(plane, layer.weight.float(), layer.bias.float())
            else:
                plane = layer(plane)
        return plane


class Block(nn.Module):
    """Residual block whose output also passes through the Fourier domain."""

    def __init__(self, inputs: int, outputs: int, part: Part, cross: bool = False) -> None:
        """With a spectral branch unless `part` is "none"; `cross` adds two more inputs."""
        super().__init__()
        self.identity = nn.Conv2d(inputs, outputs, 1)
        self.spatial = nn.Sequential(
            conv3(inputs, outputs), activation(), conv3(outputs, outputs), activation()
        )
        self.spectral = SpectralBranch(outputs, part) if part != "none" else None
        self.merge = nn.Conv2d(2 * outputs, outputs, 1) if part != "none" else None
        self.from_encoder = conv3(outputs, outputs) if cross else None
        self.from_decoder = conv3(outputs, outputs) if cross else None

    def forward(
        self, features: Tensor, encoded: Tensor | None = None, decoded: Tensor | None = None
    ) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H, W); the others are features of the first stage."""
        shortcut = self.identity(features)
        residual = self.spatial(features) + shortcut
        if self.spectral is not None and self.merge is not None:
            output = self.merge(torch.cat([residual, self.spectral(residual)], 1))
        else:
            # The released weights were trained with the shortcut added twice here.
            output = residual + shortcut
        if self.from_encoder is not None and self.from_decoder is not None:
            output = output + self.from_encoder(encoded) + self.from_decoder(decoded)
        return output  # type: ignore[no-any-return]


class SupervisedAttention(nn.Module):
    """A first picture, and features gated by it (Zamir et al., MPRNet, CVPR 2021, figure 4)."""

    def __init__(self, channels: int, outputs: int) -> None:
        """For pictures of `outputs` channels."""
        super().__init__()
        self.feature = conv3(channels, channels)
        self.picture = conv3(channels, outputs)
        self.gate = conv3(outputs, channels)

    def forward(self, features: Tensor, base: Tensor) -> tuple[Tensor, Tensor]:
        """Gated features (B, C, H, W) and the picture (B, outputs, H, W)."""
        picture = self.picture(features) + base
        gated = self.feature(features) * torch.sigmoid(self.gate(picture))
        return gated + features, picture


class AdaptiveFilter(nn.Module):
    """A 3x3 filter of its own for every pixel and channel, predicted from three streams."""

    def __init__(self, channels: int) -> None:
        """For `channels` feature planes."""
        super().__init__()
        self.merge = nn.Conv2d(3 * channels, channels, 1)
        self.near = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.across = nn.Conv1d(1, 1, 3, padding=1)
        self.kernel = nn.Conv2d(channels, 9 * channels, 1)

    def forward(self, features: Tensor, phase: Tensor, amplitude: Tensor) -> Tensor:
        """(B, C, H, W) each to (B, C, H, W)."""
        merged = self.merge(torch.cat([features, phase, amplitude], 1))
        means = merged.mean((2, 3))[:, None]
        context = self.near(merged) + self.across(means)[:, 0, :, None, None]
        height, width = features.shape[-2:]
        around = functional.pad(features, (1, 1, 1, 1))
        output = features
        kernels = self._kernels(context)
        for tap in range(9):
            row, column = divmod(tap, 3)
            shifted = around[..., row : row + height, column : column + width]
            output = output + next(kernels) * shifted
        return output

    def _kernels(self, context: Tensor) -> Iterator[Tensor]:
        """Weight of each tap (B, C, H, W).

        All nine at once are the fastest to train; without gradients one after the other, for they
        would be the largest tensor of the network.
        """
        if torch.is_grad_enabled():
            batch, channels, height, width = context.shape
            yield from self.kernel(context).view(batch, channels, 9, height, width).unbind(2)
            return
        bias = self.kernel.bias
        for tap in range(9):
            part = None if bias is None else bias[tap::9]
            yield functional.conv2d(context, self.kernel.weight[tap::9], part)

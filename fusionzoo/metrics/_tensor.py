"""Metrics on torch tensors: batched on a GPU, and differentiable, so that they serve as losses.

Every function takes fused (and both sources) as (B, 1, H, W) floats in [0, 1] and returns (B,)
values of the standard convention, in grey levels of 0..255 where the metric has a unit. Nothing is
rounded. Roots and divisions are kept off 0, so gradients are finite for constant and for equal
pictures too; there the values differ from those of files, which are undefined or infinite.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fusionzoo.devices import full_precision
from fusionzoo.metrics._fidelity import PIXEL_NOISE, WINDOWS
from fusionzoo.metrics._windows import GAUSSIAN, Window
from fusionzoo.metrics.ms_ssim import EXPONENTS

_TINY = 1e-10
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_MID = 128.0
"""Taken off before squaring: half the range keeps float32 variances exact."""


def _levels(picture: Tensor) -> Tensor:
    return picture * 255


def _mean(values: Tensor) -> Tensor:
    return values.flatten(1).mean(1)


def _centred(picture: Tensor) -> Tensor:
    flat = picture.flatten(1)
    return flat - flat.mean(1, keepdim=True)


def _correlation(one: Tensor, two: Tensor) -> Tensor:
    left, right = _centred(one), _centred(two)
    power = (left * left).sum(1) * (right * right).sum(1)
    return (left * right).sum(1) / power.clamp(min=_TINY).sqrt()


def standard_deviation(fused: Tensor) -> Tensor:
    """SD in levels."""
    return (_centred(_levels(fused)) ** 2).mean(1).clamp(min=_TINY).sqrt()


def spatial_frequency(fused: Tensor) -> Tensor:
    """SF in levels."""
    levels = _levels(fused)
    squares = _mean(levels.diff(dim=2) ** 2) + _mean(levels.diff(dim=3) ** 2)
    return squares.clamp(min=_TINY).sqrt()


def average_gradient(fused: Tensor) -> Tensor:
    """AG in levels."""
    across, down = (torch.gradient(_levels(fused), dim=axis)[0] for axis in (3, 2))
    return _mean(((across**2 + down**2) / 2).clamp(min=_TINY).sqrt())


def _convolved(picture: Tensor, kernels: Tensor) -> Tensor:
    """In full precision: variances, as differences of filtered squares, would not bear less."""
    with full_precision(picture.device):
        return functional.conv2d(picture, kernels)


def edge_intensity(fused: Tensor) -> Tensor:
    """EI in levels."""
    kernel = fused.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    kernels = torch.stack([kernel, kernel.T])[:, None]
    wide = functional.pad(_levels(fused), (1, 1, 1, 1), mode="replicate")
    return _mean((_convolved(wide, kernels) ** 2).sum(1).clamp(min=_TINY).sqrt())


def scd(fused: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """SCD."""
    return _correlation(fused - second, first) + _correlation(fused - first, second)


def correlation_coefficient(fused: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """CC."""
    return (_correlation(fused, first) + _correlation(fused, second)) / 2


def mse(fused: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """MSE in squared levels."""
    return (_mean(_levels(fused - first) ** 2) + _mean(_levels(fused - second) ** 2)) / 2


def psnr(fused: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """PSNR in dB, at most 148 (equal pictures)."""
    return 10 * torch.log10(255**2 / mse(fused, first, second).clamp(min=_TINY))


def _averaged(picture: Tensor, window: Window) -> Tensor:
    kernel = torch.as_tensor(window.kernel.ravel(), dtype=picture.dtype, device=picture.device)
    down = _convolved(picture, kernel.view(1, 1, -1, 1))
    return _convolved(down, kernel.view(1, 1, 1, -1))


def _moments(one: Tensor, two: Tensor, window: Window) -> tuple[Tensor, ...]:
    """Both means, both variances and the covariance, filtered in one batch."""
    stack = torch.cat([one, two, one * one, two * two, one * two])
    m1, m2, s1, s2, s12 = _averaged(stack, window).chunk(5)
    return m1, m2, s1 - m1 * m1, s2 - m2 * m2, s12 - m1 * m2


def _similarity(one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
    """Means of the SSIM map and of its contrast-structure factor, for levels minus 128."""
    m1, m2, v1, v2, c = _moments(one, two, GAUSSIAN)
    structure = (2 * c + _C2) / (v1 + v2 + _C2)
    m1, m2 = m1 + _MID, m2 + _MID
    light = (2 * m1 * m2 + _C1) / (m1 * m1 + m2 * m2 + _C1)
    return _mean(light * structure), _mean(structure)


def ssim(fused: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """SSIM, the sum over both sources."""
    seen, *sources = (_levels(x) - _MID for x in (fused, first, second))
    return _similarity(seen, sources[0])[0] + _similarity(seen, sources[1])[0]


def ms_ssim(fused: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """MS-SSIM, the sum over both sources; sides of at least 161."""
    return _scales(fused, first) + _scales(fused, second)


def _scales(fused: Tensor, source: Tensor) -> Tensor:
    one, two = _levels(fused) - _MID, _levels(source) - _MID
    value = one.new_ones(len(one))
    for scale, exponent in enumerate(EXPONENTS):
        whole, structure = _similarity(one, two)
        factor = whole if scale == len(EXPONENTS) - 1 else structure
        power = factor.clamp(min=1e-6) ** exponent
        value = value * torch.where(factor > 0, power, torch.zeros_like(power))
        one, two = _halved(one), _halved(two)
    return value


def _halved(picture: Tensor) -> Tensor:
    """2x2 means; a line of level 0 stands before the first one where a side is odd."""
    odd = (picture.shape[3] % 2, 0, picture.shape[2] % 2, 0)
    return functional.avg_pool2d(functional.pad(picture, odd, value=-_MID), 2)


def vifp(fused: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """VIFp, the sum over both sources; sides of at least 41."""
    return _fidelity(fused, first) + _fidelity(fused, second)


def _fidelity(fused: Tensor, source: Tensor) -> Tensor:
    seen, reference = _levels(fused) - _MID, _levels(source) - _MID
    received = sent = seen.new_zeros(len(seen))
    for scale, window in enumerate(WINDOWS):
        if scale:
            seen, reference = (_averaged(x, window)[:, :, ::2, ::2] for x in (seen, reference))
        _, _, theirs, power, covariance = _moments(seen, reference, window)
        theirs, power = theirs.clamp(min=0), power.clamp(min=0)
        gain = (covariance / (power + _TINY)).clamp(min=0)
        residual = (theirs - gain * covariance).clamp(min=_TINY)
        received = received + _mean(torch.log10(1 + gain**2 * power / (residual + PIXEL_NOISE))) * (
            power[0].numel()
        )
        sent = sent + _mean(torch.log10(1 + power / PIXEL_NOISE)) * power[0].numel()
    return received / sent.clamp(min=_TINY)

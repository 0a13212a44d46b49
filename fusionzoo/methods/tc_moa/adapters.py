"""One TC-MoA: where the two streams of a pair meet, through adapters that a task chooses.

For tokens f_x, f_y of the two sources (Zhu et al., CVPR 2024, eq. 2 to 6):

    z = LN(W LN([f_x, f_y]))                  a quarter as wide as a token
    g = softmax(top2(z G_t)), in training with noise N(0, 1) (softplus(z N_t) + 0.1) on z G_t
    m = sum_k g_k A_k(z)                      or log sum_k g_k exp(A_k(z)) as in the code
    p_x, p_y = sigmoid(mean of the first half of m), sigmoid(mean of the second)
    f_T = conv(p_x f_x + S_x + p_y f_y + S_y),   f <- l f_T + (1 - l) f   for both streams

G_t and N_t belong to the task t, the adapters A_k are shared by all tasks, S are source embeddings.
The noisy gates and the balance of the load follow Shazeer et al., ICLR 2017 (eq. 3 to 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusionzoo.methods.tc_moa.configuration import TASKS, Variant

EXPERTS, KEPT = 4, 2
NOISE_FLOOR = 0.1
BALANCE = 1e-3
SMALLEST = 2.2e-16
"""Stands for zero before a logarithm."""


class Dial(NamedTuple):
    """How prompts are shifted (eq. 8): p_x' = 0.5 + alpha (p_x - 0.5) + beta, p_y' with -beta.

    Attributes:
        alpha: How decisive the choice between the sources is; 1 as trained.
        beta: Towards source x if positive, towards y if negative; 0 as trained.
    """

    alpha: float = 1.0
    beta: float = 0.0

    def turn(self, prompts: Prompts) -> Prompts:
        """The shifted prompts; they are not clamped."""
        return Prompts(
            0.5 + self.alpha * (prompts.x - 0.5) + self.beta,
            0.5 + self.alpha * (prompts.y - 0.5) - self.beta,
        )


class Prompts(NamedTuple):
    """Weights (B, H, W, 1) of the two sources' tokens, each in (0, 1)."""

    x: Tensor
    y: Tensor


class Gates(NamedTuple):
    """Shares (N, 4) of the adapters for N tokens, and how evenly they are used."""

    shares: Tensor
    balance: Tensor


def squared_variation(amounts: Tensor) -> Tensor:
    """Squared coefficient of variation of (4,) amounts, with the unbiased variance."""
    return amounts.var() / (amounts.mean() ** 2 + 1e-10)


def top_gates(logits: Tensor) -> Tensor:
    """Softmax over the two largest of (N, 4) logits, zeros elsewhere."""
    values, indices = logits.topk(KEPT, dim=-1)
    return torch.zeros_like(logits).scatter(-1, indices, values.softmax(-1))


def kept_probability(clean: Tensor, noisy: Tensor, deviation: Tensor) -> Tensor:
    """Probability (N, 4) that an adapter would be kept if its own noise were drawn anew.

    Shazeer et al., eq. 8 and 9: the threshold is the second largest of the others' noisy logits.
    """
    ordered = noisy.topk(KEPT + 1, dim=-1).values
    kept = noisy > ordered[:, KEPT : KEPT + 1]
    threshold = torch.where(kept, ordered[:, KEPT : KEPT + 1], ordered[:, KEPT - 1 : KEPT])
    probability: Tensor = torch.special.ndtr((clean - threshold) / deviation)
    return probability


class Routers(nn.Module):
    """One noisy top-2 router per task over the shared adapters."""

    def __init__(self, width: int) -> None:
        """Zeros: a fresh router knows nothing."""
        super().__init__()
        self.gate = nn.Parameter(torch.zeros(len(TASKS), width, EXPERTS))
        self.noise = nn.Parameter(torch.zeros(len(TASKS), width, EXPERTS))

    def forward(self, tokens: Tensor, task: int) -> Gates:
        """Gates for tokens (N, C / 4) of one task."""
        logits = clean = tokens @ self.gate[task]
        if self.training:
            deviation = functional.softplus(tokens @ self.noise[task]) + NOISE_FLOOR
            logits = clean + torch.randn_like(clean) * deviation
        shares = top_gates(logits)
        if self.training:
            load = kept_probability(clean, logits, deviation).sum(0)
        else:
            load = (shares > 0).to(shares.dtype).sum(0)
        balance = squared_variation(shares.sum(0)) + squared_variation(load)
        return Gates(shares, BALANCE * balance)


class Adapters(nn.Module):
    """Four bottlenecks, Linear - ReLU - Linear, whose weights are stacked."""

    def __init__(self, width: int) -> None:
        """Inside, an eighth as wide."""
        super().__init__()
        inner = max(1, width // 8)
        bounds = (width**-0.5, inner**-0.5)
        self.down = nn.Parameter(torch.empty(EXPERTS, inner, width).uniform_(-bounds[0], bounds[0]))
        self.down_bias = nn.Parameter(torch.empty(EXPERTS, inner).uniform_(-bounds[0], bounds[0]))
        self.up = nn.Parameter(torch.empty(EXPERTS, width, inner).uniform_(-bounds[1], bounds[1]))
        self.up_bias = nn.Parameter(torch.empty(EXPERTS, width).uniform_(-bounds[1], bounds[1]))

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, C / 4) -> (4, N, C / 4)."""
        inner = functional.relu(tokens @ self.down.transpose(1, 2) + self.down_bias[:, None])
        return inner @ self.up.transpose(1, 2) + self.up_bias[:, None]


def mixture(outputs: Tensor, shares: Tensor, variant: Variant) -> Tensor:
    """Mix adapters' outputs (4, N, C) under shares (N, 4) to (N, C)."""
    kept = torch.where(shares > variant.gate_floor, shares, 0) if variant.gate_floor else shares
    weights = kept.T[..., None]
    if variant.mixture == "linear":
        return (weights * outputs).sum(0)
    total = (weights * outputs.exp()).sum(0)
    return torch.where(total == 0, SMALLEST, total).log()


class FusionConvolutions(nn.Module):
    """From the sum of both sources' tokens to the fused ones: 1x1, 3x3, 1x1, nothing between."""

    def __init__(self, width: int) -> None:
        """A quarter as wide inside."""
        super().__init__()
        self.conv1 = nn.Conv2d(width, width // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(width // 4, width // 4, 3, padding=1, bias=False)
        self.conv3 = nn.Conv2d(width // 4, width, 1, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps (B, H, W, C); never in reduced precision by autocast, in which pixels would blur."""
        with torch.autocast(tokens.device.type, enabled=False):
            maps = tokens.permute(0, 3, 1, 2).to(self.conv1.weight.dtype)
            fused = self.conv3(self.conv2(self.conv1(maps)))
        return fused.permute(0, 2, 3, 1)  # type: ignore[no-any-return]


class Met(NamedTuple):
    """Both streams after a TC-MoA, and what its regularisers need."""

    x: Tensor
    y: Tensor
    prompts: Prompts
    balance: Tensor


class TaskMixture(nn.Module):
    """One TC-MoA between two blocks."""

    def __init__(self, width: int, variant: Variant, restandardise: bool = False) -> None:
        """For tokens of `width` channels."""
        super().__init__()
        self.variant, self.restandardise = variant, restandardise
        self.norm1 = nn.LayerNorm(2 * width)
        self.reduce = nn.Linear(2 * width, width // 4, bias=False)
        self.norm2 = nn.LayerNorm(width // 4)
        self.routers = Routers(width // 4)
        self.adapters = Adapters(width // 4)
        self.source = nn.Parameter(torch.randn(len(TASKS), 2, width) * 0.02)
        self.fusion = FusionConvolutions(width)
        self.share = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor, y: Tensor, tasks: Mapping[int, float], dial: Dial) -> Met:
        """Let two token maps (B, H, W, C) meet.

        Args:
            x: Stream of the first source.
            y: Stream of the second.
            tasks: Task to share; several mix their routers and source embeddings.
            dial: Shift of the prompts.
        """
        prompts, balance = self.prompts(x, y, tasks)
        turned = dial.turn(prompts)
        source = sum(share * self.source[task] for task, share in tasks.items())
        assert isinstance(source, Tensor)
        together = turned.x * x + turned.y * y + source.sum(0)
        fused = self.fusion(together)
        streams = [self.share * fused + (1 - self.share) * stream for stream in (x, y)]
        if self.restandardise:
            streams = [like(new, old) for new, old in zip(streams, (x, y), strict=True)]
        return Met(streams[0], streams[1], prompts, balance)

    def prompts(self, x: Tensor, y: Tensor, tasks: Mapping[int, float]) -> tuple[Prompts, Tensor]:
        """Prompts as trained, and the balance term; never in reduced precision by autocast."""
        with torch.autocast(x.device.type, enabled=False):
            both = torch.cat([x, y], -1).to(self.norm1.weight.dtype)
            tokens = self.norm2(self.reduce(self.norm1(both)))
            flat = tokens.flatten(0, 2)
            gates = [(share, self.routers(flat, task)) for task, share in tasks.items()]
            shares = torch.stack([share * gate.shares for share, gate in gates]).sum(0)
            balance = torch.stack([share * gate.balance for share, gate in gates]).sum()
            mixed = mixture(self.adapters(flat), shares, self.variant).view(tokens.shape)
            first, second = mixed.chunk(2, -1)
            prompts = Prompts(*(half.mean(-1, keepdim=True).sigmoid() for half in (first, second)))
        return prompts, balance


def like(new: Tensor, old: Tensor) -> Tensor:
    """`new` (B, H, W, C) with the mean and deviation that each sample of `old` has."""
    every = (1, 2, 3)
    standard = (new - new.mean(every, keepdim=True)) / (new.std(every, keepdim=True) + 1e-12)
    return standard * old.std(every, keepdim=True) + old.mean(every, keepdim=True)

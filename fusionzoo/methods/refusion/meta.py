"""The meta-gradient: how the loss must change so that a network trained by it keeps its sources.

For a pair of batches, with F's parameters t and the step size s:

    t'       = t - s dL_f(F_t(train), P) / dt       one step down the proposed loss
    R'       = R - s dL_r(R(F_t(train))) / dR       R gets used to what F makes
    gradient = d L_r(R'(F_t'(test))) / dP           how well can both sources be told from t'?

P enters only through t', so this is a mixed second derivative. Published code lets dL_f/dP into the
same sum, which is 10^6 times larger and points the other way; here P receives the meta-gradient
alone, unless "as_released" asks for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.func import functional_call

from fusionzoo.methods.refusion.losses import fusion_loss, reconstruction_loss
from fusionzoo.methods.refusion.network import Fusion, Proposal, Reconstruction

Kind = Literal["second_order", "first_order", "as_released"]


@dataclass(frozen=True)
class Pair:
    """Sources as the networks see them.

    Attributes:
        first: (B, 1, H, W) in [0, 1].
        second: Likewise.
        targets: (B, 2, H, W), what R must give: the sources in their fixed order, even where they
            enter F and P swapped.
    """

    first: Tensor
    second: Tensor
    targets: Tensor

    @property
    def sources(self) -> Tensor:
        """(B, 2, H, W) in the order of F's arguments."""
        return torch.cat([self.first, self.second], 1)

    def part(self, start: int, stop: int) -> Pair:
        """Some of the pictures."""
        cut = slice(start, stop)
        return Pair(self.first[cut], self.second[cut], self.targets[cut])


@dataclass(frozen=True)
class MetaStep:
    """Settings of a meta-step.

    Attributes:
        rate: Step size s of the inner steps.
        gradient_factor: c of the fusion loss.
        padding: Of gradients.
        kind: "second_order" as above. "first_order" moves the fused picture instead of F's
            parameters down the loss, t' = F_t(train) - s dL_f/df, on one batch, which needs no
            second derivative of F. "as_released" adds dL_f/dP.
    """

    rate: float
    gradient_factor: float = 1.0
    padding: str = "zeros"
    kind: Kind = "second_order"


def _named(network: torch.nn.Module) -> dict[str, Tensor]:
    return dict(network.named_parameters())


def _stepped(
    loss: Tensor, parameters: Mapping[str, Tensor], rate: float, graph: bool
) -> dict[str, Tensor]:
    slopes = torch.autograd.grad(loss, list(parameters.values()), create_graph=graph)
    return {n: p - rate * g for (n, p), g in zip(parameters.items(), slopes, strict=True)}


def outer_loss(
    fusion: Fusion,
    reconstruction: Reconstruction,
    proposal: Proposal,
    train: Pair,
    test: Pair,
    step: MetaStep,
) -> tuple[Tensor, Tensor]:
    """L_r(R'(F'(test))), a graph to P's parameters behind it, and the inner fusion loss."""
    fused = fusion(train.first, train.second)
    weights = proposal(train.first, train.second)
    inner = fusion_loss(fused, train.sources, weights, step.gradient_factor, step.padding)
    restored = reconstruction(fused.detach())
    adapted = _stepped(
        reconstruction_loss(restored, train.targets, step.padding),
        _named(reconstruction), step.rate, graph=False,
    )  # fmt: skip
    if step.kind == "first_order":
        moved = fused.detach().requires_grad_()
        loss = fusion_loss(moved, train.sources, weights, step.gradient_factor, step.padding)
        (slope,) = torch.autograd.grad(loss, moved, create_graph=True)
        again, goal = moved.detach() - step.rate * slope, train.targets
    else:
        changed = _stepped(inner, _named(fusion), step.rate, graph=True)
        again = functional_call(fusion, changed, (test.first, test.second))
        goal = test.targets
    told = functional_call(reconstruction, adapted, (again,))
    return reconstruction_loss(told, goal, step.padding), inner


def meta_gradient(
    fusion: Fusion,
    reconstruction: Reconstruction,
    proposal: Proposal,
    train: Pair,
    test: Pair,
    step: MetaStep,
) -> tuple[list[Tensor], float, float]:
    """Gradient for each of P's parameters, the outer loss and the inner fusion loss.

    Nothing is changed; no `.grad` is touched.
    """
    outer, inner = outer_loss(fusion, reconstruction, proposal, train, test, step)
    wanted = outer + inner if step.kind == "as_released" else outer
    slopes = torch.autograd.grad(wanted, list(proposal.parameters()))
    return list(slopes), float(outer.detach()), float(inner.detach())

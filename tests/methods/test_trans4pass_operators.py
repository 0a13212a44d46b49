"""Trans4PASS's operators: against their definitions, torchvision's, and torch's slower forms."""

from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fusionzoo.methods.trans4pass import losses
from fusionzoo.methods.trans4pass.decoder import neighbourhood_mean
from fusionzoo.methods.trans4pass.deformable import plain_deformable_convolution
from fusionzoo.methods.trans4pass.encoder import Attention


def test_gradients_are_those_of_the_definition() -> None:
    torch.manual_seed(0)
    tensors = [
        torch.randn(1, 2, 5, 5), torch.randn(1, 18, 5, 5) * 0.3 + 0.2, torch.rand(1, 9, 5, 5),
        torch.randn(2, 2, 3, 3), torch.randn(2),
    ]  # fmt: skip
    inputs = [t.double().requires_grad_() for t in tensors]
    function = partial(plain_deformable_convolution, padding=1)
    assert torch.autograd.gradcheck(function, inputs, atol=1e-6)


USES = {
    "embedding": ((3, 20, 28), (6, 3, 7, 7), 1, 4, 3),
    "projection": ((8, 10, 15), (6, 8, 3, 3), 1, 1, 1),
    "two groups": ((8, 10, 15), (6, 8, 3, 3), 2, 1, 1),
    "mixing": ((8, 10, 15), (8, 8, 1, 1), 8, 1, 0),
}
"""Picture (C, H, W), weight, offset groups, stride, padding: as the networks use the operator."""


def operands(use: str, dtype: torch.dtype) -> tuple[list[Tensor], int, int]:
    """x, offset of some pixels, mask, weight, bias; stride and padding."""
    (c, h, w), shape, groups, stride, padding = USES[use]
    places = groups * shape[2] * shape[3]
    size = [(side + 2 * padding - shape[2]) // stride + 1 for side in (h, w)]
    torch.manual_seed(0)
    shapes = ((2, c, h, w), (2, 2 * places, *size), (2, places, *size), shape, shape[:1])
    tensors = [torch.randn(s, dtype=dtype) for s in shapes]
    tensors[1] *= 3
    return [t.requires_grad_() for t in tensors], stride, padding


@pytest.mark.parametrize("use", USES)
def test_deformable_convolution_equals_torchvision(use: str) -> None:
    try:
        from torchvision.ops import deform_conv2d
    except (ImportError, RuntimeError):
        pytest.skip("torchvision is not installed, or was made for another torch")
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 1e-10)):
        tensors, stride, padding = operands(use, dtype)
        x, offset, mask, weight, bias = tensors
        theirs = deform_conv2d(x, offset, weight, bias, stride, padding, mask=mask)
        ours = plain_deformable_convolution(x, offset, mask, weight, bias, stride, padding)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)
    for a, b in zip(
        torch.autograd.grad(ours.square().sum(), tensors),
        torch.autograd.grad(theirs.square().sum(), tensors),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_fast_forms_equal_torchs_own() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 7, 9)
    pooled = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    torch.testing.assert_close(neighbourhood_mean(x), pooled)
    layer, tokens = Attention(16, 2, 2), torch.randn(2, 24, 16)
    with torch.no_grad():
        fused = layer(tokens, 4, 6)
    torch.testing.assert_close(layer(tokens, 4, 6), fused, rtol=1e-5, atol=1e-6)
    weight = torch.tensor([1.0, 2.0, 0.5, 3.0])
    logits, labels = torch.randn(2, 4, 6, 8), torch.randint(0, 4, (2, 6, 8))
    labels[0, :3] = losses.IGNORE
    known = labels != losses.IGNORE
    chance = logits.softmax(1).gather(1, labels.where(known, 0)[:, None])[:, 0][known]
    hard = chance <= chance.sort().values[: len(chance) // 10].max().clamp_min(0.7)
    each = -weight[labels[known]] * chance.log()
    assert float(losses.ohem(logits, labels, weight)) == pytest.approx(float(each[hard].mean()))

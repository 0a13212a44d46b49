"""The same network, faster: batch normalisation folded away, memory laid out channels-last.

In evaluation a batch normalisation is an affine map per channel, so it disappears into the
convolution before it (Jacob et al., CVPR 2018, eq. 14). Convolutions of few channels run several
times faster on channels-last memory, and activations need no second buffer.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_IN_PLACE = (nn.LeakyReLU, nn.ReLU)


def fold(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode in which each Conv2d - BatchNorm2d of a Sequential is one Conv2d.

    Indices of the Sequentials are kept: an Identity stands where the normalisation was.
    """
    folded = copy.deepcopy(network).eval()
    for parent in folded.modules():
        if not isinstance(parent, nn.Sequential):
            continue
        children = list(parent)
        for index, (first, second) in enumerate(pairwise(children)):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                parent[index] = fuse_conv_bn_eval(first, second)
                parent[index + 1] = nn.Identity()
            elif isinstance(first, nn.BatchNorm2d | nn.Conv2d) and isinstance(second, _IN_PLACE):
                # Safe: what feeds it is a fresh buffer that nothing else reads.
                second.inplace = True
    return folded


def prepare_for_inference(network: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Fold, cast, and lay out channels-last; the given network is left as it is.

    A network with a method `inference_form` is asked for the arrangement it prefers once folded.
    """
    folded = fold(network)
    arrange: Any = getattr(folded, "inference_form", None)
    if arrange is not None:
        folded = arrange()
    ready = folded.to(dtype=dtype).requires_grad_(False)
    return ready.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

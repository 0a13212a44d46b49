"""MITNet: haze removed in the Fourier domain, amplitude first, phase second.

Shen, Zhao and Zhang, "Mutual Information-driven Triple Interaction Network for Efficient Image
Dehazing", ACM Multimedia 2023. The authors' repository states no licence.

The idea. Haze lives in the amplitude of a picture's Fourier transform: a hazy picture that is given
the clean one's amplitude and keeps its own phase is nearly clean (29.8 dB on 20 pairs), the
reverse is as hazy as before (7.2 dB). So a first network corrects amplitude, a second one phase;
features of both meet in per-pixel filters, and in training a mutual-information term keeps the
two streams from saying the same.

The network (`network.py`) takes an RGB picture of any size and returns it without haze.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fusionzoo.core import Method, Weights

if TYPE_CHECKING:
    from torch import Tensor


def _convert(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    from fusionzoo.methods.mitnet.convert import convert

    return convert(tensors)


ENTRY = Method(
    network="fusionzoo.methods.mitnet.network:Mitnet",
    inputs=("visible",),
    task="restore",
    colour="rgb",
    # A Fourier transform sees the whole picture, so tiles, which only very large pictures need, are
    # pictures of their own and change the result (methods/mitnet.md).
    halo=None,
    overlap=128,
    weights={
        "zoo": Weights(
            source="shipped with fusionzoo",
            sha256=None,
            license="Apache-2.0",
            trained_on=(
                "reside_in:train",
                "msrs:train_allowed",
                "roadscene:train_allowed",
                "demo_haze:train",
            ),
            file="methods/mitnet/zoo.safetensors",
        ),
        "official": Weights(
            source=(
                "github.com/it-hao/MITNet, commit e1243aad, for example "
                "MITNet_Code_ITS/ckpt/mitnet_indoor_best.pt"
            ),
            # Nobody has published the hash, so the file is never recognised, only given.
            sha256=None,
            license="unknown",
            trained_on=("its",),
            convert=_convert,
        ),
    },
    dials={
        "strength": "share of the network's result; the rest is the picture it starts from",
    },
    paper="Shen et al., Mutual Information-driven Triple Interaction Network, ACM MM 2023",
    license="Apache-2.0 (this code); unknown (the authors' weights)",
    recipe="fusionzoo.methods.mitnet.recipe:Recipe",
)

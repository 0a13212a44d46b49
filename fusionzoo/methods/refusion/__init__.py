"""ReFusion: a fusion network of 0.06 M parameters whose loss is itself learned.

Bai, Zhao, Zhang, Wu, Deng, Cui, Xu and Zhang, "ReFusion: Learning Image Fusion from Reconstruction
with Learnable Loss via Meta-Learning", IJCV 2025. No licence is given for the authors' code and
weights.

The idea. No fused picture exists to learn from, so fusion networks are trained by losses that
people have invented. Here a network P proposes the weights of the loss, pixel by pixel: W of
intensities and V of gradients. It is judged by what comes of it: a fusion network F that has taken
one step down the proposed loss should make pictures from which a network R can reconstruct both
sources. P follows that second derivative; F and R then learn under the loss it proposes. Only F
runs at test time.

The fused luminance of each picture is stretched to span 0 to 1, as the authors do. This moves SCD
from 0.37 to 1.13 on one of their pairs, so it is a setting (`--no-stretch`) and noted in results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fusionzoo.core import PAIRS, Method, Weights

if TYPE_CHECKING:
    from torch import Tensor


def _convert(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    from fusionzoo.methods.refusion.network import convert

    return convert(tensors)


def _official(name: str, sha256: str, size: int, trained_on: tuple[str, ...]) -> Weights:
    return Weights(
        source=f"github.com/HaowenBai/ReFusion, commit 54b73342, file models/ReFusion_{name}.pth",
        sha256=sha256,
        license="unknown",
        trained_on=trained_on,
        size=size,
        convert=_convert,
    )


SHIPPED = {
    "vif": "11050f157688a8268ecccdbe2052c547601143a6b06d39c0d0cc2d2897e163a9",
    "mef": "307a0cde58a2083be5579de50e5a2c7c94f5840b796eb7aad30753740247f9cb",
    "mff": "acbf596b5b7d7d82b0a3ce9f5bcd994906d233b8824212f44337eb4b7767bb78",
}
"""sha256 of the files that are part of the package."""

OFFICIAL = {
    # The authors name MSRS for the first; which pictures is not stated, nor is anything of others.
    "vif": _official(
        "IVIF",
        "1b8358d8dab5e95c9d3f668782abda85359685669444946001ac41ea96891b2c",
        281_203,
        ("msrs:train",),
    ),
    "mef": _official(
        "MEIF", "6815d372069b2b96a59c02dff31d42d7d5604c5507227c5b6801d967832461d4", 281_203, ()
    ),
    "mff": _official(
        "MFIF", "0ba2c1070a37e3a067afa66c39eae7e96e782d9261afcab454af069c460221f2", 281_203, ()
    ),
    "medical": _official(
        "MIF", "5cc483457390ea8ffeeedbf41287adf23880f860b2f9b6b6045329598fd2e0e5", 281_115, ()
    ),
}


def _zoo(task: str) -> Weights:
    # As with the authors' files, whose medical one is the infrared-visible one to 4 digits.
    name = "vif" if task == "medical" else task
    return Weights(
        source="shipped with fusionzoo",
        sha256=SHIPPED[name],
        license="Apache-2.0",
        trained_on=("roadscene:train_allowed", "msrs:train_allowed"),
        file=f"methods/refusion/{name}.safetensors",
    )


def _weights(task: str) -> dict[str, Weights]:
    return {"zoo": _zoo(task), "official": OFFICIAL[task]}


VIF = Method(
    network="fusionzoo.methods.refusion.network:Fusion",
    inputs=("infrared", "visible"),
    colour="blend",
    luma="levels",
    # Attention between channels compares whole pictures, so tiles would not agree.
    halo=None,
    weights=_weights("vif"),
    paper="Bai et al., ReFusion, International Journal of Computer Vision 2025",
    license="Apache-2.0 (this code); none given for the authors' weights",
    recipe="fusionzoo.methods.refusion.recipe:Recipe",
    explain="fusionzoo.methods.refusion.explain:explain",
    stretch=True,
)

ENTRY = replace(
    VIF,
    variants={
        task: replace(VIF, inputs=PAIRS[task], weights=_weights(task))
        for task in OFFICIAL
        if task != "vif"
    },
)

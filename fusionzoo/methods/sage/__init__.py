"""SAGE: what a segmentation model knows, distilled into a fusion network of 0.14 M parameters.

Wu, Liu, Fu, Peng, Liu, Fan and Liu, "Every SAM Drop Counts: Embracing Semantic Priors for
Multi-Modality Image Fusion and Beyond", CVPR 2025. Weights and reference code: MIT.

The idea. Segment Anything (SAM) sees objects in both pictures of a pair, but is far too slow to
stand in a fusion pipeline. So a large teacher fuses under the guidance of SAM's masks, and a small
student learns to give the same picture, and the same features, from the two pictures alone. Only
the student runs at test time; it never sees a mask.

The student. Luminance of the visible picture and the infrared one enter a three-level U-shaped
network (`network.py`); its Tanh output is the fused luminance, and the visible chroma is put back.

Reproducing the published pictures needs one exact recipe, which this entry names: 8-bit OpenCV
YCrCb planes divided by 255, the fused luminance kept in float, the inverse conversion around the
chroma centre 0.5 (`fusionzoo.colour`, mode "opencv_uint8"), and rounding half up when saving.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fusionzoo.core import Method, Weights

if TYPE_CHECKING:
    from torch import Tensor


def _convert(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    from fusionzoo.methods.sage.network import convert

    return convert(tensors)


ENTRY = Method(
    network="fusionzoo.methods.sage.network:Student",
    inputs=("visible", "infrared"),
    luma="opencv_uint8",
    minimum_side=4,
    # A pixel further away than 37 cannot influence another one; 40 is the next multiple of 4.
    halo=40,
    tile_origin=4,
    weights={
        "zoo": Weights(
            source="shipped with fusionzoo",
            sha256="3504a1d10630daebc71167c4e23cb1c820e8ec3ba88f2e62070155f4636bfebb",
            license="Apache-2.0",
            trained_on=("roadscene:train_allowed", "msrs:train_allowed"),
            file="methods/sage/zoo.safetensors",
        ),
        "official": Weights(
            source=(
                "github.com/RollingPlain/SAGE_IVIF, commit 377fdbef, file "
                "checkpoints/checkpoints.pt"
            ),
            sha256="ecfde477ca4cd65401f207d5dc91ce6c475a49891d768dbdb7a66366255ee836",
            license="MIT",
            # Not stated by the authors: the batch counter stored in the file fits FMB's 1,220
            # training pairs and no other set's (methods/sage.md).
            trained_on=("fmb:train",),
            size=579_020,
            convert=_convert,
        ),
    },
    paper="Wu et al., Every SAM Drop Counts, CVPR 2025",
    recipe="fusionzoo.methods.sage.recipe:Recipe",
    license="Apache-2.0 (this code); MIT (the authors' weights)",
)

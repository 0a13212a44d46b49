"""Trans4PASS nano: segmentation of street scenes and panoramas that bend, 2 M parameters.

Zhang, Yang, Ma, Reiss, Peng and Stiefelhagen, "Bending Reality: Distortion-aware Transformers for
Adapting to Panoramic Semantic Segmentation", CVPR 2022, and "Behind Every Domain There is a Shift:
Adapting Distortion-aware Vision Transformers for Panoramic Semantic Segmentation", TPAMI 2024
(arXiv 2207.11860, Trans4PASS+).

The idea. A panorama stretches objects by latitude, so the network places its windows by what it
sees: in the first patch embedding (DPE) and in every head of the decoder (DMLP). The encoder in
between is SegFormer's. Trained on pinhole pictures, it is carried to panoramas by comparing its
features with one prototype per class of both domains (`adaptation.py`).

This entry is the Trans4PASS+ design in a size for CPUs, with weights trained on drawn scenes;
`trans4pass_t`, `trans4pass_s`, `trans4pass_plus_t` and `trans4pass_plus_s` are the published sizes.
"""

from fusionzoo.classes import FMB
from fusionzoo.core import Method, Weights

ENTRY = Method(
    network="fusionzoo.methods.trans4pass.network:Trans4PASS",
    inputs=("visible",),
    task="segment",
    colour="rgb",
    minimum_side=32,
    # Attention sees the whole picture, so it is never cut into tiles.
    halo=None,
    weights={
        "zoo": Weights(
            source="shipped with fusionzoo",
            sha256=None,
            license="Apache-2.0",
            trained_on=("demo:train_large",),
            file="methods/trans4pass/zoo.safetensors",
        ),
    },
    paper="Zhang et al., Bending Reality, CVPR 2022; Behind Every Domain There is a Shift, 2024",
    recipe="fusionzoo.methods.trans4pass.recipe:Recipe",
    pretraining={"trans4pass_adaptation": "fusionzoo.methods.trans4pass.recipe_adaptation:Recipe"},
    classes=FMB,
    stand_ins=("panorama", "infrared"),
)

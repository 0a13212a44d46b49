"""TC-MoA: one masked autoencoder for every fusion task, steered by mixtures of small adapters.

Zhu, Sun, Cao and Hu, "Task-Customized Mixture of Adapters for General Image Fusion", CVPR 2024.
"""

from __future__ import annotations

from fusionzoo.core import Method, Weights

ENTRY = Method(
    network="fusionzoo.methods.tc_moa.network:Network",
    inputs=("visible", "infrared"),
    weights={
        "zoo": Weights(
            source="shipped with fusionzoo",
            sha256=None,
            license="Apache-2.0",
            trained_on=("roadscene:train_allowed", "msrs:train_allowed"),
            file="methods/tc_moa/zoo.safetensors",
        )
    },
    recipe="fusionzoo.methods.tc_moa.recipe:Recipe",
    pretraining={"mae": "fusionzoo.methods.tc_moa.pretraining:Recipe"},
    paper="Zhu et al., Task-Customized Mixture of Adapters for General Image Fusion, CVPR 2024",
)

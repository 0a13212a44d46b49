"""TC-MoA: one masked autoencoder for every fusion task, steered by mixtures of small adapters.

Zhu, Sun, Cao and Hu, "Task-Customized Mixture of Adapters for General Image Fusion", CVPR 2024.

The idea. A transformer that was trained to fill in hidden parts of pictures knows what pictures
look like. Both sources of a pair go through it as two streams; between its blocks stand small
units in which they meet. There a router, one per task, chooses two of four adapters, which are
shared by all tasks, for every token pair; the adapters give two prompts, how much of either source
is wanted at that place, and a fusion layer adds what they select to both streams.

So one network fuses infrared-visible, exposure and focus pairs, and a user can turn it: the
prompts are numbers between 0 and 1, and shifting them moves the result towards one source or makes
the choice per region more or less decisive.

The weights shipped are of a small network of the same design, trained on luminance; chroma is put
back afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fusionzoo.core import Method, Weights

if TYPE_CHECKING:
    from torch import Tensor


def _network(task: Any) -> Any:
    from fusionzoo.methods.tc_moa.inference import fuser

    return fuser(task)


def _convert(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    from fusionzoo.methods.tc_moa.inference import convert

    return convert(tensors)


_INFRARED = Method(
    network=partial(_network, "vif"),
    inputs=("visible", "infrared"),
    luma="levels",
    halo=None,
    overlap=112,
    weights={
        "zoo": Weights(
            source="shipped with fusionzoo",
            sha256=None,
            license="Apache-2.0",
            trained_on=("msrs:train_allowed", "roadscene:train_allowed"),
            file="methods/tc_moa/zoo.safetensors",
            convert=_convert,
        )
    },
    recipe="fusionzoo.methods.tc_moa.recipe:Recipe",
    pretraining={"mae": "fusionzoo.methods.tc_moa.pretraining:Recipe"},
    dials={
        "alpha": "how decisive the choice between the sources is in each region; trained with 1",
        "beta": "towards the visible, over-exposed or far-focused source if positive; trained at 0",
        "passes": "times a picture is fused and blended; 1 is faster and shows windows' borders",
        "vif": "share of the infrared-visible router; any share given replaces the task's router",
        "mef": "share of the multi-exposure router",
        "mff": "share of the multi-focus router",
    },
    code_version=2,
    paper="Zhu et al., Task-Customized Mixture of Adapters for General Image Fusion, CVPR 2024",
)

ENTRY = replace(
    _INFRARED,
    variants={
        "mef": replace(
            _INFRARED, network=partial(_network, "mef"), inputs=("over", "under"), colour="blend"
        ),
        "mff": replace(
            _INFRARED, network=partial(_network, "mff"), inputs=("far", "near"), colour="blend"
        ),
        # Never trained on: the infrared-visible router serves, as in the paper.
        "medical": replace(_INFRARED, inputs=("scan", "mri"), colour="blend"),
    },
)

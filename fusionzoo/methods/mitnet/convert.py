"""Keys of the authors' checkpoints to ours; parameters that their network never uses are dropped.

The authors' first decoder holds spectral branches that are never called (their constructor gets
two switches in the wrong order), 34,020 of 2,764,078 parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_RULES = (
    (r"^conv_01\.", "amplitude_head."),
    (r"^conv_02\.", "bridge_head."),
    (r"^cat12\.", "bridge_merge."),
    (r"^last\.", "tail."),
    (r"^sam12\.conv1\.", "attention.feature."),
    (r"^sam12\.conv2\.", "attention.picture."),
    (r"^sam12\.conv3\.", "attention.gate."),
    (r"^skip_conv_1\.(\d)\.", r"amplitude_decoder.\1.skip."),
    (r"^down_path_1\.(\d)\.downsample\.", r"amplitude_encoder.down.\1."),
    (r"^down_path_2\.(\d)\.downsample\.", r"phase_encoder.down.\1."),
    (r"^down_path_1\.", "amplitude_encoder.blocks."),
    (r"^down_path_2\.", "phase_encoder.blocks."),
    (r"^up_path_1\.", "amplitude_decoder."),
    (r"^up_path_2\.", "phase_decoder."),
    (r"\.conv_block\.", ".block."),
    (r"\.resConv\.", ".spatial."),
    (r"\.fftConv2\.", ".spectral."),
    (r"\.fusion\.(weight|bias)$", r".merge.\1"),
    (r"\.csff_enc\.", ".from_encoder."),
    (r"\.csff_dec\.", ".from_decoder."),
    (r"\.afg\.", ".filter."),
    (r"\.sekg\.conv_sa\.", ".near."),
    (r"\.sekg\.conv_ca\.", ".across."),
    (r"^fci\.(\w+)_pha\.", r"interaction.phase.\1."),
    (r"^fci\.(\w+)_amp\.", r"interaction.amplitude.\1."),
    (r"^(interaction\.\w+\.)conv\.", r"\1entry."),
    (r"^(interaction\.\w+\.)fusion\.", r"\1merge."),
    (r"^(interaction\.\w+\.resize\.\d)\.(\d)\.body\.(\d)\.bot\.", r"\1_\2.\3."),
)
_UNUSED = re.compile(r"^amplitude_decoder\.\d\.block\.(spectral|merge)\.")


def convert(tensors: Mapping[str, Tensor], keep_unused: bool = False) -> dict[str, Tensor]:
    """The authors' state dict under our keys.

    Args:
        tensors: Their state dict.
        keep_unused: Keep the branches that the released network never calls.
    """
    renamed = {}
    for key, value in tensors.items():
        for pattern, replacement in _RULES:
            key = re.sub(pattern, replacement, key)
        if keep_unused or not _UNUSED.match(key):
            renamed[key] = value
    return renamed

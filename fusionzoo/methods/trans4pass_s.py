"""Trans4PASS-S: panoramic segmentation with a deformable Mix Transformer, 26.3 M parameters.

See `trans4pass`. Weights are the user's own download.
"""

from fusionzoo.methods.trans4pass.published import entry

ENTRY = entry(
    "s",
    plus=False,
    recipe="Small",
    paper="Zhang et al., Bending Reality, CVPR 2022",
)

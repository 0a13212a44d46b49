"""Trans4PASS-T: panoramic segmentation with a deformable Mix Transformer, 15.3 M parameters.

See `trans4pass`. Weights are the user's own download.
"""

from fusionzoo.methods.trans4pass.published import entry

ENTRY = entry(
    "t",
    plus=False,
    recipe="Tiny",
    paper="Zhang et al., Bending Reality, CVPR 2022",
)

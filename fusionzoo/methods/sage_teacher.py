"""SAGE's teacher: what the student was distilled from, to see what distillation costs.

Wu et al., "Every SAM Drop Counts", CVPR 2025; see `fusionzoo.methods.sage`. It is no method for
use: 64 times the student's work, attention over a quarter of the picture's side, and regions found
by felzenszwalb's segmentation first. No teacher was published, so its parameters are always one's
own: `fusionzoo train sage` leaves them beside the student's, `fusionzoo train sage_teacher` trains
it alone.
"""

from fusionzoo.core import Method, Weights

ENTRY = Method(
    network="fusionzoo.methods.sage.masked:MaskedTeacher",
    inputs=("visible", "infrared"),
    luma="opencv_uint8",
    multiple_of=4,
    minimum_side=16,
    halo=None,
    weights={
        "zoo": Weights(
            source="a training by the command in methods/sage.md, file teacher.safetensors",
            sha256="26774ab41e5823c46f2a63c93dccf2eb22e54305773dc752c9c22969a50e1962",
            license="Apache-2.0",
            trained_on=("roadscene:train_allowed", "msrs:train_allowed"),
            size=10_579_004,
        ),
    },
    recipe="fusionzoo.methods.sage.recipe:TeacherRecipe",
    paper="Wu et al., Every SAM Drop Counts, CVPR 2025",
)

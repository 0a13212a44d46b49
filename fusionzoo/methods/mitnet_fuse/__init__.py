"""mitnet_fuse: MITNet's body as a fusion network, Fourier amplitude first, phase second.

An own construction on the network of Shen, Zhao and Zhang (MITNet, ACM Multimedia 2023); nothing
of the kind with two stages is published. Its relatives fuse amplitudes and phases of whole pictures
(SFDFusion, ECAI 2024) or of features (FISCNet, Information Fusion 2024).

The idea. The first stage sees both pictures and gives the visible one the amplitude that the fused
picture should have; the second one moves structures, which is what phase is: edges that only the
infrared picture has cannot come from any amplitude. In the checkpoint of a published relative
the phase branch gives the same output for every picture, so here phase has a loss of its own
(`losses.py`) and a test.
"""

from fusionzoo.core import Method, Weights

ENTRY = Method(
    network="fusionzoo.methods.mitnet_fuse.network:FrequencyFusion",
    inputs=("visible", "infrared"),
    luma="levels",
    # A Fourier transform sees the whole picture, so tiles, which only very large pictures need, are
    # pictures of their own and change the result (methods/mitnet.md).
    halo=None,
    overlap=128,
    weights={
        "zoo": Weights(
            source="shipped with fusionzoo",
            sha256=None,
            license="Apache-2.0",
            trained_on=("roadscene:train_allowed", "msrs:train_allowed"),
            file="methods/mitnet_fuse/zoo.safetensors",
        ),
    },
    paper="own construction on Shen et al., MITNet, ACM MM 2023",
    license="Apache-2.0",
    recipe="fusionzoo.methods.mitnet_fuse.recipe:Recipe",
)

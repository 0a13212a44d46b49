"""RESIDE-IN: SOTS indoor in DehazeFormer's layout, the clean picture under the hazy one's name.

The same scenes are in `sots`; both are split by one list of scenes.
"""

from fusionzoo.datasets._reside import dataset

ENTRY = dataset(
    name="reside_in",
    title="RESIDE-IN",
    folders=("RESIDE-IN",),
    places=(("test", "hazy", "GT"),),
    source="github.com/square-moon/haze, folder data/RESIDE-IN",
    clean_name=str,
)

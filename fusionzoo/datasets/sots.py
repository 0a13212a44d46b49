"""SOTS indoor: 50 rooms under ten synthetic hazes each, 620x460, with the clean picture.

The clean picture carries the scene's name (`gt/1400.png` for `hazy/1400_9.png`). The same scenes
are in `reside_in`; both are split by one list of scenes.
"""

from fusionzoo.datasets._reside import dataset, scene

ENTRY = dataset(
    name="sots",
    title="SOTS indoor",
    folders=("SOTS",),
    places=(("indoor", "hazy", "gt"), ("", "hazy", "gt")),
    source="the RESIDE page (links also in the README of Dehamer)",
    clean_name=scene,
)

"""Trans4PASS+ S: Trans4PASS with the second decoder, 26.3 M parameters.

See `trans4pass`. Weights are the user's own download.
"""

from fusionzoo.methods.trans4pass.published import entry

ENTRY = entry(
    "s",
    plus=True,
    recipe="PlusSmall",
    paper="Zhang et al., Behind Every Domain There is a Shift, TPAMI 2024",
)

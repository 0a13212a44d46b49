"""Trans4PASS+ T: Trans4PASS with the second decoder, 15.2 M parameters.

See `trans4pass`. Weights are the user's own download.
"""

from fusionzoo.methods.trans4pass.published import entry

ENTRY = entry(
    "t",
    plus=True,
    recipe="PlusTiny",
    paper="Zhang et al., Behind Every Domain There is a Shift, TPAMI 2024",
)

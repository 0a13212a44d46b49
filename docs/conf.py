"""Sphinx settings; the cards of methods and metrics are included, not copied."""

import fusionzoo

project = "fusionzoo"
author = "The fusionzoo developers"
release = fusionzoo.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
autodoc_typehints = "description"
suppress_warnings = ["myst.xref_missing"]

"""Sphinx settings; the cards of methods and metrics are included, not copied."""

import re
from pathlib import Path

from sphinx.application import Sphinx

import fusionzoo

project = "fusionzoo"
author = "The fusionzoo developers"
release = fusionzoo.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
autodoc_typehints = "description"

DOCS = Path(__file__).resolve().parent
LINK = re.compile(r"\[([^\]]+)\]\(([\w./-]+)\)")


def _label(card: Path) -> str:
    return f"card-{card.parent.name}-{card.stem}"


def _linked(_app: Sphinx, path: Path, _page: str, content: list[str]) -> None:
    """Links of a card: to other cards, which are parts of pages here, and to these pages.

    Other files of the repository are not part of the documentation; their path is shown.
    """
    card = (DOCS / path).resolve()
    if card.parent == DOCS:
        return

    def place(found: re.Match[str]) -> str:
        text, target = found[1], (card.parent / found[2]).resolve()
        if target.parent == DOCS:
            return f"[{text}]({target.name})"
        if target.parent.name in ("methods", "metrics"):
            return f"[{text}](#{_label(target)})"
        return f"{text} ({target.relative_to(DOCS.parent)})"

    content[0] = f"({_label(card)})=\n" + LINK.sub(place, content[0])


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("include-read", _linked)

"""The HTML report: one file with its style, its script and its data, which asks for nothing else.

The page's policy forbids every address but pictures beside it, and every script but the one whose
hash it names; names from result files reach the document as text only.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from fusionzoo import image, store
from fusionzoo.report import model, pictures

SCRIPTS = ("base", "state", "tables", "leaderboard", "viewer", "scenes", "plots", "curves", "guide",
           "main")  # fmt: skip
EMBED_LIMIT = 64
"""MiB of pictures that a page takes in unless told otherwise."""


def write_page(
    folder: Path, out: Path | None = None, embed: bool = False, limit: int = EMBED_LIMIT
) -> tuple[Path, list[str]]:
    """Write the report of a results folder.

    Args:
        folder: Results folder.
        out: HTML file; `report.html` in the folder if None.
        embed: Put the pictures into the file instead of referring to them by relative path.
        limit: MiB of pictures to embed at most; the page says how many did not fit.

    Returns:
        The file, and one line per result file that could not be read.

    Raises:
        FusionZooError: No results in the folder, two files for one cell, or a place that cannot be
            written to.
    """
    page = out or folder / "report.html"
    found, problems = store.find(folder)
    album = pictures.Album(page, limit * pictures.MEBIBYTE if embed else None)
    image.write_bytes(page, render(model.document(folder, found, problems, album), album).encode())
    return page, problems


def render(document: Mapping[str, Any], album: pictures.Album) -> str:
    """The page of a document (see `model.document`) and its embedded pictures."""
    script = "\n".join(_static(f"{name}.js") for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}\n}})();\n'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_static("page.html")).render(
        title=document["name"],
        style=Markup(_static("page.css")),
        script=Markup(script),
        digest=digest,
        data=Markup(inline_json(document)),
        embedded=album.embedded,
    )


def inline_json(value: Any) -> str:
    """JSON that no parser of HTML can leave: every "<", ">" and "&" is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _static(name: str) -> str:
    return (resources.files(__package__) / "static" / name).read_text("utf-8")

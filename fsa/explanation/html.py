"""An explanation as one page that loads nothing from anywhere."""

from __future__ import annotations

import json
from importlib import resources

from fsa.explanation.data import Explanation

# In the order in which they stand in the page: each uses those before it.
_SCRIPTS = ("format.js", "layout.js", "clusters.js", "panel.js", "view.js", "main.js")


def page(found: Explanation) -> str:
    """Return the HTML page of `found`."""
    folder = resources.files("fsa.explanation").joinpath("page")

    def text(name: str) -> str:
        return folder.joinpath(name).read_text(encoding="utf-8")

    script = "\n".join(text(name) for name in _SCRIPTS)
    # In a script element only "</" and "<!--" could end or change what is data.
    data = json.dumps(found.data(), separators=(",", ":")).replace("<", "\\u003c")
    parts = {"style": text("style.css"), "script": script, "data": data}
    head, *rest = text("page.html").split("{{")
    filled = [head]
    for piece in rest:
        name, _, after = piece.partition("}}")
        filled += [parts[name], after]
    return "".join(filled)

"""What an example needs beside FSA."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

# Begins the sentence that an example ends with when something is not installed.
NEEDS = "this example needs "


def require(packages: Mapping[str, str]) -> None:
    """End the program with one sentence unless all `packages` can be imported.

    `packages` maps the name of each module to what `pip install` takes for it.
    """
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    if absent:
        commands = " && ".join(f"pip install {packages[name]}" for name in absent)
        raise SystemExit(f"{NEEDS}{', '.join(absent)}: run `{commands}`")

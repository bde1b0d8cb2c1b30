"""What is known of the bindings' own passes: names, class names, options, summaries.

The bindings cannot list their passes, so ``python -m fsa.tools.upstream_passes`` finds them for the
pinned version and writes `upstream_passes.json`. Nothing decides on this table whether a pass
exists: the bindings do. It serves near matches, `--list-passes` and headings.
"""

import functools
import importlib.resources
import json
from typing import Any


@functools.cache
def upstream_passes() -> dict[str, dict[str, Any]]:
    """Return pass name -> {"class", "summary", "options", "pipeline"}."""
    data = importlib.resources.files("fsa.passes.driver").joinpath("upstream_passes.json")
    return json.loads(data.read_text(encoding="utf-8"))


def upstream_options(name: str) -> list[str]:
    """Return the option names of the C++ pass `name`, as far as they are known."""
    return list(upstream_passes().get(name, {}).get("options", []))

"""Writes docs/passes.md, docs/pipelines.md and docs/ops.md from the code that they describe.

    python -m fsa.tools.docs [--check]

With --check nothing is written, and the exit code says whether the pages are current.
"""

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsa.dialects.fsa.dialect import OP_MODULES
from fsa.passes.driver.options import option_fields, option_type, print_value
from fsa.passes.registry import PASSES, pass_class
from fsa.pipelines.registry import PIPELINES, make_pipeline, pipeline_class

ROOT = Path(__file__).parents[2]
_NOTE = "<!-- Written by `python -m fsa.tools.docs` from the code: change it there. -->\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or with --check say which are stale; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given not in ([], ["--check"]):
        print(f"usage: python -m fsa.tools.docs [--check], found {' '.join(given)}")
        return 1
    stale = 0
    for name, make in PAGES.items():
        path, text = ROOT / "docs" / name, make()
        current = path.exists() and path.read_text(encoding="utf-8") == text
        if not given:
            path.write_text(text, encoding="utf-8")
        elif not current:
            print(f"docs/{name} is not current: run python -m fsa.tools.docs")
            stale += 1
    return 1 if stale else 0


def passes_page() -> str:
    """Return docs/passes.md."""
    parts = [
        "# Passes\n",
        _NOTE,
        "The passes of FSA, as `fsa-opt` takes them: `--NAME`, `--NAME=OPTIONS` or inside\n"
        "`--pass-pipeline`. The bindings' own passes are listed by `fsa-opt --list-passes`.\n",
    ]
    for name in sorted(PASSES):
        found = pass_class(name)
        anchor = "any op" if found.anchor == "any" else f"`{found.anchor}`"
        parts += [
            f"## `{name}`\n",
            f"{_sentence(found.summary)} Runs on {anchor}.\n",
            f"{_text(found)}\n",
            *_options(found),
            f"Source: [{_source(found)}](../{_source(found)}), tests: "
            f"`test/lit/passes/{name}*.mlir`\n",
        ]
    return "\n".join(parts)


def pipelines_page() -> str:
    """Return docs/pipelines.md."""
    parts = [
        "# Pipelines\n",
        _NOTE,
        "Named pipelines run as `fsa-opt --NAME`, inside `--pass-pipeline='builtin.module(...)'`\n"
        'or by `fsa.compile(..., pipeline="NAME")`. Each lists its phases, why each stands where\n'
        "it does, and what it promises; the promise is checked at the end of every run.\n",
    ]
    for name in sorted(PIPELINES):
        found = pipeline_class(name)
        parts += [
            f"## `{name}`\n",
            f"{_sentence(found.summary)}\n",
            f"{_text(found)}\n",
            *_options(found),
        ]
        rows = ["| phase | passes | why here |", "|---|---|---|"]
        phases = make_pipeline(name).all_phases()
        rows += [f"| {phase.name} | `{phase.passes}` | {phase.why} |" for phase in phases]
        parts += ["\n".join(rows) + "\n", f"Source: [{_source(found)}](../{_source(found)})\n"]
    return "\n".join(parts)


def ops_page() -> str:
    """Return docs/ops.md."""
    spec = (ROOT / "dialects" / "fsa" / "SPEC.md").read_text(encoding="utf-8")
    parts = [
        "# Ops\n",
        _NOTE,
        "The ops of the `fsa` dialect in short. [SPEC.md](../dialects/fsa/SPEC.md) states the\n"
        "operands, attributes and constraints; `reference.py` beside it has each op in NumPy.\n",
    ]
    for module_name in OP_MODULES:
        module = importlib.import_module(f"fsa.dialects.fsa.ops.{module_name}")
        found = _op_class(module)
        name = found.OPERATION_NAME
        source = f"dialects/fsa/ops/{module_name}.py"
        parts += [f"## `{name}`\n", f"{_text(found)}\n"]
        example = re.search(rf"^## `{re.escape(name)}`$.*?^(```mlir\n.*?^```)$", spec, re.M | re.S)
        if example is not None:
            parts.append(f"{example[1]}\n")
        anchor = f"../dialects/fsa/SPEC.md#{name.replace('.', '')}"
        parts.append(f"[Specification]({anchor}), [source](../{source})\n")
    return "\n".join(parts)


PAGES: dict[str, Callable[[], str]] = {
    "passes.md": passes_page,
    "pipelines.md": pipelines_page,
    "ops.md": ops_page,
}


def _op_class(module: Any) -> Any:
    """Return the op class that an op module defines and is named after."""
    name = f"fsa.{module.__name__.rpartition('.')[2]}"
    (found,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value) and getattr(value, "OPERATION_NAME", None) == name
    )
    return found


def _options(found: type[Any]) -> list[str]:
    """Return the table of a class's options, if it has any."""
    rows: list[str] = []
    for name, field in option_fields(found).items():
        default = ""
        if field.default is not dataclasses.MISSING:
            default = f"`{print_value(field.default)}`" if print_value(field.default) else "empty"
        kind = option_type(found, field.name).replace("|", r"\|")
        rows.append(f"| `{name}` | `{kind}` | {default} | {field.metadata.get('help', '')} |")
    if not rows:
        return []
    return ["\n".join(["| option | value | default | |", "|---|---|---|---|", *rows]) + "\n"]


def _text(found: type[Any]) -> str:
    """Return a class's docstring."""
    return inspect.cleandoc(found.__doc__ or "")


def _sentence(text: str) -> str:
    """Return `text` as a sentence."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _source(found: type[Any]) -> str:
    """Return the path of a class's source in the repository."""
    return f"{found.__module__.removeprefix('fsa.').replace('.', '/')}.py"


if __name__ == "__main__":
    sys.exit(main())

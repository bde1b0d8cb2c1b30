"""The options of every command that compiles a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from fsa.tools.commands import shapes

TARGETS = "cpu, cpu:<LLVM CPU>, cpu:generic, vulkan, vulkan:<IREE target>, cuda or cuda:sm_NN"
_OPTIONS = (
    click.option("--shape", "shape_texts", multiple=True, metavar="NAME=SIZES", help=shapes.HELP),
    click.option(
        "--pipeline",
        help="A pipeline that `fsa-opt --list-pipelines` names [default: the target's kernels].",
    ),
    click.option(
        "--skip", multiple=True, metavar="PASS", help="Leave a clean-up pass out. Repeatable."
    ),
)


def target_option(note: str = "") -> Callable[[Any], Any]:
    """Return the option `--target`; `note` follows the names of targets in its help."""
    return click.option("--target", default="cpu", show_default=True, help=f"{TARGETS}{note}.")


def model_options(command: Any) -> Any:
    """Give `command` the options `--shape` (as `shape_texts`), `--pipeline` and `--skip`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command

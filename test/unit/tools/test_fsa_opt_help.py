"""The help text: its examples parse, and it names every flag."""

import re
import shlex

import pytest

from fsa.dialects.fsa.dialect import new_context
from fsa.passes.driver.pipeline_text import Element, Nest, parse_pipeline
from fsa.passes.driver.resolve import resolve
from fsa.tools.opt import command_line
from fsa.tools.opt.flags import BY_NAME
from fsa.tools.opt.help import help_text

EXAMPLES = re.findall(r"^  (fsa-opt \S.*?)(?:  +\S.*)?$", help_text(), re.M)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_name_what_exists(example: str) -> None:
    line = command_line.parse(shlex.split(example)[1:])
    nest = Nest("builtin.module", tuple(Element(*given) for given in line.passes))
    if line["pass-pipeline"] is not None:
        nest = parse_pipeline(line["pass-pipeline"])
    resolve(nest, new_context())


def test_every_flag_is_named() -> None:
    assert len(EXAMPLES) >= 5
    text = help_text()
    for name, flag in BY_NAME.items():
        assert (f"--{name}" if len(name) > 1 else f"-{name} ") in text
        assert flag.help in text

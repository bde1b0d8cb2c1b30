"""The table of the bindings' passes agrees with the bindings."""

import pytest

from fsa.bindings import ir, load_extensions, passmanager
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import InputError
from fsa.passes.driver.pipeline_text import parse_pipeline
from fsa.passes.driver.resolve import UpstreamStep, expand, resolve
from fsa.passes.driver.upstream import upstream_options, upstream_passes


def test_every_pass_of_the_table_exists() -> None:
    with ir.Context():
        load_extensions(None, {"torch", "stablehlo"})
        for name, entry in upstream_passes().items():
            anchor = "builtin.module" if entry["anchor"] == "any" else entry["anchor"]
            assert (
                name in str(passmanager.PassManager.parse(f"{anchor}({name})"))
                or (entry["pipeline"])
            )


def test_the_table_holds_the_passes_that_everyone_knows() -> None:
    known = {"canonicalize", "cse", "inline", "sccp", "symbol-dce", "strip-debuginfo", "mem2reg"}
    assert known <= set(upstream_passes())
    assert upstream_passes()["canonicalize"]["class"] == "CanonicalizerPass"
    assert "max-iterations" in upstream_options("canonicalize")
    assert upstream_options("no-such-pass") == []


@pytest.mark.parametrize(
    "name", [n for n, entry in upstream_passes().items() if entry["anchor"] == "builtin.module"]
)
def test_passes_at_the_wrong_place_are_refused(name: str) -> None:
    """The bindings end the process at some of these; the check comes before."""
    with pytest.raises(InputError, match="found it nested in"):
        resolve(parse_pipeline(f"builtin.module(func.func({name}))"), new_context())


def test_pipelines_expand_to_passes() -> None:
    context = new_context()
    steps = expand(UpstreamStep("buffer-deallocation-pipeline"), "builtin.module", context)
    assert "ownership-based-buffer-deallocation" in [getattr(step, "name", "") for step in steps]
    assert expand(UpstreamStep("cse"), "func.func", context) == (UpstreamStep("cse"),)

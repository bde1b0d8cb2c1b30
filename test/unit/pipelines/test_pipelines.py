"""Named pipelines: their text, their options, and the promises that they check."""

import pytest

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import InputError, PassFailure
from fsa.passes.driver.options import OptionError
from fsa.passes.driver.pipeline_text import Element, Nest, parse_elements, parse_pipeline
from fsa.passes.driver.resolve import resolve
from fsa.passes.driver.runner import Runner
from fsa.pipelines.base import Phase, Pipeline
from fsa.pipelines.registry import PIPELINES, make_pipeline


def test_parse_to_a_tree() -> None:
    text = " builtin.module( a{x=1 y={b,c}} , func.func(b,any( c )) , d ) "
    assert parse_pipeline(text) == Nest(
        "builtin.module",
        (
            Element("a", "x=1 y={b,c}"),
            Nest("func.func", (Element("b"), Nest("any", (Element("c"),)))),
            Element("d"),
        ),
    )
    assert parse_elements("") == ()
    assert parse_pipeline("builtin.module()") == Nest("builtin.module", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "wrapped in the operation that it runs on"),
        ("cse", "wrapped in the operation that it runs on"),
        ("builtin.module(a),b", "wrapped in the operation that it runs on"),
        ("builtin.module(a,)", "expected the name of a pass or of an operation at column 18"),
        ("builtin.module(a b)", "expected the name of a pass or of an operation at column 16"),
        ("builtin.module(a{x=1)", "expected the '}' that closes the options of 'a' at column 22"),
        ("builtin.module(a{x='1})", "the '}' that closes the options of 'a'"),
        ("builtin.module(a))", "expected ',' or the end of the pipeline at column 18, found ')'"),
        ("builtin.module(a{}b)", "expected ',' or the ')' that closes 'builtin.module('"),
        ("(a)", "expected the name of a pass or of an operation at column 1, found '('"),
    ],
)
def test_errors_name_the_column(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_pipeline(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_text_of_a_pipeline_parses_to_its_phases(name: str) -> None:
    pipeline = make_pipeline(name)
    context = new_context()
    by_name = resolve(parse_pipeline(f"builtin.module({name})"), context)
    assert str(by_name) == str(resolve(parse_pipeline(pipeline.text()), context))
    for phase in pipeline.all_phases():
        assert phase.passes in pipeline.text()


def test_options_and_names() -> None:
    text = make_pipeline("fsa-to-cpu", "arch=znver4").text()
    assert "fsa-attach-target{target=cpu:znver4 override=true}" in text
    assert "override" not in make_pipeline("fsa-to-cpu").text()
    with pytest.raises(OptionError, match="pipeline 'fsa-to-cpu': unknown option 'arhc'; did you"):
        make_pipeline("fsa-to-cpu", "arhc=znver4")
    with pytest.raises(InputError, match="unknown pipeline 'fsa-to-cpus'; did you mean 'fsa-to-c"):
        make_pipeline("fsa-to-cpus")


def test_a_failure_names_its_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    context = new_context()
    module = ir.Module.parse(
        "func.func @f(%a: i32) -> f32 {\n"
        "  %0 = builtin.unrealized_conversion_cast %a : i32 to f32\n  return %0 : f32\n}",
        context,
    )
    pipeline = resolve(parse_pipeline("builtin.module(fsa-to-linalg)"), context)
    with pytest.raises(PassFailure) as caught:
        Runner(Diagnostics(), reproducers=False).run(pipeline, module.operation)
    assert str(caught.value).startswith(
        "pass 'fsa-check-absent' failed in phase 'postconditions' of fsa-to-linalg: expected no op"
    )


def test_without_postconditions_there_is_no_last_phase() -> None:
    class Plain(Pipeline):
        def phases(self) -> tuple[Phase, ...]:
            return (Phase("one", "First.", "cse"), Phase("two", "Then.", "canonicalize"))

    assert [phase.name for phase in Plain().all_phases()] == ["one", "two"]
    assert Plain().text() == "builtin.module(cse,canonicalize)"

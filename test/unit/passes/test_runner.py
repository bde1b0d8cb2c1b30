"""The runner: order and nesting, verification, failures and what they leave behind."""

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import InputError, PassFailure
from fsa.passes import registry
from fsa.passes.base import Pass, PassError
from fsa.passes.driver.pipeline_text import parse_pipeline
from fsa.passes.driver.resolve import NestStep, PythonStep, resolve
from fsa.passes.driver.runner import Observer, Runner, SingleStep
from fsa.tools import fsa_opt

TEXT = """
func.func @f(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  return %a : i32
}
func.func @g(%a: i32) {
  %0 = arith.muli %a, %a : i32
  return
}
"""


@dataclass(frozen=True)
class Misbehave(Pass):
    """Does what `how` says to the function called `where`."""

    name: ClassVar[str] = "test-misbehave"
    summary: ClassVar[str] = "Misbehave"
    anchor: ClassVar[str] = "func.func"

    how: str = ""
    where: str = "g"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        if ir.StringAttr(op.attributes["sym_name"]).value != self.where:
            return
        if self.how == "raise":
            raise PassError(op.location, "expected a kind word, found none")
        if self.how == "bug":
            raise KeyError("oops")
        if self.how == "invalid":
            block = op.regions[0].blocks[0]
            list(block.operations)[-1].operation.erase()
        if self.how == "mlir-error":
            ir.Module.parse("func.func @x( {", op.context)
        if self.how == "warn":
            diagnostics.warning(op.location, "strange function")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(registry.PASSES, "test-misbehave", f"{__name__}:Misbehave")
    monkeypatch.setattr(registry, "pass_class", _pass_class)
    monkeypatch.setenv("FSA_REPRODUCER_DIR", str(tmp_path / "failures"))


def _pass_class(name: str, original: Any = registry.pass_class) -> type[Pass]:
    return Misbehave if name == "test-misbehave" else original(name)


def run(pipeline: str, text: str = TEXT, **options: Any) -> tuple[ir.Module, Diagnostics]:
    context = new_context()
    module = ir.Module.parse(text, context)
    diagnostics = Diagnostics()
    Runner(diagnostics, **options).run(resolve(parse_pipeline(pipeline), context), module.operation)
    return module, diagnostics


class Recorder(Observer):
    def __init__(self) -> None:
        self.events: list[str] = []

    def before_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        symbol = op.attributes["sym_name"].value if "sym_name" in op.attributes else "-"
        self.events.append(f"{'.'.join(path)}:{step.name}:{symbol}")


def test_order_is_one_function_after_the_other() -> None:
    recorder = Recorder()
    run("builtin.module(func.func(cse,test-misbehave),symbol-dce)", observers=[recorder])
    inside = "builtin.module.func.func"
    assert recorder.events == [
        f"{inside}:cse:f",
        f"{inside}:test-misbehave:f",
        f"{inside}:cse:g",
        f"{inside}:test-misbehave:g",
        "builtin.module:symbol-dce:-",
    ]


@pytest.mark.parametrize("watched", [False, True])
def test_mixed_nests_transform(watched: bool) -> None:
    observers = [Recorder()] if watched else []
    module, _ = run("builtin.module(func.func(test-misbehave,cse),cse)", observers=observers)
    assert "arith" not in str(module)


def test_passes_for_other_ops_are_nested_by_themselves() -> None:
    context = new_context()
    pipeline = resolve(parse_pipeline("builtin.module(test-misbehave)"), context)
    (nest,) = pipeline.steps
    assert isinstance(nest, NestStep)
    assert nest.anchor == "func.func"
    assert isinstance(nest.steps[0], PythonStep)
    assert str(pipeline) == "builtin.module(func.func(test-misbehave))"


def test_any_skips_ops_that_a_pass_is_not_for() -> None:
    text = TEXT + "gpu.module @m { gpu.func @k() kernel { gpu.return } }\nmodule @n {}\n"
    recorder = Recorder()
    run("builtin.module(any(cse,test-misbehave))", text, observers=[recorder])
    assert {event.rpartition(":")[2] for event in recorder.events} == {"f", "g"}


def test_nothing_matches() -> None:
    module, _ = run("builtin.module(gpu.module(cse,fsa-check-absent{ops=*}))")
    assert "arith.addi" in str(module)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "expected a kind word, found none"),
        ("bug", "internal error: KeyError: 'oops' (test_runner.py:"),
        ("mlir-error", "expected non-function type"),
    ],
)
@pytest.mark.parametrize("emits", [False, True])
def test_failure_leaves_the_ir_before_it_and_a_command(
    how: str, reason: str, emits: bool, tmp_path: Path
) -> None:
    context = new_context()
    context.emit_error_diagnostics = emits
    if emits:
        context.attach_diagnostic_handler(lambda _: True)
    module = ir.Module.parse(TEXT, context)
    text = f"builtin.module(func.func(cse,test-misbehave{{how={how}}},canonicalize))"
    with pytest.raises(PassFailure) as caught:
        Runner(Diagnostics()).run(resolve(parse_pipeline(text), context), module.operation)
    failure = caught.value
    assert failure.pass_name == "test-misbehave"
    assert f"pass 'test-misbehave' failed: {reason}" in str(failure)
    assert failure.reproducer is not None
    before = Path(failure.reproducer)
    assert before.is_relative_to(tmp_path / "failures")
    # Both functions went through cse, and only the first through the pass.
    assert "arith" not in before.read_text()
    assert failure.command is not None
    words = shlex.split(failure.command)
    assert words[:2] == ["fsa-opt", str(before)]
    assert words[2] == f"--pass-pipeline=builtin.module(func.func(test-misbehave{{how={how}}}))"
    assert failure.command in str(failure)


def test_ir_before_is_of_the_failing_pass_among_upstream_passes() -> None:
    text = """
    func.func @f(%a: i32) -> i32 {
      %0 = arith.addi %a, %a : i32
      %1 = builtin.unrealized_conversion_cast %a : i32 to f32
      %2 = builtin.unrealized_conversion_cast %1 : f32 to i32
      return %2 : i32
    }
    func.func private @never()
    """
    context = new_context()
    fails = "torch-verify-linalg-on-tensors-backend-contract"
    pipeline = f"builtin.module(func.func(cse),symbol-dce,{fails},strip-debuginfo)"
    module = ir.Module.parse(text, context)
    with pytest.raises(PassFailure) as caught:
        Runner(Diagnostics()).run(resolve(parse_pipeline(pipeline), context), module.operation)
    assert caught.value.pass_name == fails
    assert caught.value.reproducer is not None
    before = Path(caught.value.reproducer).read_text()
    assert "arith.addi" not in before
    assert "@never" not in before
    assert f"builtin.module({fails})" in (caught.value.command or "")


def test_the_command_reproduces_the_failure() -> None:
    with pytest.raises(PassFailure) as caught:
        run("builtin.module(canonicalize,func.func(fsa-check-absent{ops=func.return}))")
    assert caught.value.command is not None
    words = shlex.split(caught.value.command)
    again = subprocess.run(
        [sys.executable, "-m", "fsa.tools.fsa_opt", *words[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 1
    assert "expected no op func.return, found 'func.return'" in again.stderr


def test_invalid_ir_is_found_after_the_pass_that_made_it() -> None:
    with pytest.raises(PassFailure, match="pass 'test-misbehave' failed"):
        run("builtin.module(func.func(test-misbehave{how=invalid}))")
    run("builtin.module(func.func(test-misbehave{how=invalid}))", verify_each=False)


def test_failures_can_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(PassFailure) as caught:
        run("builtin.module(func.func(test-misbehave{how=raise}))", reproducers=False)
    assert caught.value.reproducer is None
    assert not (tmp_path / "failures").exists()


def test_folder_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FSA_REPRODUCER_DIR", str(tmp_path / "file"))
    with pytest.raises(PassFailure, match="the IR before it could not be written"):
        run("builtin.module(func.func(test-misbehave{how=raise}))")


def test_each_run_has_a_folder_of_its_own() -> None:
    paths: set[str | None] = set()
    for _ in range(2):
        with pytest.raises(PassFailure) as caught:
            run("builtin.module(func.func(test-misbehave{how=raise}))")
        paths.add(caught.value.reproducer)
    assert len(paths) == 2


def test_warnings_reach_the_caller_once() -> None:
    _, diagnostics = run("builtin.module(func.func(test-misbehave{how=warn}))")
    (item,) = diagnostics.items
    assert (item.severity, item.message) == ("warning", "strange function")
    # A later failure replays the passes; their warnings are not reported again.
    diagnostics = Diagnostics()
    context = new_context()
    module = ir.Module.parse(TEXT, context)
    text = "builtin.module(func.func(test-misbehave{how=warn},test-misbehave{how=raise}))"
    with pytest.raises(PassFailure):
        Runner(diagnostics).run(resolve(parse_pipeline(text), context), module.operation)
    assert [item.severity for item in diagnostics.items] == ["warning", "error"]


def test_verify_diagnostics_sees_our_warnings(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "input.mlir"
    for severity, code in (("warning", 0), ("error", 1)):
        expected = f"// expected-{severity}@+1 {{{{strange function}}}}"
        file.write_text(TEXT.replace("func.func @g", f"{expected}\nfunc.func @g"))
        command = [str(file), "--verify-diagnostics", "--test-misbehave=how=warn", "-o=/dev/null"]
        assert fsa_opt.main(command) == code
    assert "unexpected warning: strange function" in capfd.readouterr().err


def test_wrong_root() -> None:
    with pytest.raises(InputError, match="expected a pipeline for"):
        run("func.func(cse)")

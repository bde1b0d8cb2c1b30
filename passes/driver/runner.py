"""Runs a resolved pipeline: our passes and the bindings' at any nesting, with failures made useful.

Passes of the bindings that stand next to each other run in one PassManager; as soon as someone
watches (IR printing, timing) every pass runs by itself. Before each top-level element the root op
is cloned, which shares all constants, so that a failure can be replayed on the clone to find the IR
as it was before the very pass that failed.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsa.bindings import ir
from fsa.diagnostics import Diagnostic, Diagnostics, from_mlir
from fsa.errors import FsaError, PassFailure
from fsa.passes.base import PassError
from fsa.passes.driver.nesting import check_root, children, groups, nested_text
from fsa.passes.driver.reproducer import fsa_opt_command, run_folder, write_reproducer
from fsa.passes.driver.resolve import (
    NestStep,
    PythonStep,
    Step,
    UpstreamStep,
    expand_all,
    parse_upstream,
)

SingleStep = PythonStep | UpstreamStep


class Observer:
    """Watches each single pass; `path` is the nesting: ("builtin.module", "func.func")."""

    def before_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Called before `step` runs on `op`."""

    def after_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Called after `step` ran on `op` and verified."""

    def failed_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Called when `step` failed on `op`, whose state is then unknown."""

    def before_nest(self, nest: NestStep, path: tuple[str, ...], op: Any) -> None:
        """Called before `nest` runs on the ops inside `op`; `path` is the nesting of `op`."""

    def after_nest(self, nest: NestStep, path: tuple[str, ...], op: Any) -> None:
        """Called after `nest` ran on the ops inside `op`."""


class StepFailed(Exception):
    """A pass failed; `message` is the reason if no diagnostic gives it."""

    def __init__(self, name: str, path: tuple[str, ...], origin: str, message: str = ""):
        super().__init__(message)
        self.name, self.path, self.origin, self.message = name, path, origin, message


class _Stop(Exception):
    """The replay has reached the pass before which it must stop."""


@dataclass
class Runner:
    """Runs pipelines in one context.

    `observers` see every single pass. `reproducers` says whether a failure writes its IR, into a
    new folder under `reproducer_root` (default: $FSA_REPRODUCER_DIR, else the temporary folder).
    `extra_flags` go into the command that reproduces a failure.
    """

    diagnostics: Diagnostics
    verify_each: bool = True
    observers: Sequence[Observer] = ()
    reproducers: bool = True
    reproducer_root: Path | None = None
    extra_flags: tuple[str, ...] = ()
    _managers: dict[str, Any] = field(default_factory=dict[str, Any])

    def run(self, pipeline: NestStep, root: Any) -> None:
        """Run `pipeline` on `root` (an `ir.Operation`); raise `PassFailure`."""
        check_root(pipeline.anchor, root)
        single = bool(self.observers)
        if single:
            pipeline = expand_all(pipeline, root.context)
        with _recorded(root.context) as errors:
            for group in groups(pipeline.steps, single):
                snapshot = root.clone() if self.reproducers else None
                reported = len(self.diagnostics.items)
                try:
                    self._run_group(pipeline.anchor, group, (pipeline.anchor,), root, single)
                except StepFailed as failure:
                    ours = [d for d in self.diagnostics.items[reported:] if d.severity == "error"]
                    raise self._failure(failure, group, snapshot, [*errors, *ours]) from None

    # Running

    def _run_group(
        self, anchor: str, group: Sequence[Step], path: tuple[str, ...], op: Any, single: bool
    ) -> None:
        """Run one group: a nest, one pass of ours, or passes of the bindings."""
        first = group[0]
        if isinstance(first, NestStep) and (single or not first.is_upstream):
            self._run_nest(first, path, op, single)
        elif isinstance(first, PythonStep):
            self._watched(first, path, op, lambda: self._run_python(first, path, op))
        elif single and isinstance(first, UpstreamStep):
            self._watched(first, path, op, lambda: self._run_upstream(anchor, group, path, op))
        else:
            self._run_upstream(anchor, group, path, op)

    def _run_nest(self, nest: NestStep, path: tuple[str, ...], op: Any, single: bool) -> None:
        """Run a nest on each matching op directly inside `op`, one op after the other."""
        for observer in self.observers:
            observer.before_nest(nest, path, op)
        for child in children(op, nest):
            for group in groups(nest.steps, single):
                self._run_group(nest.anchor, group, (*path, nest.anchor), child, single)
        for observer in reversed(self.observers):
            observer.after_nest(nest, path, op)

    def _watched(self, step: SingleStep, path: tuple[str, ...], op: Any, action: Any) -> None:
        """Run `action` with the observers told before and after."""
        for observer in self.observers:
            observer.before_pass(step, path, op)
        try:
            action()
        except StepFailed:
            for observer in reversed(self.observers):
                observer.failed_pass(step, path, op)
            raise
        for observer in reversed(self.observers):
            observer.after_pass(step, path, op)

    def _run_python(self, step: PythonStep, path: tuple[str, ...], op: Any) -> None:
        """Run one pass of ours on `op` and verify `op` after it."""
        try:
            with op.context, op.location:
                step.instance.run(op, self.diagnostics)
            verified = op.verify() if self.verify_each else True
        except PassError as error:
            self.diagnostics.report("error", error.location, error.message)
            raise StepFailed(step.name, path, step.origin) from None
        except ir.MLIRError as error:
            self._report(error)
            raise StepFailed(step.name, path, step.origin, _first_line(error)) from None
        except FsaError as error:
            self.diagnostics.report("error", op.location, str(error))
            raise StepFailed(step.name, path, step.origin) from None
        except Exception as error:
            raise StepFailed(step.name, path, step.origin, _internal(error)) from error
        if not verified:
            raise StepFailed(step.name, path, step.origin, "the IR does not verify after it")

    def _run_upstream(
        self, anchor: str, group: Sequence[Step], path: tuple[str, ...], op: Any
    ) -> None:
        """Run passes of the bindings in one PassManager."""
        text = f"{anchor}({','.join(str(step) for step in group)})"
        manager = self._managers.get(text)
        if manager is None:
            manager = self._managers[text] = parse_upstream(text, op.context)
            manager.enable_verifier(self.verify_each)
        try:
            manager.run(op)
        except ir.MLIRError as error:
            self._report(error)
            name = ",".join(str(step) for step in group)
            origin = getattr(group[0], "origin", "")
            raise StepFailed(name, path, origin, _first_line(error)) from None

    def _report(self, error: Any) -> None:
        """Report what the bindings caught in an exception instead of emitting it."""
        for item in getattr(error, "error_diagnostics", None) or []:
            found = from_mlir(item)
            self.diagnostics.report(found.severity, found.location, found.message, found.notes)

    # Failing

    def _failure(
        self, failure: StepFailed, group: Sequence[Step], snapshot: Any, errors: list[Diagnostic]
    ) -> PassFailure:
        """Make the error that the user sees, with the IR before the failing pass in a file."""
        step, path, before = None, failure.path, snapshot
        if snapshot is not None:
            step, path, before = self._replay(group, failure.path[0], snapshot)
        pipeline = nested_text(path, str(step) if step is not None else failure.name)
        name = step.name if step is not None else failure.name.partition("{")[0]
        origin = (step.origin if step is not None else "") or failure.origin
        reason = errors[0].message if errors else failure.message or "it gave no reason"
        message = f"pass '{name}' failed{f' in {origin}' if origin else ''}: {reason}"
        if before is None:
            return PassFailure(message, pass_name=name, diagnostics=tuple(errors))
        try:
            file = write_reproducer(run_folder(self.reproducer_root), name, before)
        except OSError as error:
            message += f"; the IR before it could not be written: {error}"
            return PassFailure(message, pass_name=name, diagnostics=tuple(errors))
        command = fsa_opt_command(file, pipeline, self.extra_flags)
        return PassFailure(
            f"{message}; the IR before it is in {file}; reproduce with: {command}",
            pass_name=name,
            reproducer=str(file),
            command=command,
            diagnostics=tuple(errors),
        )

    def _replay(
        self, group: Sequence[Step], anchor: str, snapshot: Any
    ) -> tuple[SingleStep | None, tuple[str, ...], Any]:
        """Find the pass that failed and the IR before it, by running `group` again on a clone.

        Returns (pass, nesting, IR); a group that does not fail again gives no pass.
        """
        expanded = expand_all(NestStep(anchor, tuple(group)), snapshot.context)

        def play(stop_at: int | None, root: Any) -> _Counter:
            counter = _Counter(stop_at)
            runner = Runner(Diagnostics(), self.verify_each, (counter,), reproducers=False)
            with _silenced(snapshot.context):
                try:
                    for part in groups(expanded.steps, True):
                        runner._run_group(anchor, part, (anchor,), root, True)
                except (StepFailed, _Stop):
                    pass
            return counter

        first = play(None, snapshot.clone())
        if first.failed is None:
            return None, (anchor,), snapshot
        play(first.count, snapshot)
        return first.failed[0], first.failed[1], snapshot


class _Counter(Observer):
    """An observer that counts passes and can stop before the one numbered `stop_at` (from 1)."""

    def __init__(self, stop_at: int | None):
        self.stop_at = stop_at
        self.count = 0
        self.failed: tuple[SingleStep, tuple[str, ...]] | None = None

    def before_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Count, or stop."""
        self.count += 1
        if self.count == self.stop_at:
            raise _Stop

    def failed_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Remember what failed."""
        self.failed = (step, path)


def _first_line(error: Exception) -> str:
    """Return the sentence of an MLIRError."""
    return str(error).strip().splitlines()[0] if str(error).strip() else "it gave no reason"


def _internal(error: Exception) -> str:
    """Describe an exception that no pass should let out, with the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
    return f"internal error: {type(error).__name__}: {error}{where}"


@contextmanager
def _recorded(context: Any) -> Generator[list[Diagnostic]]:
    """Record the errors that the context emits, and let other handlers see them too."""
    errors: list[Diagnostic] = []

    def record(diagnostic: Any) -> bool:
        found = from_mlir(diagnostic)
        if found.severity == "error":
            errors.append(found)
        return False

    handler = context.attach_diagnostic_handler(record)
    try:
        yield errors
    finally:
        handler.detach()


@contextmanager
def _silenced(context: Any) -> Generator[None]:
    """Swallow every diagnostic of the context."""
    handler = context.attach_diagnostic_handler(lambda _: True)
    try:
        yield
    finally:
        handler.detach()

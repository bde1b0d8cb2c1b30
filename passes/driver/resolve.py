"""From a parsed pipeline to one that can run: names looked up, options checked, pipelines expanded.

Everything that can be wrong with a pipeline's text is found here, before any pass runs.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from fsa.bindings import load_extensions, operation_names, passmanager
from fsa.errors import InputError
from fsa.passes import registry
from fsa.passes.base import Pass
from fsa.passes.driver.options import print_options
from fsa.passes.driver.pipeline_text import Element, Nest, is_operation_name, parse_elements
from fsa.passes.driver.upstream import upstream_options, upstream_passes
from fsa.suggestions import did_you_mean


class UnknownName(InputError):
    """No pass or pipeline is called `name`."""

    def __init__(self, name: str):
        super().__init__(f"unknown pass or pipeline '{name}'{did_you_mean(name, known_names())}")
        self.name = name


@dataclass(frozen=True)
class PythonStep:
    """One of our passes. `origin` says which phase of which named pipeline it comes from."""

    instance: Pass
    origin: str = ""

    @property
    def name(self) -> str:
        """The pass's name."""
        return self.instance.name

    @property
    def display(self) -> str:
        """The name that IR dumps and timing reports show."""
        return type(self.instance).__name__

    def __str__(self) -> str:
        return f"{self.name}{print_options(self.instance)}"


@dataclass(frozen=True)
class UpstreamStep:
    """A C++ pass or C++ pipeline of the bindings."""

    name: str
    options: str = ""
    origin: str = ""

    @property
    def display(self) -> str:
        """The name that IR dumps and timing reports show."""
        known = upstream_passes().get(self.name, {}).get("class", "")
        return known or "".join(word.capitalize() for word in self.name.split("-"))

    def __str__(self) -> str:
        return f"{self.name}{{{self.options}}}" if self.options else self.name


@dataclass(frozen=True)
class NestStep:
    """Steps that run on each op called `anchor` directly inside the enclosing op."""

    anchor: str
    steps: tuple["Step", ...]

    @property
    def is_upstream(self) -> bool:
        """Whether no pass of ours is inside."""
        return all(is_upstream(step) for step in self.steps)

    def __str__(self) -> str:
        return f"{self.anchor}({','.join(str(step) for step in self.steps)})"


Step = PythonStep | UpstreamStep | NestStep


def is_upstream(step: Step) -> bool:
    """Return whether `step` holds passes of the bindings only."""
    return isinstance(step, UpstreamStep) or (isinstance(step, NestStep) and step.is_upstream)


def resolve(nest: Nest, context: Any, origin: str = "") -> NestStep:
    """Look up every name in `nest`; raise `InputError` for the first that is unknown."""
    _check_anchor(nest.anchor, context)
    steps: list[Step] = []
    for element in nest.elements:
        if isinstance(element, Nest):
            steps.append(resolve(element, context, origin))
        else:
            steps.extend(_resolve_element(element, nest.anchor, context, origin))
    return NestStep(nest.anchor, tuple(steps))


def _check_anchor(anchor: str, context: Any) -> None:
    """Refuse an anchor that names no operation."""
    if not is_operation_name(anchor):
        raise InputError(
            f"expected an operation such as func.func before '(', found '{anchor}'"
            f"{did_you_mean(anchor, ['builtin.module', 'func.func', 'gpu.module', 'gpu.func'])}"
        )
    if anchor == "any" or context.allow_unregistered_dialects:
        return
    if not context.is_registered_operation(anchor):
        load_extensions(context, {anchor.partition(".")[0]})
    if not context.is_registered_operation(anchor):
        raise InputError(
            f"unknown operation '{anchor}' in the pass pipeline"
            f"{did_you_mean(anchor, operation_names(anchor.partition('.')[0]))}"
        )


def _resolve_element(element: Element, anchor: str, context: Any, origin: str) -> list[Step]:
    """Resolve one name: a pass of ours, a named pipeline of ours, or the bindings'."""
    from fsa.pipelines.registry import PIPELINES, make_pipeline

    if element.name in registry.PASSES:
        instance = registry.make_pass(element.name, element.options)
        return [_anchored(PythonStep(instance, origin), instance.anchor, anchor)]
    if element.name in PIPELINES:
        if anchor != "builtin.module":
            raise InputError(
                f"pipeline '{element.name}' runs on builtin.module, found it nested in {anchor}"
            )
        pipeline = make_pipeline(element.name, element.options)
        steps: list[Step] = []
        for phase in pipeline.all_phases():
            where = f"phase '{phase.name}' of {element.name}"
            steps += resolve(Nest(anchor, parse_elements(phase.passes)), context, where).steps
        return steps
    return [_resolve_upstream(UpstreamStep(element.name, element.options, origin), anchor, context)]


def _anchored(step: PythonStep | UpstreamStep, wanted: str, anchor: str) -> Step:
    """Nest `step` in the op that it runs on, as mlir-opt does, where that is not `anchor`."""
    if wanted in ("any", anchor) or anchor == "any":
        return step
    if wanted == "builtin.module":
        raise InputError(f"pass '{step.name}' runs on builtin.module, found it nested in {anchor}")
    return NestStep(wanted, (step,))


def parse_upstream(text: str, context: Any) -> Any:
    """Return the PassManager for `text`; raise ValueError with the bindings' own words."""
    try:
        return passmanager.PassManager.parse(text, context)
    except ValueError as error:
        if "does not refer to a registered pass" not in str(error):
            raise
    load_extensions(None, {"torch", "stablehlo"})
    return passmanager.PassManager.parse(text, context)


def _resolve_upstream(step: UpstreamStep, anchor: str, context: Any) -> Step:
    """Let the bindings check name, options and nesting of a C++ pass."""
    known = upstream_passes().get(step.name, {})
    if known.get("pipeline") and known["anchor"] not in ("any", anchor) and anchor != "any":
        # The bindings end the process at a pipeline in the wrong place instead of refusing it.
        return _anchored(step, known["anchor"], anchor)
    try:
        parse_upstream(f"{anchor}({step})", context)
        return step
    except ValueError as error:
        text = str(error)
    restricted = re.search(r"restricted to '([^']+)'", text)
    if restricted is not None and restricted[1] != anchor:
        nested = _anchored(step, restricted[1], anchor)
        _resolve_upstream(step, restricted[1], context)
        return nested
    if "does not refer to a registered pass" in text:
        raise UnknownName(step.name)
    option = re.search(r"no such option (\S+)", text)
    if option is not None:
        options = upstream_options(step.name)
        hint = did_you_mean(option[1], options) or (
            f"; it takes {', '.join(options)}" if options else ""
        )
        raise InputError(f"pass '{step.name}': unknown option '{option[1]}'{hint}")
    detail = "; ".join(line.strip() for line in text.splitlines() if line.strip())
    raise InputError(f"pass '{step.name}' cannot be set up: {detail}")


def known_names() -> list[str]:
    """Return the names of all passes and pipelines, ours first."""
    from fsa.pipelines.registry import PIPELINES

    return [*registry.PASSES, *PIPELINES, *upstream_passes()]


def expand(step: UpstreamStep, anchor: str, context: Any) -> tuple[Step, ...]:
    """Return the single passes that a C++ pipeline stands for (a pass stands for itself)."""
    text = str(parse_upstream(f"{anchor}({step})", context))
    nest = parse_elements(text)[0]
    if not isinstance(nest, Nest):
        raise TypeError(f"the bindings printed a pipeline without an anchor: {text}")
    if len(nest.elements) == 1 and isinstance(nest.elements[0], Element):
        if nest.elements[0].name == step.name:
            return (step,)
    return tuple(_expanded(element, step.origin) for element in nest.elements)


def _expanded(element: Element | Nest, origin: str) -> Step:
    """Turn an element that the bindings printed into a step, without another check."""
    if isinstance(element, Nest):
        return NestStep(element.anchor, tuple(_expanded(e, origin) for e in element.elements))
    return UpstreamStep(element.name, element.options, origin)


def pretty_pipeline(nest: NestStep) -> str:
    """Return `nest` over several lines, as mlir-opt dumps a pipeline."""
    return f"Pass Manager with {len(nest.steps)} passes:\n{_indented(nest, 0)}"


def _indented(step: Step, depth: int) -> str:
    """Return `step` with its nested steps on lines of their own."""
    indent = "  " * depth
    if not isinstance(step, NestStep):
        return f"{indent}{step}"
    inner = ",\n".join(_indented(inside, depth + 1) for inside in step.steps)
    return f"{indent}{step.anchor}(\n{inner}\n{indent})"


def expand_all(nest: NestStep, context: Any) -> NestStep:
    """Return `nest` with every C++ pipeline in it replaced by its single passes."""
    steps: list[Step] = []
    for step in nest.steps:
        if isinstance(step, NestStep):
            steps.append(expand_all(step, context))
        elif isinstance(step, UpstreamStep):
            steps.extend(expand(step, nest.anchor, context))
        else:
            steps.append(step)
    return replace(nest, steps=tuple(steps))

"""From an imported module to linalg: the bindings' own passes, rehearsed, with errors kept."""

import re
from typing import Any

from fsa.errors import InputError
from fsa.frontend.failing_nodes import failing_nodes
from fsa.frontend.interface import mark_unsigned_results
from fsa.frontend.isolation import Crashed, run_isolated
from fsa.frontend.partial_lowerings import refuse_partial, refuse_wrong
from fsa.frontend.passes import run_passes
from fsa.frontend.torch_custom_ops import remaining_ops
from fsa.frontend.torch_views import flatten_views

_RESULT_TYPE = re.compile(
    r"type of return operand (\d+) \('!torch\.vtensor<\[([^\]]*)\],[^']*'\) "
    r"doesn't match function result type"
)


class ResultTypeError(InputError):
    """A graph declares other sizes of result `index` than `sizes`, those that the passes find.

    None stands for a size that is not known before the graph runs.
    """

    def __init__(self, text: str, index: int, sizes: list[int | None]):
        super().__init__(text)
        self.index = index
        self.sizes = sizes


def lower_imported(module: Any, pipeline: str, what: str) -> None:
    """Lower `module` in place through `pipeline`; `what` names it in the error ("the ONNX graph").

    Raises `InputError` with all nodes that cannot be lowered, else with the errors of the passes,
    `ResultTypeError` where only a declared type is wrong. A failed `module` is of no further use.
    """
    from fsa.bindings import ir

    refuse_wrong(module, what)
    mark_unsigned_results(module, ir)
    flatten_views(module)
    errors = _rehearse(module, pipeline)
    rehearsed = not errors
    if rehearsed:
        errors = run_passes(module, pipeline)
    if not errors:
        refuse_partial(module, what)
        left = remaining_ops(module)
        if left:
            raise InputError(
                f"{what} cannot be lowered: expected ops of linalg, found {'; '.join(left)}"
            )
        return
    declared = _RESULT_TYPE.match(errors[0])
    if declared is not None:
        sizes = [None if size == "?" else int(size) for size in declared[2].split(",") if size]
        raise ResultTypeError(
            f"{what} cannot be lowered: result {declared[1]} has not the sizes that are declared",
            int(declared[1]),
            sizes,
        )
    # Passes that ran here have changed the module.
    found = [] if rehearsed else failing_nodes(module, pipeline, errors)
    raise InputError(f"{what} cannot be lowered: {'; '.join(found or errors)}")


def _rehearse(module: Any, pipeline: str) -> list[str]:
    """Return the errors of `pipeline` on `module`, which stays as it is."""
    try:
        return run_isolated(lambda: run_passes(module, pipeline))
    except Crashed as crash:
        return [f"torch-mlir crashed with {crash}"]
    except RuntimeError as error:
        return [str(error)]

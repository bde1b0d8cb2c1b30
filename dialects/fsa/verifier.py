"""The base of all fsa ops: their verifier and the one way to build them.

MLIR calls `verify_invariants` before IRDL's own checks, so counts, kinds and ranks may be anything.
`VerifiedOp` does the structural checks first, then calls the op's `constraints`, and turns every
exception into a diagnostic. An op states a rule with `require(label, condition, text)`; `label` is
the constraint's name in SPEC.md, and the text says what was expected and what was found.
"""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa import structure
from fsa.dialects.fsa.attributes import DICTIONARY, Attributes, Kind
from fsa.dialects.fsa.dialect import Fsa
from fsa.dialects.fsa.shapes import (
    Extent,
    Extents,
    Inputs,
    ShapeBuilder,
    TypeExtents,
    shown,
    tensor_type,
    type_dims,
)


class Violation(Exception):
    """A constraint of SPEC.md does not hold."""

    def __init__(self, label: str, text: str):
        super().__init__(f"[{label}] {text}")


def require(label: str, condition: bool, text: str) -> None:
    """Raise `Violation` unless `condition`; `text` is one clause: expected ..., found ...."""
    if not condition:
        raise Violation(label, text)


def require_shape(label: str, value: Any, expected: Sequence[Extent], what: str) -> None:
    """Raise `Violation` unless the tensor `value` has exactly the extents `expected`."""
    found = type_dims(value.type)
    require(
        label,
        found == list(expected),
        f"expected {what} to have shape {shown(expected)}, found {shown(found)}",
    )


class VerifiedOp(Fsa.Operation):
    """Base of every fsa op: structural checks, then the op's own `constraints`.

    `ELEMENTS` gives the element class of each tensor field, `ATTRIBUTES` and `OPTIONAL` the kinds
    of the attributes that must and may be there. Every op may carry a `plan`.
    """

    ELEMENTS = dict[str, str]()
    ATTRIBUTES = dict[str, Kind]()
    OPTIONAL = dict[str, Kind]()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Pass `name` and `traits` on to the bindings: type checkers cannot see their signature."""
        super().__init_subclass__(**kwargs)

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check the op's labelled constraints; raise `Violation`. `op` is an `ir.Operation`."""

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return the extents of each result, computed by `extents`."""
        raise NotImplementedError

    @classmethod
    def result_shape(cls, op: Any, builder: ShapeBuilder) -> list[list[Extent]]:
        """Return the extents of each result of `op`: ints, and index values made by `builder`."""
        return cls.result_dims(Inputs.of(op), builder)

    @classmethod
    def build(
        cls,
        operands: Sequence[Any],
        attributes: Attributes,
        element: Any,
        *,
        loc: Any = None,
        ip: Any = None,
    ) -> Any:
        """Create the op with one result of inferred shape and element type `element`; return it."""
        dims = cls.result_dims(Inputs(operands, attributes, [element]), TypeExtents())
        created = ir.Operation.create(
            cls.OPERATION_NAME,
            results=[tensor_type(dims[0], element)],
            operands=list(operands),
            attributes=dict(attributes),
            loc=loc,
            ip=ip,
        )
        return created.result

    @classmethod
    def verify_invariants(cls, op: Any) -> bool:
        """Entry point called by MLIR; emits one error and returns False when a rule is broken."""
        try:
            optional = {**cls.OPTIONAL, "plan": DICTIONARY}
            structure.check(op, cls._fields, cls.ELEMENTS, cls.ATTRIBUTES, optional)
            cls.constraints(op)
        except (Violation, structure.Malformed) as problem:
            op.location.emit_error(f"'{op.name}' op {problem}")
            return False
        except Exception as error:
            op.location.emit_error(
                f"'{op.name}' op cannot be verified: {type(error).__name__}: {error}"
            )
            return False
        return True

    @classmethod
    def require_result_shape(cls, label: str, op: Any) -> None:
        """Raise `Violation` unless the only result has the shape that the operands imply."""
        expected = cls.result_dims(Inputs.of(op), TypeExtents())[0]
        require_shape(label, op.results[0], expected, "the result")

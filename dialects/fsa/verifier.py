"""The verifier that all fsa ops share.

MLIR calls `verify_invariants` before IRDL's own checks, so counts, kinds and ranks may be anything.
`VerifiedOp` does the structural checks first, then calls the op's `constraints`, and turns every
exception into a diagnostic. An op states a rule with `require(label, condition, text)`; `label` is
the constraint's name in SPEC.md, and the text says what was expected and what was found.
"""

from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import Fsa


class Violation(Exception):
    """A constraint of SPEC.md does not hold."""

    def __init__(self, label: str, text: str):
        super().__init__(f"[{label}] {text}")


def require(label: str, condition: bool, text: str) -> None:
    """Raise `Violation` unless `condition`; `text` is one clause: expected ..., found ...."""
    if not condition:
        raise Violation(label, text)


class VerifiedOp(Fsa.Operation):
    """Base of every fsa op: structural checks, then the op's own `constraints`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Pass `name` and `traits` on to the bindings: type checkers cannot see their signature."""
        super().__init_subclass__(**kwargs)

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check the op's labelled constraints; raise `Violation`. `op` is an `ir.Operation`."""

    @classmethod
    def verify_invariants(cls, op: Any) -> bool:
        """Entry point called by MLIR; emits one error and returns False when a rule is broken."""
        try:
            cls.constraints(op)
        except Violation as violation:
            op.location.emit_error(f"'{op.name}' op {violation}")
            return False
        except Exception as error:
            op.location.emit_error(f"'{op.name}' op cannot be verified: {error}")
            return False
        return True


def ranked(label: str, value: Any, what: str) -> Any:
    """Return `value`'s type as a `RankedTensorType`, or raise `Violation` under `label`."""
    require(
        label,
        isinstance(value.type, ir.RankedTensorType),
        f"expected {what} to be a ranked tensor, found {value.type}",
    )
    return value.type

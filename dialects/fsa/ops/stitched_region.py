"""`fsa.stitched_region` and `fsa.yield`: a graph of memory-bound ops that becomes one kernel."""

import types
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa import variadic
from fsa.dialects.fsa.verifier import VerifiedOp


def _region_fields(namespace: dict[str, Any]) -> None:
    namespace["__doc__"] = "A graph of tensor ops, isolated from above, that becomes one kernel."
    namespace["__module__"] = __name__
    namespace["__annotations__"] = {
        **variadic.inputs(),
        **variadic.outputs(),
        "body": ext.Region,
    }


def _yield_fields(namespace: dict[str, Any]) -> None:
    namespace["__doc__"] = "Return values from an `fsa.stitched_region`."
    namespace["__module__"] = __name__
    namespace["__annotations__"] = variadic.inputs()


StitchedRegion = types.new_class(
    "StitchedRegion",
    (VerifiedOp,),
    {"name": "stitched_region", "traits": [ext.Pure, ir.IsIsolatedFromAboveTrait]},
    _region_fields,
)

Yield = types.new_class(
    "Yield",
    (VerifiedOp,),
    {"name": "yield", "traits": [ext.Pure, ir.IsTerminatorTrait]},
    _yield_fields,
)

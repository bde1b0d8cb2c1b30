"""Operators `torch.ops.fsa.*` on their way into the dialect.

The importer writes an operator that it does not know as `torch.operator "torch.fsa.<name>"` on
torch tensors, with constants for its attributes. `convert_custom_ops` makes each the op of the
dialect, between casts to builtin tensors that torch-mlir's passes take away again. Those passes end
with a check that nothing but upstream's dialects is left, which `without_contract` leaves out, and
`remaining_ops` takes over.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsa.errors import InputError
from fsa.frontend.torch_types import tensor_element, tensor_sizes
from fsa.locations import describe_location, place_of

_PREFIX = "torch.fsa."
_CONSTANTS = {"torch.constant.int", "torch.constant.float", "torch.constant.str"}
_CONTRACT = ",torch-verify-linalg-on-tensors-backend-contract"
# Sorts and scans in tm_tensor are left to IREE.
_LEFT = ("torch.", "torch_c.")


@dataclass(frozen=True)
class _Attribute:
    """An operator's argument that is an attribute of the op; left out where it is `default`."""

    name: str
    kind: str  # the function of dialects/fsa/attributes.py that makes it; "" for no attribute
    default: Any = None


@dataclass(frozen=True)
class _Op:
    """How many tensors an operator takes, what follows them, and how many that may be None last.

    `op` is the op of the dialect where it has another name than the operator.
    """

    tensors: int
    attributes: tuple[_Attribute, ...] = ()
    optional_tensors: int = 0
    op: str | None = None


_PAD = _Attribute("pad", "i64_array")
_STRIDES = _Attribute("strides", "i64_array")
_DILATIONS = _Attribute("dilations", "i64_array", [1, 1])
_EPSILON = _Attribute("epsilon", "f64")
_ROUTING = (_Attribute("iterations", "i64"), _Attribute("agreement", "string"), _EPSILON)
_OPS = {
    # The type of the result says the word width, and that of unpacked values.
    "pack_bits": _Op(1, (_Attribute("word_width", ""),)),
    "unpack_bits": _Op(1, (_Attribute("depth", "i64"), _Attribute("dtype", ""))),
    "binarized_matmul": _Op(2, (_Attribute("depth", "i64"),)),
    "binarized_conv2d": _Op(
        2,
        (
            _Attribute("channels", "i64"),
            _STRIDES,
            _PAD,
            _Attribute("pad_mode", "string"),
            _DILATIONS,
            _Attribute("groups", "i64", 1),
        ),
    ),
    "binarized_threshold": _Op(3),
    "binarized_max_pool2d": _Op(1, (_Attribute("kernel", "i64_array"), _STRIDES, _PAD, _DILATIONS)),
    "capsule_predict": _Op(2),
    "capsule_routing": _Op(1, _ROUTING, 1),
    "capsule_routing_with_coefficients": _Op(1, _ROUTING, 1, op="capsule_routing"),
    "squash": _Op(1, (_EPSILON,)),
}


def lower_torch(module: Any, pipeline: str, what: str) -> None:
    """Lower an imported `module` in the torch dialect to linalg and fsa ops, in place.

    `pipeline` are torch-mlir's passes, and `what` names the module in errors. Raises `InputError`
    for what cannot be lowered, with its location.
    """
    from fsa.frontend.lowering import lower_imported

    if not convert_custom_ops(module):
        lower_imported(module, pipeline, what)
        return
    with module.context:
        text = without_contract(pipeline)
    lower_imported(module, text, what)


def decompositions() -> dict[Any, Callable[..., Any]]:
    """Return what the operators without an op of their own decompose into; defines them all."""
    from fsa.torch_ops import DECOMPOSITIONS

    return dict(DECOMPOSITIONS)


def convert_custom_ops(module: Any) -> bool:
    """Make every `torch.fsa.*` operator of an imported `module` an op of the dialect, in place.

    Returns whether there were any. Raises `InputError` for an operator that the dialect does not
    have, and for an attribute that is computed at run time.
    """
    found: list[Any] = []

    def visit(op: Any) -> Any:
        from fsa.bindings import ir

        if op.name == "torch.operator" and op.attributes["name"].value.startswith(_PREFIX):
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    with module.context:
        for op in found:
            _convert(op)
    return bool(found)


def without_contract(pipeline: str) -> str:
    """Return the text of a torch-mlir pipeline, without the check that allows upstream's ops only.

    The dialects of the pipeline must be loaded in the current context.
    """
    from fsa.bindings import passmanager

    return str(passmanager.PassManager.parse(pipeline)).replace(_CONTRACT, "")


def remaining_ops(module: Any) -> list[str]:
    """Return each op that the front end did not lower, with its location."""
    left: list[str] = []

    def visit(op: Any) -> Any:
        from fsa.bindings import ir

        if op.name.startswith(_LEFT) and not op.name.endswith(".yield"):
            left.append(f"'{op.name}'{place_of(op)}")
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return left


def _convert(op: Any) -> None:
    """Put the op of the dialect in the place of one operator, which is erased."""
    from fsa.bindings import ir
    from fsa.dialects.fsa import attributes as attribute_makers

    name = op.attributes["name"].value.removeprefix(_PREFIX)
    known = _OPS.get(name)
    if known is None:
        raise InputError(
            f"expected an operator of fsa ({', '.join(_OPS)}), found fsa::{name}{place_of(op)}"
        )
    given = list(op.operands)
    end = len(given) - known.optional_tensors
    present = [*given[: known.tensors], *(value for value in given[end:] if not _is_none(value))]
    with op.location, ir.InsertionPoint(op):
        attributes: dict[str, Any] = {}
        for attribute, value in zip(known.attributes, given[known.tensors : end], strict=True):
            if attribute.kind:
                found = _constant(value, f"{attribute.name} of fsa::{name}", op.location)
                if attribute.default is None or found != attribute.default:
                    attributes[attribute.name] = getattr(attribute_makers, attribute.kind)(found)
        tensors = [
            _cast("torch_c.to_builtin_tensor", value, _builtin(value.type)) for value in present
        ]
        declared = [_builtin(result.type) for result in op.results]
        built = _built(known.op or name, tensors, attributes, declared)
        for old, result, type in zip(op.results, built, declared, strict=True):
            made = result if result.type == type else _cast("tensor.cast", result, type)
            old.replace_all_uses_with(_cast("torch_c.from_builtin_tensor", made, old.type))
    op.erase()


def _built(
    name: str, tensors: list[Any], attributes: dict[str, Any], declared: list[Any]
) -> list[Any]:
    """Build the op `name` and return its results, which have the element types of `declared`.

    Raises `InputError` with the constraint that its verifier names.
    """
    from fsa.bindings import ir
    from fsa.dialects.fsa.shapes import Inputs, TypeExtents, tensor_type

    op_module = importlib.import_module(f"fsa.dialects.fsa.ops.{name}")
    class_name = "".join(f"{word[0].upper()}{word[1:]}" for word in name.split("_"))
    op_class = getattr(op_module, class_name)
    elements = [type.element_type for type in declared]
    try:
        dims = op_class.result_dims(Inputs(tensors, attributes, elements), TypeExtents())
        results = [tensor_type(d, e) for d, e in zip(dims, elements, strict=True)]
    except (TypeError, ValueError):  # operands that the verifier refuses
        results = declared
    created = ir.Operation.create(
        op_class.OPERATION_NAME, results=results, operands=tensors, attributes=attributes
    )
    try:
        created.verify()
    except ir.MLIRError as error:
        reasons = "; ".join(
            " ".join(str(found.message).split()) for found in error.error_diagnostics
        )
        raise InputError(f"{reasons or error}{place_of(created)}") from None
    return list(created.results)


def _cast(name: str, value: Any, type: Any) -> Any:
    from fsa.bindings import ir

    return ir.Operation.create(name, results=[type], operands=[value]).result


def _builtin(type: Any) -> Any:
    """Return the builtin tensor type of a `!torch.vtensor` type; integers lose their sign."""
    from fsa.bindings import ir

    sizes, element = tensor_sizes(type), tensor_element(type)
    if sizes is None or element is None:
        raise InputError(f"expected a tensor of known rank and element type, found {type}")
    dims = "".join(f"{size}x" for size in sizes)
    element = element.replace("si", "i").replace("ui", "i")
    return ir.Type.parse(f"tensor<{dims}{element}>")


def _is_none(value: Any) -> bool:
    from fsa.bindings import ir

    owner = None if isinstance(value.owner, ir.Block) else value.owner.operation
    return owner is not None and owner.name == "torch.constant.none"


def _constant(value: Any, what: str, location: Any) -> Any:
    """Return the Python value of a torch constant; raise `InputError` when it is none."""
    from fsa.bindings import ir

    owner = None if isinstance(value.owner, ir.Block) else value.owner.operation
    if owner is not None and owner.name in _CONSTANTS:
        return owner.attributes["value"].value
    if owner is not None and owner.name == "torch.prim.ListConstruct":
        return [_constant(item, what, location) for item in owner.operands]
    raise InputError(
        f"expected a constant for {what}, found a value that is computed at run time at "
        f"{describe_location(str(location))}"
    )

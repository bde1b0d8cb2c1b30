"""Folds that hold for any operands: packing, windows of one pixel, plain attributes."""

from typing import Any

from fsa.bindings import arith, ir
from fsa.dialects.fsa.attributes import read_i64, read_i64_array, read_string, string
from fsa.dialects.fsa.ops.capsule_routing import is_batch_shared
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.patterns.scalars import is_non_negative
from fsa.passes.patterns.tensors import elementwise, scalar, sizes_of


def fold_algebra(op: Any) -> Any:
    """Return a value that `op`, of one result, can be replaced by, or None."""
    fold = {
        "fsa.pack_bits": _pack_of_unpack,
        "fsa.unpack_bits": _unpack_of_pack,
        "fsa.binarized_max_pool2d": _pool_of_pixels,
    }.get(op.name)
    return None if fold is None else fold(op)


def simplify_attributes(op: Any) -> bool:
    """Bring the attributes of `op` to the plain form of their meaning; tell whether any changed."""
    attributes = op.attributes
    changed = False
    if "dilations" in attributes and read_i64_array(attributes, "dilations") == (1, 1):
        del attributes["dilations"]
        changed = True
    if op.name == "fsa.binarized_conv2d":
        if "groups" in attributes and read_i64(attributes, "groups") == 1:
            del attributes["groups"]
            changed = True
        if read_string(attributes, "pad_mode") == "one" and not any(
            read_i64_array(attributes, "pad")
        ):
            attributes["pad_mode"] = string("zero")
            changed = True
    if op.name == "fsa.capsule_routing":
        one_sample = type_dims(op.operands[0].type)[0] == 1
        if one_sample and is_batch_shared(attributes):
            attributes["agreement"] = string("per_sample")
            changed = True
    return changed


def drop_unused_coefficients(op: Any) -> bool:
    """Build `op` anew without its coefficients where they are a result that nothing uses.

    Tell whether `op` was one, and is gone.
    """
    if op.name != "fsa.capsule_routing" or len(op.results) < 2 or list(op.results[1].uses):
        return False
    made = ir.Operation.create(
        op.name,
        results=[op.results[0].type],
        operands=list(op.operands),
        attributes={name: op.attributes[name] for name in op.attributes},
        loc=op.location,
        ip=ir.InsertionPoint(op),
    )
    op.results[0].replace_all_uses_with(made.result)
    op.erase()
    return True


def _defining(value: Any, name: str) -> Any:
    """Return the op `name` that `value` is the result of, or None."""
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != name:
        return None
    return value.owner.operation


def _pack_of_unpack(op: Any) -> Any:
    """Packing what was unpacked from words of the same type gives these words."""
    unpack = _defining(op.operands[0], "fsa.unpack_bits")
    if unpack is None or unpack.operands[0].type != op.results[0].type:
        return None
    return unpack.operands[0]


def _unpack_of_pack(op: Any) -> Any:
    """Unpacking what was packed is where(x >= 0, 1, -1), so NaN gives -1.

    Only for static shapes: linalg has no guard against a tensor that is empty at run time.
    """
    pack = _defining(op.operands[0], "fsa.pack_bits")
    type = op.results[0].type
    if pack is None or not type.has_static_shape:
        return None
    x = pack.operands[0]
    if type_dims(x.type) != type_dims(type):  # depth may be less than what was packed
        return None
    element = type.element_type

    def sign(value: Any) -> Any:
        return arith.select(is_non_negative(value), scalar(element, 1.0), scalar(element, -1.0))

    with op.location, ir.InsertionPoint(op):
        return elementwise(sizes_of(x), element, [x], sign)


def _pool_of_pixels(op: Any) -> Any:
    """The maximum over one pixel is that pixel."""
    ones = read_i64_array(op.attributes, "kernel") + read_i64_array(op.attributes, "strides")
    # Pads are below the kernel size, so they are 0.
    return op.operands[0] if ones == (1, 1, 1, 1) else None

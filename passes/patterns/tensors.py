"""Builders for linalg on tensors, for static and dynamic sizes alike.

A `Size` is a dimension of a tensor: an int where it is static, an index value where it is not.
Every function builds at the current insertion point and location.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fsa.bindings import arith, ir, linalg, scf, tensor
from fsa.dialects.fsa.shapes import tensor_type

Size = Any  # int | ir.Value of index type
Body = Callable[..., Any]


def index_constant(value: int) -> Any:
    """Return `value` as an index constant."""
    return arith.constant(ir.IndexType.get(), value)


def as_value(size: Size) -> Any:
    """Return a size as an index value."""
    return index_constant(size) if isinstance(size, int) else size


def size_of(value: Any, axis: int) -> Size:
    """Return one dimension of a tensor."""
    if value.type.is_dynamic_dim(axis):
        return tensor.dim(value, index_constant(axis))
    return value.type.get_dim_size(axis)


def sizes_of(value: Any) -> list[Size]:
    """Return the dimensions of a tensor."""
    return [size_of(value, axis) for axis in range(value.type.rank)]


def static_or_dynamic(sizes: Sequence[Size]) -> list[int]:
    """Return the sizes as a shape: the marker of a dynamic dimension where a size is a value."""
    dynamic = ir.ShapedType.get_dynamic_size()
    return [size if isinstance(size, int) else dynamic for size in sizes]


def dynamic_only(sizes: Sequence[Size]) -> list[Any]:
    """Return the sizes that are values."""
    return [size for size in sizes if not isinstance(size, int)]


def scalar(element: Any, value: float) -> Any:
    """Return a constant of an integer, index or float type."""
    return arith.constant(element, value)


def filled(sizes: Sequence[Size], element: Any, value: float) -> Any:
    """Return a tensor whose elements are all `value`."""
    return linalg.fill(scalar(element, value), outs=[tensor.empty(sizes, element)])


def dims(loops: int) -> list[Any]:
    """Return the loop variables d0, d1, ... of a nest of `loops` loops as affine expressions."""
    return [ir.AffineDimExpr.get(position) for position in range(loops)]


def iterator_array(kinds: Iterable[str]) -> Any:
    """Return the attribute that says "parallel" or "reduction" of each loop of a linalg op."""
    return ir.ArrayAttr.get(
        [ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in kinds]
    )


def generic(
    inputs: Sequence[tuple[Any, Sequence[Any]]],
    output: tuple[Any, Sequence[Any]],
    iterators: str,
    body: Body,
) -> Any:
    """Build a linalg.generic with one result and return the result.

    `inputs` and `output` pair a tensor with its subscripts (affine expressions of the loops);
    `iterators` has one letter a loop, p for parallel and r for reduction; `body` gets the elements,
    inputs first, and returns the new element.
    """
    kinds = {"p": "parallel", "r": "reduction"}
    operands = [*inputs, output]
    maps = [ir.AffineMap.get(len(iterators), 0, list(subscripts)) for _, subscripts in operands]
    init = output[0]
    op = linalg.GenericOp(
        [init.type],
        [value for value, _ in inputs],
        [init],
        ir.ArrayAttr.get([ir.AffineMapAttr.get(subscripts) for subscripts in maps]),
        iterator_array(kinds[letter] for letter in iterators),
    )
    block = op.regions[0].blocks.append(*[value.type.element_type for value, _ in operands])
    with ir.InsertionPoint(block):
        linalg.YieldOp([body(*block.arguments)])
    return op.results[0]


def elementwise(sizes: Sequence[Size], element: Any, inputs: Sequence[Any], body: Body) -> Any:
    """Apply `body` to corresponding elements of tensors of one shape."""
    loops = dims(len(sizes))
    return elementwise_of(sizes, element, [(value, loops) for value in inputs], body)


def elementwise_of(
    sizes: Sequence[Size],
    element: Any,
    inputs: Sequence[tuple[Any, Sequence[Any]]],
    body: Body,
) -> Any:
    """Apply `body` to elements of tensors, each read at its subscripts, for every position."""
    return generic(
        inputs,
        (tensor.empty(sizes, element), dims(len(sizes))),
        "p" * len(sizes),
        lambda *elements: body(*elements[:-1]),
    )


def split_last(value: Any, group: int) -> Any:
    """View [..., n * group] as [..., n, group]; the last dimension is static."""
    *leading, last = sizes_of(value)
    sizes = [*leading, last // group, group]
    axes = [[axis] for axis in range(len(leading))]
    return expand(value, [*axes, [len(leading), len(leading) + 1]], sizes)


def expand(value: Any, groups: Sequence[Sequence[int]], sizes: Sequence[Size]) -> Any:
    """View a tensor with more dimensions: `groups` lists the new axes of each old one."""
    return tensor.expand_shape(
        tensor_type(sizes, value.type.element_type),
        value,
        _reassociation(groups),
        dynamic_only(sizes),
        static_or_dynamic(sizes),
    )


def collapse(value: Any, groups: Sequence[Sequence[int]], sizes: Sequence[Size]) -> Any:
    """View a tensor with fewer dimensions: `groups` lists the old axes of each new one."""
    return tensor.collapse_shape(
        tensor_type(sizes, value.type.element_type), value, _reassociation(groups)
    )


def merge_last(value: Any) -> Any:
    """View [..., n, group] as [..., n * group]; the last two dimensions are static."""
    *leading, count, group = sizes_of(value)
    axes = [[axis] for axis in range(len(leading))]
    return collapse(value, [*axes, [len(leading), len(leading) + 1]], [*leading, count * group])


def _reassociation(groups: Sequence[Sequence[int]]) -> Any:
    i64 = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get(
        [ir.ArrayAttr.get([ir.IntegerAttr.get(i64, axis) for axis in group]) for group in groups]
    )


def first_of_last(value: Any, count: int) -> Any:
    """Return the first `count` elements along the last dimension."""
    *leading, last = sizes_of(value)
    return value if last == count else leading_part(value, [*leading, count])


def leading_part(value: Any, sizes: Sequence[Size]) -> Any:
    """Return the slice of `value` that starts at 0 in every dimension and has `sizes`."""
    return strided_part(value, sizes, [1] * len(sizes))


def strided_part(value: Any, sizes: Sequence[Size], strides: Sequence[int]) -> Any:
    """Return every `strides`-th element of `value` from 0 on, `sizes` of them."""
    return tensor.extract_slice(
        tensor_type(sizes, value.type.element_type),
        value,
        [],
        dynamic_only(sizes),
        [],
        [0] * len(sizes),
        static_or_dynamic(sizes),
        list(strides),
    )


def pad_last(value: Any, count: int, filler: float) -> Any:
    """Extend the last dimension, which is static, to `count` elements with `filler`."""
    *leading, last = sizes_of(value)
    if last == count:
        return value
    element, rank = value.type.element_type, len(leading) + 1
    op = tensor.PadOp(
        tensor_type([*leading, count], element),
        value,
        [],
        [],
        [0] * rank,
        [0] * len(leading) + [count - last],
    )
    block = op.regions[0].blocks.append(*[ir.IndexType.get()] * rank)
    with ir.InsertionPoint(block):
        tensor.YieldOp(scalar(element, filler))
    return op.result


def inserted(source: Any, destination: Any, offsets: Sequence[int]) -> Any:
    """Return `destination` with `source` written at `offsets`."""
    sizes = sizes_of(source)
    return tensor.insert_slice(
        source,
        destination,
        [],
        dynamic_only(sizes),
        [],
        list(offsets),
        static_or_dynamic(sizes),
        [1] * len(sizes),
    )


def cast_to(value: Any, wanted: Any) -> Any:
    """Return `value` as the type `wanted`, which differs at most in what is static."""
    return value if value.type == wanted else tensor.cast(wanted, value)


def any_zero(sizes: Sequence[Size]) -> Any:
    """Return an i1 that is true when one of the sizes (all values) is 0."""
    zero = index_constant(0)
    tests = [arith.cmpi(arith.CmpIPredicate.eq, size, zero) for size in sizes]
    result = tests[0]
    for test in tests[1:]:
        result = arith.ori(result, test)
    return result


def choose(condition: Any, types: Sequence[Any], then: Body, otherwise: Body) -> list[Any]:
    """Build an scf.if with results of `types`; `then` and `otherwise` build the values of each."""
    op = scf.IfOp(condition, list(types), has_else=True)
    for block, build in ((op.then_block, then), (op.else_block, otherwise)):
        with ir.InsertionPoint(block):
            scf.YieldOp(list(build()))
    return list(op.results)

"""Types of kernel values: what the builder asks about a type, and which types cross a launch.

The builder takes a Python number wherever it takes a value, so that constants fold before they
become IR: `Index` is a non-negative `int` or a value of `index` type, `Scalar` any number or value.
"""

from typing import Any, TypeAlias

from fsa.bindings import ir

Value: TypeAlias = Any  # an `ir.Value`
Index: TypeAlias = Any  # an `int`, or an `ir.Value` of type index
Scalar: TypeAlias = Any  # an `int`, `float` or `bool`, or an `ir.Value` (scalar or vector)


def element_type(of: Any) -> Any:
    """Return the element type of a value or type: of a vector, tensor or memref, or itself."""
    kind = of.type if isinstance(of, ir.Value) else of
    return ir.ShapedType(kind).element_type if isinstance(kind, ir.ShapedType) else kind


def is_vector(of: Any) -> bool:
    """Say whether a value or type is a vector."""
    return isinstance(of.type if isinstance(of, ir.Value) else of, ir.VectorType)


def is_float(of: Any) -> bool:
    """Say whether the element type of a value or type is a floating-point type."""
    return isinstance(element_type(of), ir.FloatType)


def is_index(of: Any) -> bool:
    """Say whether the element type of a value or type is `index`."""
    return isinstance(element_type(of), ir.IndexType)


def bit_width(of: Any) -> int:
    """Return the width of the element type in bits; an index counts as 64."""
    element = element_type(of)
    return 64 if isinstance(element, ir.IndexType) else element.width


def with_element(like: Any, element: Any) -> Any:
    """Return `element`, or the vector of `element` with the shape of the value or type `like`."""
    kind = like.type if isinstance(like, ir.Value) else like
    if isinstance(kind, ir.VectorType):
        return ir.VectorType.get(kind.shape, element)
    return element


def vector_type(lanes: int, element: Any) -> Any:
    """Return `vector<lanes x element>`."""
    return ir.VectorType.get([lanes], element)


def crossing_element(element: Any) -> Any:
    """Return the type under which elements cross a launch: i1 as i8, index as i64.

    Raises ValueError for a type that does not cross.
    """
    if isinstance(element, ir.IndexType):
        return ir.IntegerType.get_signless(64)
    if isinstance(element, ir.IntegerType) and element.width in (1, 8, 16, 32, 64):
        return ir.IntegerType.get_signless(max(element.width, 8))
    if isinstance(element, ir.F16Type | ir.BF16Type | ir.F32Type | ir.F64Type):
        return element
    raise ValueError(
        f"expected an element type that crosses a kernel launch (i1, i8, i16, i32, i64, index, "
        f"f16, bf16, f32 or f64), found {element}"
    )


def memref_type(tensor: Any) -> Any:
    """Return the memref under which a kernel sees a value of the ranked tensor type `tensor`."""
    return ir.MemRefType.get(list(tensor.shape), crossing_element(tensor.element_type))


def are_numbers(*operands: Scalar) -> bool:
    """Return whether all are Python numbers, none a value of the kernel."""
    return not any(isinstance(operand, ir.Value) for operand in operands)


def is_zero(scalar: Scalar) -> bool:
    """Return whether `scalar` is the Python integer 0."""
    return isinstance(scalar, int) and not isinstance(scalar, bool) and scalar == 0


def is_one(scalar: Scalar) -> bool:
    """Return whether `scalar` is the Python integer 1."""
    return isinstance(scalar, int) and not isinstance(scalar, bool) and scalar == 1

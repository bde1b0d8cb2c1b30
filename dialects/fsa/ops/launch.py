"""`fsa.launch`: run a kernel over a grid, tensors in and tensors out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith, ext, ir
from fsa.dialects.fsa import variadic
from fsa.dialects.fsa.attributes import SYMBOL, i64_array, i64_array_of, read_i64_array
from fsa.dialects.fsa.shapes import Extent, ShapeBuilder, type_dims
from fsa.dialects.fsa.verifier import VerifiedOp, require

MAX_GRID = 65535
CROSSING_ELEMENTS = ("i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64")


def crosses(element: Any) -> bool:
    """Tell whether tensors of element type `element` can be passed to a kernel."""
    return str(element) in CROSSING_ELEMENTS


class Launch(VerifiedOp, name="launch", traits=[ext.Pure]):
    """Run the kernel `kernel` with a grid of workgroups.

    Tensors are in the numbered fields `input_*` and `output_*`; `result_dims` are the `?` of the
    results in order. docs/kernel-abi.md says what the kernel sees.
    """

    __annotations__ = {
        "grid_x": ext.Operand[ir.IndexType],
        "grid_y": ext.Operand[ir.IndexType],
        "grid_z": ext.Operand[ir.IndexType],
        "result_dims": Sequence[ext.Operand[ir.IndexType]],
        "scalars": Sequence[ext.Operand[ir.IntegerType]],
        **variadic.inputs(),
        **variadic.outputs(),
        "kernel": Any,  # SymbolRefAttr
        "workgroup_size": Any,  # DenseI64ArrayAttr: x, y, z
    }

    ATTRIBUTES = {"kernel": SYMBOL, "workgroup_size": i64_array_of(3)}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check launch_c1 to launch_c7."""
        operands = LaunchOperands.of(op)
        # launch_c1: a grid and dimensions are counts.
        for value in (*operands.grid, *operands.result_dims):
            require(
                "launch_c1",
                isinstance(value.type, ir.IndexType),
                f"expected grid and result_dims to be of type index, found {value.type}",
            )
        # launch_c2: scalars cross as 32-bit words.
        for value in operands.scalars:
            require(
                "launch_c2",
                str(value.type) == "i32",
                f"expected scalars of type i32, found {value.type}",
            )
        # launch_c3: tensors cross as dense memory of whole bytes.
        for value in (*operands.inputs, *op.results):
            require(
                "launch_c3",
                isinstance(value.type, ir.RankedTensorType)
                and value.type.encoding is None
                and crosses(value.type.element_type),
                "expected inputs and outputs to be ranked dense tensors of "
                f"{', '.join(CROSSING_ELEMENTS)}, found {value.type}",
            )
        # launch_c4: every ? of a result has its size.
        dynamic = sum(type_dims(result.type).count(None) for result in op.results)
        require(
            "launch_c4",
            len(operands.result_dims) == dynamic,
            f"expected {dynamic} result_dims, one for each ? of the results, "
            f"found {len(operands.result_dims)}",
        )
        # launch_c5: a workgroup has invocations.
        size = read_i64_array(op.attributes, "workgroup_size")
        require(
            "launch_c5",
            min(size) >= 1,
            f"expected workgroup_size to have positive sizes, found {list(size)}",
        )
        # launch_c6: every device can run a grid of this size.
        for value in operands.grid:
            known = _constant(value)
            require(
                "launch_c6",
                known is None or 0 <= known <= MAX_GRID,
                f"expected grid sizes in [0, {MAX_GRID}], found {known}",
            )
        # launch_c7: a kernel without results has no use.
        require("launch_c7", len(op.results) >= 1, "expected at least one output, found 0")

    @classmethod
    def result_shape(cls, op: Any, builder: ShapeBuilder) -> list[list[Extent]]:
        """Return the extents of each result: the `?` are `result_dims` in order."""
        given = iter(LaunchOperands.of(op).result_dims)
        return [
            [next(given) if extent is None else extent for extent in type_dims(result.type)]
            for result in op.results
        ]


@dataclass(frozen=True)
class LaunchOperands:
    """The operands of a launch by their role."""

    grid: list[Any]
    result_dims: list[Any]
    scalars: list[Any]
    inputs: list[Any]

    @classmethod
    def of(cls, op: Any) -> "LaunchOperands":
        """Return the operands of `op`, an `fsa.launch` whose segment sizes are right."""
        operands = list(op.operands)
        dims, scalars = list(op.attributes["operandSegmentSizes"])[3:5]
        tensors = 3 + dims + scalars
        return cls(
            operands[:3], operands[3 : 3 + dims], operands[3 + dims : tensors], operands[tensors:]
        )


def _constant(value: Any) -> int | None:
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        return None
    return int(value.owner.attributes["value"].value)


def launch(
    kernel: str | Sequence[str],
    *,
    grid: Sequence[Any],
    inputs: Sequence[Any],
    result_types: Sequence[Any],
    result_dims: Sequence[Any] = (),
    scalars: Sequence[Any] = (),
    workgroup_size: Sequence[int] = (1, 1, 1),
    loc: Any = None,
    ip: Any = None,
) -> Launch:
    """Build `fsa.launch`; raise ValueError for more tensors than the op can take.

    `kernel` is a symbol, or the symbols that lead to it (`["kernels", "k"]` for `@kernels::@k`);
    `grid` has three ints or index values, x, y, z.
    """
    path = [kernel] if isinstance(kernel, str) else list(kernel)
    index = ir.IndexType.get()
    sizes = [
        arith.constant(index, size, loc=loc, ip=ip) if isinstance(size, int) else size
        for size in grid
    ]
    return Launch(
        *sizes,
        list(result_dims),
        list(scalars),
        *variadic.padded(list(inputs), variadic.MAX_INPUTS, "inputs"),
        *variadic.padded(list(result_types), variadic.MAX_OUTPUTS, "outputs"),
        ir.SymbolRefAttr.get(path),
        i64_array(workgroup_size),
        loc=loc,
        ip=ip,
    )

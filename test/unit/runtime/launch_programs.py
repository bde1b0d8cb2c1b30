"""Hand-written programs that launch kernels, as text; sizes are given as `?` or a number."""

from __future__ import annotations


def launch(result: str, kernel: str, operands: list[tuple[str, str]], results: str, **given) -> str:
    """Return the text of an `fsa.launch`.

    `operands` are (value, type): three grid sizes, `dims` result sizes, `scalars` scalars, inputs.
    """
    dims, scalars = given.get("dims", 0), given.get("scalars", 0)
    inputs = len(operands) - 3 - dims - scalars
    count = results.count("tensor<")
    segments = [1, 1, 1, dims, scalars, *[1] * inputs, *[0] * (32 - inputs)]
    outputs = [*[1] * count, *[0] * (16 - count)]
    size = ", ".join(map(str, given.get("workgroup_size", (1, 1, 1))))
    values = ", ".join(value for value, _ in operands)
    types = ", ".join(type_ for _, type_ in operands)
    return (
        f'{result} = "fsa.launch"({values}) {{kernel = {kernel}, '
        f"workgroup_size = array<i64: {size}>, "
        f"operandSegmentSizes = array<i32: {', '.join(map(str, segments))}>, "
        f"resultSegmentSizes = array<i32: {', '.join(map(str, outputs))}>}} "
        f": ({types}) -> {results}"
    )


def vector_exp(rows: str = "?") -> str:
    """Return a CPU program: 2 * exp(x) of `tensor<rows x 16 x f32>`, 64 rows a workgroup."""
    tensor = f"tensor<{rows}x16xf32>"
    memref = f"memref<{rows}x16xf32>"
    dims = [("%n", "index")] if rows == "?" else []
    run = launch(
        "%r",
        "@vector_exp",
        [("%g", "index"), ("%c1", "index"), ("%c1", "index"), *dims, ("%x", tensor)],
        tensor,
        dims=len(dims),
    )
    return f"""
func.func private @vector_exp(%a: {memref}, %b: {memref}, %x: index, %y: index, %z: index)
    attributes {{fsa.kernel = "cpu"}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %n = memref.dim %a, %c0 : {memref}
  %low = arith.muli %x, %c64 : index
  %next = arith.addi %low, %c64 : index
  %high = arith.minsi %next, %n : index
  scf.for %i = %low to %high step %c1 {{
    %v = vector.load %a[%i, %c0] : {memref}, vector<16xf32>
    %e = math.exp %v : vector<16xf32>
    vector.store %e, %b[%i, %c0] : {memref}, vector<16xf32>
  }}
  return
}}
func.func @main(%x: {tensor}) -> {tensor} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %n = tensor.dim %x, %c0 : {tensor}
  %g = arith.ceildivui %n, %c64 : index
  {run}
  %twice = arith.addf %r, %r : {tensor}
  return %twice : {tensor}
}}
"""


def reverse_rows(rows: str = "?") -> str:
    """Return a GPU program: rows of `tensor<rows x 64 x i32>` reversed in shared memory, plus 5."""
    tensor = f"tensor<{rows}x64xi32>"
    memref = f"memref<{rows}x64xi32>"
    dims = [("%n", "index")] if rows == "?" else []
    one = ("%c1", "index")
    run = launch(
        "%r",
        "@kernels::@reverse",
        [("%n", "index"), one, one, *dims, ("%five", "i32"), ("%x", tensor)],
        tensor,
        dims=len(dims),
        scalars=1,
        workgroup_size=(64, 1, 1),
    )
    return f"""
gpu.module @kernels {{
  gpu.func @reverse(%add: i32, %a: {memref}, %b: {memref})
      workgroup(%shared: memref<64xi32, #gpu.address_space<workgroup>>) kernel {{
    %c63 = arith.constant 63 : index
    %row = gpu.block_id x
    %lane = gpu.thread_id x
    %v = memref.load %a[%row, %lane] : {memref}
    memref.store %v, %shared[%lane] : memref<64xi32, #gpu.address_space<workgroup>>
    gpu.barrier
    %other = arith.subi %c63, %lane : index
    %u = memref.load %shared[%other] : memref<64xi32, #gpu.address_space<workgroup>>
    %sum = arith.addi %u, %add : i32
    memref.store %sum, %b[%row, %lane] : {memref}
    gpu.return
  }}
}}
func.func @main(%x: {tensor}) -> {tensor} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %five = arith.constant 5 : i32
  %n = tensor.dim %x, %c0 : {tensor}
  {run}
  return %r : {tensor}
}}
"""

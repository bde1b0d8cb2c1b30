"""Small kernels, one for each kind of op that kernels use, with what they compute in NumPy.

A body reads `%a: memref<64 x element>` and writes `%b` of the same type. Scalar cases run for each
`%i` in 0..63; the others run once. `%c0`, `%c1`, `%c16` and `%c64` are index constants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import erf
from typing import Any

import ml_dtypes
import numpy as np

ALL = ("cpu", "vulkan", "vulkan:ampere", "cuda")
CPU_CUDA = ("cpu", "cuda")
GPUS = ("vulkan", "vulkan:ampere", "cuda")
NUMPY = {
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f32": np.float32,
    "f64": np.float64,
    "i32": np.int32,
    "i64": np.int64,
}
VECTOR_PASSES = {
    "cpu": "iree-codegen-llvmcpu-vector-lowering-pipeline",
    "cuda": "iree-llvmgpu-vector-lowering",
    "vulkan": "iree-codegen-optimize-vector-transfer,iree-spirv-initial-vector-lowering,"
    "iree-spirv-final-vector-lowering",
}


@dataclass(frozen=True)
class Case:
    """A kernel body. `passes` are the targets on which it asks for IREE's vector passes."""

    name: str
    body: str
    compute: Callable[[Any], Any]
    targets: tuple[str, ...] = ALL
    element: str = "f32"
    lanes: int = 64
    shared: bool = False
    passes: tuple[str, ...] = ()

    def program(self, target: str) -> str:
        """Return the whole module for `target`."""
        on_cpu = target.startswith("cpu")
        memref, tensor = f"memref<64x{self.element}>", f"tensor<64x{self.element}>"
        kind = target.partition(":")[0]
        marks = {"fsa.kernel": '"cpu"'} if on_cpu else {}
        if target in self.passes:
            marks["fsa.codegen_pipeline"] = f'"{VECTOR_PASSES[kind]}"'
        attributes = ", ".join(f"{name} = {value}" for name, value in marks.items())
        constants = "\n".join(f"%c{n} = arith.constant {n} : index" for n in (0, 1, 16, 64))
        if on_cpu:
            kernel = f"""
func.func private @k(%a: {memref}, %b: {memref}, %i: index, %idy: index, %idz: index)
    attributes {{{attributes}}} {{
{constants}
{self.body}
return
}}"""
        else:
            space = "#gpu.address_space<workgroup>"
            shared = f" workgroup(%s: memref<64x{self.element}, {space}>)" if self.shared else ""
            kernel = f"""
gpu.module @kernels {{
gpu.func @k(%a: {memref}, %b: {memref}){shared} kernel attributes {{{attributes}}} {{
{constants}
%i = gpu.thread_id x
{self.body}
gpu.return
}}
}}"""
        grid = self.lanes if on_cpu else 1
        return f"""{kernel}
func.func @main(%x: {tensor}) -> {tensor} {{
  %c1 = arith.constant 1 : index
  %g = arith.constant {grid} : index
  %r = "fsa.launch"(%g, %c1, %c1, %x) {{
    kernel = {"@k" if on_cpu else "@kernels::@k"},
    workgroup_size = array<i64: {1 if on_cpu else self.lanes}, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1{", 0" * 31}>,
    resultSegmentSizes = array<i32: 1{", 0" * 15}>
  }} : (index, index, index, {tensor}) -> {tensor}
  return %r : {tensor}
}}"""


def scalar(name: str, ops: str, compute: Callable[[Any], Any], **given: Any) -> Case:
    """Return a case that maps the scalar `%v` to `%r`."""
    element = given.get("element", "f32")
    body = f"""%v = memref.load %a[%i] : memref<64x{element}>
{ops}
memref.store %r, %b[%i] : memref<64x{element}>"""
    return Case(name, body, compute, **given)


def vector(name: str, ops: str, compute: Callable[[Any], Any], **given: Any) -> Case:
    """Return a case that maps `%v : vector<16>` to `%r`, sixteen elements at a time."""
    element = given.get("element", "f32")
    body = f"""scf.for %j = %c0 to %c64 step %c16 {{
%v = vector.load %a[%j] : memref<64x{element}>, vector<16x{element}>
{ops}
vector.store %r, %b[%j] : memref<64x{element}>, vector<16x{element}>
}}"""
    given = {"targets": CPU_CUDA, **given}
    return Case(name, body, compute, lanes=1, **given)


def _popcount(x: Any) -> Any:
    return np.bitwise_count(x.view(f"u{x.itemsize}")).astype(x.dtype)


def _matrix(x: Any) -> Any:
    return x.reshape(8, 8)


EXP = "%r = math.exp %v : {0}"
CASES = (
    scalar(
        "arith",
        """%h = arith.constant 0.5 : f32
%m = arith.mulf %v, %h : f32
%p = arith.cmpf ogt, %v, %h : f32
%n = arith.negf %v : f32
%q = arith.select %p, %m, %n : f32
%r = arith.maximumf %q, %h : f32""",
        lambda x: np.maximum(np.where(x > 0.5, x * 0.5, -x), 0.5),
    ),
    *(
        scalar(f"math-{name}", f"%r = math.{name} %v : f32", compute)
        for name, compute in {
            "exp": np.exp,
            "erf": np.vectorize(erf),
            "tanh": np.tanh,
        }.items()
    ),
    scalar(
        "math-rsqrt",
        "%n = math.absf %v : f32\n%r = math.rsqrt %n : f32",
        lambda x: 1 / np.sqrt(np.abs(x)),
    ),
    *(
        scalar(
            f"float-{element}",
            f"%r = arith.addf %v, %v : {element}",
            lambda x: x + x,
            element=element,
            targets=targets,
        )
        for element, targets in (("f16", ("cpu", "vulkan:ampere", "cuda")), ("bf16", ALL))
    ),
    scalar("float-f64", EXP.format("f64"), np.exp, element="f64", targets=CPU_CUDA),
    scalar(
        "i32",
        """%t = arith.constant 3 : i32
%u = arith.shrui %v, %t : i32
%w = arith.xori %u, %v : i32
%r = math.ctpop %w : i32""",
        lambda x: _popcount((x.view(np.uint32) >> 3).view(np.int32) ^ x),
        element="i32",
    ),
    scalar(
        "i64",
        "%r = math.ctpop %v : i64",
        _popcount,
        element="i64",
        targets=("cpu", "vulkan:ampere", "cuda"),
    ),
    scalar(
        "scf-for-if",
        """%r = scf.for %j = %c0 to %c16 step %c1 iter_args(%s = %v) -> (f32) {
  %z = arith.constant 0.0 : f32
  %p = arith.cmpf olt, %s, %z : f32
  %n = scf.if %p -> (f32) {
    scf.yield %z : f32
  } else {
    %t = arith.addf %s, %v : f32
    scf.yield %t : f32
  }
  scf.yield %n : f32
}""",
        lambda x: np.where(x < 0, x, 17 * x),
    ),
    Case(
        "affine-and-subview",
        """%j = affine.apply affine_map<(d0) -> (63 - d0)>(%i)
%w = memref.subview %a[%j] [1] [1] : memref<64xf32> to memref<1xf32, strided<[1], offset: ?>>
%v = memref.load %w[%c0] : memref<1xf32, strided<[1], offset: ?>>
memref.store %v, %b[%i] : memref<64xf32>""",
        lambda x: x[::-1],
    ),
    Case(
        "local-buffer",
        """%l = memref.alloca() : memref<64xf32>
scf.for %j = %c0 to %c64 step %c1 {
  %v = memref.load %a[%j] : memref<64xf32>
  memref.store %v, %l[%j] : memref<64xf32>
}
scf.for %j = %c0 to %c64 step %c1 {
  %k = affine.apply affine_map<(d0) -> (63 - d0)>(%j)
  %v = memref.load %l[%k] : memref<64xf32>
  memref.store %v, %b[%j] : memref<64xf32>
}""",
        lambda x: x[::-1],
        targets=CPU_CUDA,
        lanes=1,
    ),
    Case(
        "local-buffers-begin-with-a-line",
        """%l = memref.alloca() : memref<5xf32>
%m = memref.alloca() : memref<64xf32>
%p = memref.extract_aligned_pointer_as_index %l : memref<5xf32> -> index
%q = memref.extract_aligned_pointer_as_index %m : memref<64xf32> -> index
%or = arith.ori %p, %q : index
%rest = arith.remui %or, %c64 : index
%word = arith.index_cast %rest : index to i32
%v = arith.sitofp %word : i32 to f32
scf.for %j = %c0 to %c64 step %c1 {
  memref.store %v, %l[%c0] : memref<5xf32>
  memref.store %v, %m[%j] : memref<64xf32>
  %w = memref.load %m[%j] : memref<64xf32>
  memref.store %w, %b[%j] : memref<64xf32>
}""",
        np.zeros_like,
        targets=("cpu",),
        lanes=1,
    ),
    Case(
        "atomic",
        """%z = arith.constant 0.0 : f32
scf.for %j = %c0 to %c64 step %c1 {
  memref.store %z, %b[%j] : memref<64xf32>
}
scf.for %j = %c0 to %c64 step %c1 {
  %v = memref.load %a[%j] : memref<64xf32>
  %o = memref.atomic_rmw addf %v, %b[%j] : (f32, memref<64xf32>) -> f32
}""",
        lambda x: x,
        targets=CPU_CUDA,
        lanes=1,
    ),
    vector("vector-math", EXP.format("vector<16xf32>"), np.exp),
    vector(
        "vector-compare-select",
        """%z = arith.constant dense<0.0> : vector<16xf32>
%p = arith.cmpf olt, %v, %z : vector<16xf32>
%r = arith.select %p, %z, %v : vector<16xi1>, vector<16xf32>""",
        lambda x: np.where(x < 0, 0, x),
    ),
    vector(
        "vector-bits",
        """%z = arith.constant dense<0> : vector<16xi32>
%p = arith.cmpi slt, %v, %z : vector<16xi32>
%q = vector.bitcast %p : vector<16xi1> to vector<1xi16>
%e = vector.extract %q[0] : i16 from vector<1xi16>
%w = arith.extui %e : i16 to i32
%r = vector.broadcast %w : i32 to vector<16xi32>""",
        lambda x: np.repeat(((x.reshape(4, 16) < 0) << np.arange(16)).sum(1).astype(np.int32), 16),
        element="i32",
    ),
    vector(
        "vector-shuffle",
        "%r = vector.shuffle %v, %v [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0] "
        ": vector<16xf32>, vector<16xf32>",
        lambda x: x.reshape(4, 16)[:, ::-1].reshape(-1),
    ),
    vector(
        "vector-masked",
        """%n = arith.constant 5 : index
%m = vector.create_mask %n : vector<16xi1>
%z = arith.constant dense<1.0> : vector<16xf32>
%w = vector.maskedload %a[%j], %m, %z :
  memref<64xf32>, vector<16xi1>, vector<16xf32> into vector<16xf32>
vector.maskedstore %b[%j], %m, %w : memref<64xf32>, vector<16xi1>, vector<16xf32>
%r = arith.addf %w, %z : vector<16xf32>""",
        lambda x: np.where(np.arange(64) % 16 < 5, x, 1) + np.float32(1),
    ),
    vector(
        "vector-reduction",
        """%s = vector.reduction <add>, %v : vector<16xi32> into i32
%r = vector.broadcast %s : i32 to vector<16xi32>""",
        lambda x: np.repeat(x.reshape(4, 16).sum(1, dtype=np.int32), 16),
        element="i32",
    ),
    Case(
        "transfer",
        """%z = arith.constant 0.0 : f32
scf.for %j = %c0 to %c64 step %c16 {
  %v = vector.transfer_read %a[%j], %z {in_bounds = [true]} : memref<64xf32>, vector<4xf32>
  %w = arith.addf %v, %v : vector<4xf32>
  vector.transfer_write %w, %b[%j] {in_bounds = [true]} : vector<4xf32>, memref<64xf32>
  scf.for %k = %c1 to %c16 step %c1 {
    %l = arith.addi %j, %k : index
    %e = memref.load %a[%l] : memref<64xf32>
    %f = arith.addf %e, %e : f32
    memref.store %f, %b[%l] : memref<64xf32>
  }
}""",
        lambda x: x + x,
        lanes=1,
    ),
    Case(
        "transpose-contract",
        """%z = arith.constant 0.0 : f32
%m = memref.expand_shape %a [[0, 1]] output_shape [8, 8] : memref<64xf32> into memref<8x8xf32>
%o = memref.expand_shape %b [[0, 1]] output_shape [8, 8] : memref<64xf32> into memref<8x8xf32>
%v = vector.transfer_read %m[%c0, %c0], %z {in_bounds = [true, true]} :
  memref<8x8xf32>, vector<8x8xf32>
%t = vector.transpose %v, [1, 0] : vector<8x8xf32> to vector<8x8xf32>
%zero = arith.constant dense<0.0> : vector<8x8xf32>
%r = vector.contract {
  indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>,
                   affine_map<(i, j, k) -> (i, j)>],
  iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>
} %v, %t, %zero : vector<8x8xf32>, vector<8x8xf32> into vector<8x8xf32>
vector.transfer_write %r, %o[%c0, %c0] {in_bounds = [true, true]} :
  vector<8x8xf32>, memref<8x8xf32>""",
        lambda x: (_matrix(x) @ _matrix(x).T).reshape(-1),
        targets=CPU_CUDA,
        lanes=1,
    ),
    Case(
        "multi-reduction",
        """%z = arith.constant 0 : i32
%m = memref.expand_shape %a [[0, 1]] output_shape [8, 8] : memref<64xi32> into memref<8x8xi32>
%v = vector.transfer_read %m[%c0, %c0], %z {in_bounds = [true, true]} :
  memref<8x8xi32>, vector<8x8xi32>
%zero = arith.constant dense<0> : vector<8xi32>
%s = vector.multi_reduction <add>, %v, %zero [1] : vector<8x8xi32> to vector<8xi32>
scf.for %j = %c0 to %c64 step %c1 {
  memref.store %z, %b[%j] : memref<64xi32>
}
vector.transfer_write %s, %b[%c0] {in_bounds = [true]} : vector<8xi32>, memref<64xi32>""",
        lambda x: np.concatenate([_matrix(x).sum(1, dtype=np.int32), np.zeros(56, np.int32)]),
        element="i32",
        targets=CPU_CUDA,
        lanes=1,
        passes=("cpu",),
    ),
    Case(
        "reduction-through-passes",
        """%z = arith.constant 0 : i32
scf.for %j = %c0 to %c64 step %c1 {
  %w = affine.apply affine_map<(d0) -> (d0 floordiv 4 * 4)>(%j)
  %v = vector.transfer_read %a[%w], %z {in_bounds = [true]} : memref<64xi32>, vector<4xi32>
  %s = vector.reduction <add>, %v : vector<4xi32> into i32
  memref.store %s, %b[%j] : memref<64xi32>
}""",
        lambda x: np.repeat(x.reshape(16, 4).sum(1, dtype=np.int32), 4),
        element="i32",
        lanes=1,
        passes=("vulkan", "vulkan:ampere"),
    ),
    scalar(
        "workgroup-memory",
        """memref.store %v, %s[%i] : memref<64xf32, #gpu.address_space<workgroup>>
gpu.barrier
%k = affine.apply affine_map<(d0) -> (63 - d0)>(%i)
%r = memref.load %s[%k] : memref<64xf32, #gpu.address_space<workgroup>>""",
        lambda x: x[::-1],
        targets=GPUS,
        shared=True,
    ),
    scalar(
        "gpu-ids",
        """%n = gpu.block_dim x
%g = gpu.grid_dim x
%x = gpu.block_id x
%y = gpu.block_id y
%p = arith.muli %n, %g : index
%q = arith.addi %p, %x : index
%t = arith.addi %q, %y : index
%r = arith.index_cast %t : index to i32""",
        lambda x: np.full_like(x, 64),
        element="i32",
        targets=GPUS,
    ),
    scalar(
        "gpu-shuffle",
        """%o = arith.constant 1 : i32
%w = arith.constant 32 : i32
%r, %ok = gpu.shuffle xor %v, %o, %w : f32""",
        lambda x: x.reshape(32, 2)[:, ::-1].reshape(-1),
        targets=("vulkan:ampere", "cuda"),
    ),
)

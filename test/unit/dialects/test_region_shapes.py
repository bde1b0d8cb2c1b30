"""The result shape of a stitched region, computed in front of it, is that of its evaluated body."""
# ruff: noqa: E501 (MLIR text)

import numpy as np
import pytest

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa import interpreter
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.fsa_resolve_shapes import FsaResolveShapes

# The body: each value %r is yielded, and its type follows.
BODIES = {
    "argument": ("%r = math.exp %x : tensor<?x6xf32>", "tensor<?x6xf32>"),
    "scalar_arithmetic": (
        """%d = tensor.dim %x, %c0 : tensor<?x6xf32>
        %m = arith.muli %d, %n : index
        %a = affine.apply affine_map<(i)[s] -> (i floordiv 2 + s)>(%m)[%n]
        %b = affine.max affine_map<(i) -> (i, 3)>(%a)
        %i = index.add %b, %n
        %r = tensor.empty(%i) : tensor<?xf32>""",
        "tensor<?xf32>",
    ),
    "slice": (
        "%r = tensor.extract_slice %x[0, 1] [%n, 3] [1, 2] : tensor<?x6xf32> to tensor<?x3xf32>",
        "tensor<?x3xf32>",
    ),
    "rank_reduced_slice": (
        "%r = tensor.extract_slice %x[0, 1] [%n, 1] [1, 1] : tensor<?x6xf32> to tensor<?xf32>",
        "tensor<?xf32>",
    ),
    "reshapes": (
        """%d = tensor.dim %x, %c0 : tensor<?x6xf32>
        %e = tensor.expand_shape %x [[0], [1, 2]] output_shape [%d, 2, 3] : tensor<?x6xf32> into tensor<?x2x3xf32>
        %r = tensor.collapse_shape %e [[0, 1], [2]] : tensor<?x2x3xf32> into tensor<?x3xf32>""",
        "tensor<?x3xf32>",
    ),
    "pad": (
        """%p = arith.constant 0.0 : f32
        %r = tensor.pad %x low[%n, 1] high[2, %n] {
        ^bb1(%i: index, %j: index):
          tensor.yield %p : f32
        } : tensor<?x6xf32> to tensor<?x?xf32>""",
        "tensor<?x?xf32>",
    ),
    "concat": (
        """%s = tensor.extract_slice %x[0, 0] [%n, 6] [1, 1] : tensor<?x6xf32> to tensor<?x6xf32>
        %r = tensor.concat dim(0) %x, %s, %x : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<?x6xf32>) -> tensor<?x6xf32>""",
        "tensor<?x6xf32>",
    ),
    "insert": (
        "%s = tensor.extract_slice %x[0, 0] [1, 6] [1, 1] : tensor<?x6xf32> to tensor<1x6xf32>\n"
        "%r = tensor.insert_slice %s into %x[0, 0] [1, 6] [1, 1] : tensor<1x6xf32> into tensor<?x6xf32>",
        "tensor<?x6xf32>",
    ),
    "select": (
        """%z = arith.subf %x, %x : tensor<?x6xf32>
        %c = arith.cmpf ogt, %x, %z : tensor<?x6xf32>
        %r = arith.select %c, %x, %z : tensor<?x6xi1>, tensor<?x6xf32>""",
        "tensor<?x6xf32>",
    ),
    "scalar_select": (
        """%t = arith.cmpi eq, %n, %c0 : index
        %r = arith.select %t, %x, %x : tensor<?x6xf32>""",
        "tensor<?x6xf32>",
    ),
    "reduction": (
        """%d = tensor.dim %x, %c0 : tensor<?x6xf32>
        %e = tensor.empty(%d) : tensor<?xf32>
        %f = arith.constant 0.0 : f32
        %o = linalg.fill ins(%f : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
        %r = linalg.reduce {arith.addf} ins(%x : tensor<?x6xf32>) outs(%o : tensor<?xf32>) dimensions = [1]""",
        "tensor<?xf32>",
    ),
    "fsa_ops": (
        """%b = "fsa.pack_bits"(%x) : (tensor<?x6xf32>) -> tensor<?x1xi32>
        %r = "fsa.binarized_matmul"(%b, %b) {depth = 6 : i64} : (tensor<?x1xi32>, tensor<?x1xi32>) -> tensor<?x?xi32>""",
        "tensor<?x?xi32>",
    ),
    "splat": (
        """%f = arith.constant 0.0 : f32
        %r = tensor.splat %f[%n] : tensor<?x2xf32>""",
        "tensor<?x2xf32>",
    ),
    "cast": (
        """%s = tensor.cast %x : tensor<?x6xf32> to tensor<?x?xf32>
        %r = math.absf %s : tensor<?x?xf32>""",
        "tensor<?x?xf32>",
    ),
}


def _ones(count, ones):
    return ", ".join(["1"] * ones + ["0"] * (count - ones))


@pytest.mark.parametrize("name", sorted(BODIES))
def test_shape_is_true(rng, name):
    body, type = BODIES[name]
    rank = type.count("x")
    dims = "\n".join(
        f"%k{i} = arith.constant {i} : index\n%d{i} = tensor.dim %y, %k{i} : {type}"
        for i in range(rank)
    )
    values = "".join(f", %d{i}" for i in range(rank))
    text = f"""
    func.func @f(%input: tensor<?x6xf32>, %size: index) -> ({type}{", index" * rank}) {{
      %y = "fsa.stitched_region"(%input, %size) ({{
      ^bb0(%x: tensor<?x6xf32>, %n: index):
        %c0 = arith.constant 0 : index
        {body}
        "fsa.yield"(%r) {{operandSegmentSizes = array<i32: {_ones(32, 1)}>}} : ({type}) -> ()
      }}) {{operandSegmentSizes = array<i32: {_ones(32, 2)}>,
           resultSegmentSizes = array<i32: {_ones(16, 1)}>}} : (tensor<?x6xf32>, index) -> {type}
      {dims}
      return %y{values} : {type}{", index" * rank}
    }}"""
    with new_context():
        module = ir.Module.parse(text)
        diagnostics = Diagnostics()
        FsaResolveShapes().run(module.operation, diagnostics)
        assert diagnostics.items == []
        assert module.operation.verify()
        function = next(iter(module.body.operations))
        outside = [op.operation for op in function.regions[0].blocks[0].operations]
        for op in outside:
            if op.name == "tensor.dim":
                assert isinstance(op.operands[0], ir.BlockArgument)
        x = rng.standard_normal((5, 6)).astype(np.float32)
        result, *extents = interpreter.run_function(function, x, 3)
    assert result.shape == tuple(int(extent) for extent in extents)


def test_long_chain_of_dynamic_shapes():
    """The work grows with the length of a chain, not with two to its power, nor does recursion."""
    length = 300
    links = "\n".join(
        f"""%a{i} = tensor.dim %v{i}, %c0 : tensor<?x?xf32>
        %b{i} = tensor.dim %v{i}, %c1 : tensor<?x?xf32>
        %e{i} = tensor.empty(%a{i}, %b{i}) : tensor<?x?xf32>
        %v{i + 1} = linalg.exp ins(%v{i} : tensor<?x?xf32>) outs(%e{i} : tensor<?x?xf32>) -> tensor<?x?xf32>"""
        for i in range(length)
    )
    text = f"""
    func.func @f(%input: tensor<?x?xf32>) -> index {{
      %y = "fsa.stitched_region"(%input) ({{
      ^bb0(%v0: tensor<?x?xf32>):
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        {links}
        "fsa.yield"(%v{length}) {{operandSegmentSizes = array<i32: {_ones(32, 1)}>}} : (tensor<?x?xf32>) -> ()
      }}) {{operandSegmentSizes = array<i32: {_ones(32, 1)}>,
           resultSegmentSizes = array<i32: {_ones(16, 1)}>}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
      %c1 = arith.constant 1 : index
      %d = tensor.dim %y, %c1 : tensor<?x?xf32>
      return %d : index
    }}"""
    with new_context():
        module = ir.Module.parse(text)
        FsaResolveShapes().run(module.operation, Diagnostics())
        assert module.operation.verify()
        *_, returned = next(iter(module.body.operations)).regions[0].blocks[0].operations
        dim = returned.operation.operands[0].owner
        assert dim.name == "tensor.dim"
        assert isinstance(dim.operands[0], ir.BlockArgument)

"""Give every op wrong operands, results, attributes and regions; run as a script in a process.

usage: fuzz_ops.py CASES SEED

Each case starts from a valid op and changes one thing (all changes, in turn) or several at random
(CASES per op). Verifying must end in success, and then the op prints and parses, or in diagnostics
of which the first is a reason in our words. What was tried is printed as JSON.
"""

import faulthandler
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import Fsa, new_context

TYPES = [
    "tensor<4x70xf32>",
    "tensor<?x70xf16>",
    "tensor<4x3xi32>",
    "tensor<?x2xi64>",
    "tensor<2x3x4x5xf32>",
    "tensor<2x8x9x3xi32>",
    "tensor<?x?x?x?xf64>",
    "tensor<0xf32>",
    "tensor<0x0xi32>",
    "tensor<f32>",
    "tensor<i32>",
    "tensor<70xi32>",
    "tensor<4x3xi1>",
    "tensor<4xindex>",
    "tensor<4xcomplex<f32>>",
    "tensor<4x3xf8E4M3FN>",
    "tensor<4x3xui32>",
    "tensor<4x3xsi64>",
    "tensor<4x3xi32, #encoded>",
    "tensor<*xf32>",
    "tensor<*xi32>",
    "memref<4x3xi32>",
    "memref<*xf32>",
    "vector<4xf32>",
    "f32",
    "i32",
    "i64",
    "index",
    "none",
    "complex<f64>",
    "tuple<i32, f32>",
    "!llvm.ptr",
    "(i32) -> i32",
]
ATTRIBUTES = [
    "0 : i64",
    "-1 : i64",
    "70 : i64",
    "9223372036854775807 : i64",
    "-9223372036854775808 : i64",
    "70 : i32",
    "70 : index",
    "1.0 : f64",
    "-1.0 : f64",
    "0x7FF8000000000000 : f64",
    "0x7FF0000000000000 : f64",
    "1.0 : f32",
    "true",
    "unit",
    '"zero"',
    '"per_sample"',
    '""',
    "@k",
    "@a::@b::@c",
    "{}",
    "{a = 1 : i64}",
    "[]",
    "[1, 2]",
    "array<i64>",
    "array<i64: 0, 0>",
    "array<i64: -1, 2>",
    "array<i64: 1, 2>",
    "array<i64: 9223372036854775807, 9223372036854775807>",
    "array<i64: 1, 2, 3>",
    "array<i64: 0, 0, 0, 0>",
    "array<i64: 1, -1, 1, 1>",
    "array<i64: 4611686018427387904, 4611686018427387904, 1, 1>",
    "array<i32: 1, 2>",
    "array<i32: -1, 1>",
    "array<i1: true>",
    "dense<1> : tensor<2xi64>",
    "dense_resource<absent> : tensor<2xi64>",
    "affine_map<(d0) -> (d0)>",
    "i32",
    "tensor<2xi32>",
]
OPTIONAL = ["plan", "dilations", "groups", "layout", "unknown"]


@dataclass(frozen=True)
class Case:
    """An op to create: types as text, attributes as text, and how many regions it gets."""

    operands: tuple[str, ...]
    results: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    regions: int = 0


def _segments(count: int, *sizes: int) -> str:
    return f"array<i32: {', '.join(map(str, [*sizes, *[0] * (count - len(sizes))]))}>"


WINDOW = {"strides": "array<i64: 1, 1>", "pad": "array<i64: 1, 1, 1, 1>"}
VALID = {
    "pack_bits": Case(("tensor<4x70xf32>",), ("tensor<4x3xi32>",)),
    "unpack_bits": Case(("tensor<4x3xi32>",), ("tensor<4x70xf32>",), {"depth": "70 : i64"}),
    "binarized_matmul": Case(
        ("tensor<4x3xi32>", "tensor<5x3xi32>"), ("tensor<4x5xi32>",), {"depth": "70 : i64"}
    ),
    "binarized_conv2d": Case(
        ("tensor<2x8x9x3xi32>", "tensor<5x3x3x3xi32>"),
        ("tensor<2x8x9x5xi32>",),
        {"channels": "70 : i64", "pad_mode": '"zero"', **WINDOW},
    ),
    "binarized_threshold": Case(
        ("tensor<4x70xi32>", "tensor<70xi32>", "tensor<3xi32>"), ("tensor<4x3xi32>",)
    ),
    "binarized_max_pool2d": Case(
        ("tensor<2x8x9x3xi32>",),
        ("tensor<2x9x10x3xi32>",),
        {"kernel": "array<i64: 2, 2>", **WINDOW},
    ),
    "capsule_predict": Case(("tensor<2x3x8xf32>", "tensor<3x4x5x8xf32>"), ("tensor<2x3x4x5xf32>",)),
    "capsule_routing": Case(
        ("tensor<2x3x4x5xf32>",),
        ("tensor<2x4x5xf32>",),
        {"iterations": "3 : i64", "agreement": '"per_sample"', "epsilon": "1.0e-7 : f64"},
    ),
    "squash": Case(("tensor<4x70xf32>",), ("tensor<4x70xf32>",), {"epsilon": "1.0e-7 : f64"}),
    "stitched_region": Case(
        ("tensor<4x70xf32>", "index"),
        ("tensor<4x70xf32>",),
        {"operandSegmentSizes": _segments(32, 1, 1), "resultSegmentSizes": _segments(16, 1)},
        regions=1,
    ),
    "yield": Case(("tensor<4x70xf32>",), (), {"operandSegmentSizes": _segments(32, 1)}),
    "launch": Case(
        ("index", "index", "index", "index", "i32", "tensor<?x8xf32>"),
        ("tensor<?x8xf32>",),
        {
            "kernel": "@k",
            "workgroup_size": "array<i64: 64, 1, 1>",
            "operandSegmentSizes": _segments(37, 1, 1, 1, 1, 1, 1),
            "resultSegmentSizes": _segments(16, 1),
        },
    ),
}


def _replaced(items: tuple[str, ...], index: int, item: str) -> tuple[str, ...]:
    return (*items[:index], item, *items[index + 1 :])


def single_changes(case: Case) -> Iterator[Case]:
    """Give `case` with every single change."""
    for kind in ("operands", "results"):
        types = getattr(case, kind)
        for count in range(len(types) + 2):
            yield replace(case, **{kind: (types + types[-1:] + ("i32",))[:count]})
        for index in range(len(types)):
            for type in TYPES:
                yield replace(case, **{kind: _replaced(types, index, type)})
    for name in (*case.attributes, *OPTIONAL):
        left = {key: value for key, value in case.attributes.items() if key != name}
        yield replace(case, attributes=left)
        for attribute in ATTRIBUTES:
            yield replace(case, attributes=left | {name: attribute})
    for regions in range(3):
        yield replace(case, regions=regions)


def random_change(case: Case, rng: random.Random) -> Case:
    """Return `case` with one random change."""
    change = rng.choice(["type", "count", "attribute", "drop", "segments", "regions"])
    kind = rng.choice(["operands", "results"])
    types = getattr(case, kind)
    if change == "type" and types:
        return replace(
            case, **{kind: _replaced(types, rng.randrange(len(types)), rng.choice(TYPES))}
        )
    if change == "count":
        count = rng.randrange(len(types) + 2)
        return replace(case, **{kind: (*types, rng.choice(TYPES))[:count]})
    names = [*case.attributes, *OPTIONAL]
    if change == "drop":
        gone = rng.choice(names)
        left = {key: value for key, value in case.attributes.items() if key != gone}
        return replace(case, attributes=left)
    if change == "segments":
        sizes = [rng.randrange(-1, 3) for _ in range(rng.choice([0, 1, 16, 32, 37]))]
        name = f"{kind.removesuffix('s')}SegmentSizes"
        return replace(case, attributes=case.attributes | {name: _segments(0, *sizes)})
    if change == "regions":
        return replace(case, regions=rng.randrange(3))
    return replace(case, attributes=case.attributes | {rng.choice(names): rng.choice(ATTRIBUTES)})


ENCODING = "#sparse_tensor.encoding<{ map = (i, j) -> (i : dense, j : compressed) }>"


def parsed_type(text: str) -> ir.Type:
    """Parse a type, writing out the encoding."""
    return ir.Type.parse(text.replace("#encoded", ENCODING))


def parsed_attribute(text: str) -> ir.Attribute:
    """Parse an attribute; an empty segment array needs its own spelling."""
    return ir.Attribute.parse(text.replace("array<i32: >", "array<i32>"))


def create(name: str, case: Case, rng: random.Random) -> ir.Module:
    """Return a module with the op of `case`, whose operands come from casts."""
    module = ir.Module.create()
    with ir.InsertionPoint(module.body):
        operands = [
            ir.Operation.create(
                "builtin.unrealized_conversion_cast", results=[parsed_type(text)]
            ).results[0]
            for text in case.operands
        ]
        op = ir.Operation.create(
            f"fsa.{name}",
            results=[parsed_type(text) for text in case.results],
            operands=operands,
            attributes={key: parsed_attribute(text) for key, text in case.attributes.items()},
            regions=case.regions,
        )
        for region in op.regions:
            fill(region, case, rng)
    return module


def fill(region: ir.Region, case: Case, rng: random.Random) -> None:
    """Give a region a body that is right, or wrong in some way."""
    shape = rng.choice(["right"] * 4 + ["no block", "empty", "two blocks", "no yield", "wrong"])
    if shape == "no block":
        return
    for _ in range(2 if shape == "two blocks" else 1):
        arguments = case.operands if shape != "wrong" else (rng.choice(TYPES),)
        block = region.blocks.append(*[parsed_type(text) for text in arguments])
        if shape == "empty":
            continue
        with ir.InsertionPoint(block):
            if shape == "no yield":
                ir.Operation.create("tensor.empty", results=[parsed_type("tensor<2xf32>")])
                continue
            ir.Operation.create(
                "fsa.yield",
                operands=list(block.arguments)[: len(case.results)],
                attributes={
                    "operandSegmentSizes": parsed_attribute(_segments(32, *[1] * len(case.results)))
                },
            )


def check(name: str, case: Case, rng: random.Random) -> str:
    """Verify one case and return how it ended; raise AssertionError when that is not allowed."""
    module = create(name, case, rng)
    try:
        module.operation.verify()
    except ir.MLIRError as error:
        reasons = [found.message for found in error.error_diagnostics]
        assert reasons, "no reason given"
        assert "cannot be verified" not in reasons[0], reasons
        ours = f"'fsa.{name}' op " in reasons[0] or "'fsa.yield' op " in reasons[0]
        assert ours or "isolation" in reasons[0], reasons
        return "labelled" if "] expected" in reasons[0] else "structural"
    assert ir.Module.parse(str(module)).operation.verify()
    return "valid"


def main() -> None:
    """Run all cases and print how many ended how."""
    cases, seed = int(sys.argv[1]), int(sys.argv[2])
    ends: Counter[str] = Counter()
    with new_context(), ir.Location.unknown():
        assert sorted(VALID) == sorted(op._op_name for op in Fsa.operations)
        for name, valid in VALID.items():
            rng = random.Random(f"{seed} {name}")
            changed = list(single_changes(valid))
            for _ in range(cases):
                case = valid
                for _ in range(rng.randrange(1, 4)):
                    case = random_change(case, rng)
                changed.append(case)
            for case in changed:
                print(name, case, file=sys.stderr)
                ends[check(name, case, rng)] += 1
    print(json.dumps(ends))


if __name__ == "__main__":
    faulthandler.enable()
    main()

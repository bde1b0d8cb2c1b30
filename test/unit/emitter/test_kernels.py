"""Kernels and launches: names, workgroup memory, reductions, guards and conversions."""

import functools
from typing import Any

import pytest

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.emitter import (
    Builder,
    Kernel,
    KernelSpec,
    emit_guarded_launch,
    grid_for,
    kernel,
    tensor_dims,
)
from fsa.runtime.targets import Target

CPU = Target("cpu", "host", vector_bits=512)
VULKAN = Target("vulkan", "", has_i64=False)
CUDA = Target("cuda", "sm_89", has_shuffle=True)


def copy_kernel(module: Any, kind: Any, target: Target) -> Kernel:
    size = (64, 1, 1) if target.kind != "cpu" else (1, 1, 1)
    with kernel(module, KernelSpec("copy", (kind,), (kind,), workgroup_size=size), target) as k:
        with k.tasks(k.dim(k.inputs[0], 0)) as task, k.when(k.compare("eq", k.thread_id(), 0)):
            k.store(k.load(k.inputs[0], [task]), k.outputs[0], [task])
    return k


def crossing(kind: Any) -> Any:
    element = {"i1": "i8", "index": "i64"}.get(str(kind.element_type), str(kind.element_type))
    return ir.Type.parse(str(kind).replace(str(kind.element_type) + ">", element + ">"))


def launch_copy(text: str, target: Target = CPU, launches: int = 1) -> Any:
    module = ir.Module.parse(f"func.func @main(%x: {text}) -> {text} {{\n  return %x : {text}\n}}")
    entry = module.body.operations[0].entry_block
    back = list(entry.operations)[-1]
    with ir.InsertionPoint(back):
        value = entry.arguments[0]
        for _ in range(launches):
            dims = tensor_dims(Builder(), value)
            (value,) = emit_guarded_launch(
                functools.partial(copy_kernel, module.operation, crossing(value.type), target),
                grid=lambda builder, dims=dims: [grid_for(builder, dims[0])],
                inputs=[value],
                results=[(value.type, dims)],
            )
        back.operands[0] = value
    assert module.operation.verify()
    return module


@pytest.mark.parametrize("target", [CPU, VULKAN, CUDA], ids=str)
def test_each_kernel_gets_a_name_of_its_own(target: Target) -> None:
    with new_context(), ir.Location.unknown():
        text = str(launch_copy("tensor<?xf32>", target, launches=3))
        assert text.count("gpu.module") == (target.kind != "cpu")
        for number in range(3):
            assert text.count(f"@fsa_copy_{number}(") == 1


def test_only_sizes_that_may_be_zero_are_guarded() -> None:
    with new_context(), ir.Location.unknown():
        for target in (CPU, VULKAN, CUDA):
            host = str(launch_copy("tensor<?xf32>", target)).partition("kernel")[0]
            assert ("scf.if" in host) == (target.kind != "cpu")
            host = str(launch_copy("tensor<5xf32>", target)).partition("kernel")[0]
            assert "scf.if" not in host
        nothing = str(launch_copy("tensor<0xf32>"))
        assert "fsa" not in nothing
        assert "linalg.fill" in nothing


@pytest.mark.parametrize(("given", "crosses"), [("i1", "i8"), ("index", "i64")])
def test_what_does_not_cross_is_converted(given: str, crosses: str) -> None:
    with new_context(), ir.Location.unknown():
        text = str(launch_copy(f"tensor<5x{given}>"))
        assert f"(memref<5x{crosses}>" in text.replace("%arg0: ", "")
        assert f"(tensor<5x{crosses}>)" in text or f"tensor<5x{crosses}>" in text


def test_types_that_cannot_cross_are_named() -> None:
    with new_context(), ir.Location.unknown(), pytest.raises(ValueError, match="found i4"):
        launch_copy("tensor<5xi4>")


def reduction(target: Target, group: int, element: str = "f32") -> str:
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        scalar = ir.Type.parse(element)
        spec = KernelSpec(
            "reduce",
            (ir.Type.parse(f"tensor<64x{element}>"),),
            (ir.Type.parse(f"tensor<64x{element}>"),),
            workgroup=(((64,), scalar),),
            workgroup_size=(64, 1, 1),
        )
        with kernel(module.operation, spec, target) as k:
            at = k.thread_id()
            total = k.reduce_threads("max", k.load(k.inputs[0], [at]), k.workgroup[0], group)
            k.store(total, k.outputs[0], [at])
        assert module.operation.verify()
        text = str(module)
        assert str(ir.Module.parse(text)) == text
        return text


def test_reductions_use_shuffles_only_where_the_target_has_them() -> None:
    assert reduction(VULKAN, 64).count("scf.if") == 6
    assert "gpu.shuffle" not in reduction(VULKAN, 64)
    whole = reduction(CUDA, 64)
    assert whole.count("gpu.shuffle") == 5
    assert whole.count("scf.if") == 1
    assert "gpu.barrier" not in reduction(CUDA, 32)
    assert "gpu.shuffle" not in reduction(CUDA, 64, "f16")
    assert "gpu.barrier" not in reduction(VULKAN, 1)


@pytest.mark.parametrize("group", [3, 128])
def test_groups_divide_the_workgroup(group: int) -> None:
    with pytest.raises(ValueError, match=f"found a group of {group}"):
        reduction(VULKAN, group)


def _fail(module: Any) -> None:
    kind = ir.Type.parse("tensor<4xf32>")
    with (
        kernel(module.operation, KernelSpec("k", (kind,), (kind,)), CPU) as k,
        k.loop(0, 4),
    ):
        raise RuntimeError("stop")


def test_a_failing_body_leaves_the_insertion_point() -> None:
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            with pytest.raises(RuntimeError, match="stop"):
                _fail(module)
            assert ir.InsertionPoint.current.block == module.body

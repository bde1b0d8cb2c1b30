"""Kernels in IREE's context: what their arguments are, and whether a launch fits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fsa.dialects.fsa.markers import ALIGNED, STREAMING
from fsa.errors import CompileError
from fsa.runtime.handover_launches import MAX_ELEMENTS, Launch, dynamic_count

# The widest access of a thread for which memory of any allocator is aligned.
GPU_ALIGNMENT = 16
# Bytes of a line of a CPU's cache, and of its widest vector.
CPU_LINE = 64
# The attribute by which a kernel asks for IREE passes, as text, in place of none.
CODEGEN_PIPELINE = "fsa.codegen_pipeline"
ELEMENT_TYPES = ("i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64")


@dataclass
class Kernel:
    """A kernel parsed into IREE's context, with the launch that says what its arguments are."""

    name: str
    owner: Any  # the parsed ir.Module that owns `function`
    function: Any  # func.func or gpu.func
    is_gpu: bool
    scalars: int
    inputs: int
    outputs: int
    workgroup_size: tuple[int, ...]
    codegen_pipeline: str | None
    constants_of_code: list[Any]  # memref.global ops that `function` reads

    @classmethod
    def read(cls, text: str, launch: Launch) -> Kernel:
        """Parse the kernel that `launch` runs; raise `CompileError` when it breaks the contract."""
        from iree.compiler import ir

        owner = ir.Module.parse(text)
        *constants, function = [op.operation for op in owner.body.operations]
        is_gpu = function.name == "gpu.module"
        if is_gpu:
            function = function.regions[0].blocks[0].operations[0].operation
        if STREAMING in text or ALIGNED in text:
            _restore_alignment(function)
        if not is_gpu and "memref.alloca" in text:
            _align_buffers(function)
        pipeline = None
        if CODEGEN_PIPELINE in function.attributes:
            pipeline = ir.StringAttr(function.attributes[CODEGEN_PIPELINE]).value
        kernel = cls(
            name=launch.kernel[-1],
            owner=owner,
            function=function,
            is_gpu=is_gpu,
            scalars=len(launch.scalars),
            inputs=len(launch.inputs),
            outputs=len(launch.results),
            workgroup_size=launch.workgroup_size,
            codegen_pipeline=pipeline,
            constants_of_code=constants,
        )
        kernel._check_arguments()
        return kernel

    @property
    def argument_types(self) -> list[Any]:
        """The types of scalars, inputs, outputs and, for a CPU, the three workgroup ids."""
        from iree.compiler import ir

        return list(ir.FunctionType(self.function.attributes["function_type"].value).inputs)

    @property
    def memrefs(self) -> list[Any]:
        """The memref types of inputs, then outputs."""
        from iree.compiler import ir

        first = self.scalars
        types = self.argument_types[first : first + self.inputs + self.outputs]
        return [ir.MemRefType(type_) for type_ in types]

    @property
    def constants(self) -> int:
        """How many i32 constants a dispatch passes: the scalars, then every `?`."""
        return self.scalars + sum(dynamic_count(memref) for memref in self.memrefs)

    def layout(self) -> Any:
        """Return the `#hal.pipeline.layout` of this kernel."""
        from iree.compiler import ir

        # Indirect bindings let IREE record a command buffer once and run it with other buffers.
        bindings = ['#hal.pipeline.binding<storage_buffer, "ReadOnly|Indirect">'] * self.inputs
        bindings += ["#hal.pipeline.binding<storage_buffer, Indirect>"] * self.outputs
        return ir.Attribute.parse(
            f"#hal.pipeline.layout<constants = {self.constants}, "
            f"bindings = [{', '.join(bindings)}], flags = Indirect>"
        )

    def translation(self) -> Any:
        """Return the `translation_info`: no passes, or those that the kernel asks for."""
        from iree.compiler import ir

        pipeline = "#iree_codegen.no_pipeline"
        if self.codegen_pipeline is not None:
            quoted = self.codegen_pipeline.replace("\\", "\\\\").replace('"', '\\"')
            pipeline = f'#iree_codegen.pass_pipeline<"{quoted}">'
        size = ""
        if self.is_gpu:
            size = f" workgroup_size = [{', '.join(map(str, self.workgroup_size))}]"
        return ir.Attribute.parse(f"#iree_codegen.translation_info<pipeline = {pipeline}{size}>")

    def check(self, launch: Launch) -> None:
        """Raise `CompileError` unless `launch` passes what this kernel takes."""
        passed = [value.type for value in launch.inputs] + [r.type for r in launch.results]
        shapes = [(m.shape, str(m.element_type)) for m in self.memrefs]
        for index, (type_, expected) in enumerate(zip(passed, shapes, strict=False)):
            if (type_.shape, str(type_.element_type)) != expected:
                raise CompileError(
                    f"kernel @{self.name} expected {self.memrefs[index]} as argument "
                    f"{self.scalars + index}, found a launch with {type_}"
                )
        counts = (len(launch.scalars), len(launch.inputs), len(launch.results))
        if counts != (self.scalars, self.inputs, self.outputs):
            raise CompileError(
                f"kernel @{self.name} expected {self.scalars} scalars, {self.inputs} inputs and "
                f"{self.outputs} outputs, found a launch with {counts[0]}, {counts[1]} and "
                f"{counts[2]}"
            )
        if self.is_gpu and launch.workgroup_size != self.workgroup_size:
            raise CompileError(
                f"kernel @{self.name} expected one workgroup size in all its launches, found "
                f"{list(self.workgroup_size)} and {list(launch.workgroup_size)}"
            )

    def _check_arguments(self) -> None:
        from iree.compiler import ir

        types = self.argument_types
        expected = self.scalars + self.inputs + self.outputs + (0 if self.is_gpu else 3)
        if len(types) != expected:
            ids = "" if self.is_gpu else ", 3 workgroup ids"
            raise CompileError(
                f"kernel @{self.name} expected {expected} arguments ({self.scalars} scalars, "
                f"{self.inputs} inputs, {self.outputs} outputs{ids}), found {len(types)}"
            )
        for index, type_ in enumerate(types):
            if index < self.scalars:
                good, wanted = str(type_) == "i32", "an i32 scalar"
            elif index < self.scalars + self.inputs + self.outputs:
                good, wanted = _crosses(type_), "a contiguous memref of " + _listed(ELEMENT_TYPES)
            else:
                good, wanted = isinstance(type_, ir.IndexType), "a workgroup id of type index"
            if not good:
                raise CompileError(
                    f"kernel @{self.name} expected {wanted} as argument {index}, found {type_}"
                )


def _restore_alignment(function: Any) -> None:
    """Give marked vector loads and stores of a kernel their alignment, streaming ones the rest."""
    from iree.compiler import ir

    def visit(op: Any) -> Any:
        operation = op.operation
        for marker in (STREAMING, ALIGNED):
            if marker not in operation.attributes:
                continue
            is_store = operation.name == "vector.store"
            value = operation.operands[0] if is_store else operation.results[0]
            kind = ir.VectorType(value.type)
            element: Any = kind.element_type
            size = kind.shape[0] * element.width // 8
            del operation.attributes[marker]
            if marker == STREAMING:
                operation.attributes["nontemporal"] = ir.BoolAttr.get(True)
            else:
                size = min(size, GPU_ALIGNMENT)
            word = ir.IntegerType.get_signless(64)
            operation.attributes["alignment"] = ir.IntegerAttr.get(word, size)
        return ir.WalkResult.ADVANCE

    function.walk(visit)


def _align_buffers(function: Any) -> None:
    """Let the stack buffers of a CPU kernel begin where a line of the cache does.

    A vector as wide as a line then never lies in two of them.
    """
    from iree.compiler import ir

    def visit(op: Any) -> Any:
        operation = op.operation
        if operation.name == "memref.alloca" and "alignment" not in operation.attributes:
            word = ir.IntegerType.get_signless(64)
            operation.attributes["alignment"] = ir.IntegerAttr.get(word, CPU_LINE)
        return ir.WalkResult.ADVANCE

    function.walk(visit)


def _crosses(type_: Any) -> bool:
    """Whether a kernel argument of this type can be a binding."""
    from iree.compiler import ir

    if not isinstance(type_, ir.MemRefType):
        return False
    memref = ir.MemRefType(type_)
    plain = ir.MemRefType.get(memref.shape, memref.element_type)
    if memref != plain or str(memref.element_type) not in ELEMENT_TYPES:
        return False
    size = 1
    for axis in range(memref.rank):
        size *= 1 if memref.is_dynamic_dim(axis) else memref.get_dim_size(axis)
    return size <= MAX_ELEMENTS


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1] + f" with at most {MAX_ELEMENTS} elements"

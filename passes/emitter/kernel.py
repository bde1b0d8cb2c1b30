"""Kernels: the function around the ops, and its view of the grid.

`kernel` makes the function that `docs/kernel-abi.md` describes, for a CPU or a GPU, and gives one
interface to both: arguments, the task loop, thread numbers, barriers and workgroup reductions. What
runs on a CPU is a workgroup of one thread. A grid has at most `MAX_GRID` workgroups an axis; a
kernel with more tasks loops, and `grid_for` gives the grid that fits its loop.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith, func, gpu, ir, memref, scf
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.dialects.fsa.ops.launch import MAX_GRID
from fsa.passes.emitter import symbols
from fsa.passes.emitter.builder import Builder
from fsa.passes.emitter.types import Index, Value, bit_width, memref_type
from fsa.runtime.targets import Target

GPU_MODULE = "kernels"


@dataclass(frozen=True)
class KernelSpec:
    """What is known of a kernel before its body: plain data, made from a plan.

    `op` is the name behind the symbol (`@fsa_<op>_<n>`), `scalars` the number of i32 arguments,
    `inputs` and `outputs` are ranked tensor types, `workgroup` lists the shape and element type of
    each buffer in workgroup memory (GPU), `workgroup_size` the threads a workgroup (GPU).
    """

    op: str
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    scalars: int = 0
    workgroup: tuple[tuple[tuple[int, ...], Any], ...] = ()
    workgroup_size: tuple[int, int, int] = (1, 1, 1)


class Kernel(Builder):
    """A kernel being built. Made by `kernel`; valid until the pass ends."""

    def __init__(self, spec: KernelSpec, target: Target, symbol: str, function: Any):
        block = function.regions[0].blocks[0]
        super().__init__(block)
        self._block = block
        self.spec = spec
        self.target = target
        self.symbol = symbol  # as `emit_guarded_launch` takes it: "k" or "kernels::k"
        arguments = list(block.arguments)
        counts = [spec.scalars, len(spec.inputs), len(spec.outputs), len(spec.workgroup)]
        groups: list[list[Value]] = []
        for count in counts:
            groups.append(arguments[:count])
            arguments = arguments[count:]
        self.scalars, self.inputs, self.outputs, self.workgroup = groups
        self._workgroup_ids = arguments  # cpu: the workgroup ids
        self._ids: dict[tuple[str, int], Value] = {}

    @property
    def is_gpu(self) -> bool:
        """Whether this is a GPU kernel."""
        return self.target.kind != "cpu"

    @property
    def has_bf16_rounding(self) -> bool:
        """Whether the code is for a processor with AVX512_BF16."""
        return self.target.has_bf16_rounding

    @property
    def threads(self) -> int:
        """Threads of one workgroup; 1 on a CPU."""
        x, y, z = self.spec.workgroup_size
        return x * y * z

    def workgroup_id(self, axis: int = 0) -> Value:
        """Return the number of this workgroup along a grid axis."""
        return self._id("block_id", axis) if self.is_gpu else self._workgroup_ids[axis]

    def thread_id(self, axis: int = 0) -> Index:
        """Return the number of this thread along an axis of its workgroup; 0 on a CPU."""
        return self._id("thread_id", axis) if self.spec.workgroup_size[axis] > 1 else 0

    def _id(self, name: str, axis: int) -> Value:
        """Return a GPU id, made once at the start of the kernel so that it dominates every use."""
        if (name, axis) not in self._ids:
            with ir.InsertionPoint.at_block_begin(self._block):
                self._ids[name, axis] = getattr(gpu, name)(_dimension(axis))
        return self._ids[name, axis]

    @contextmanager
    def tasks(self, count: Index, axis: int = 0, limit: int = MAX_GRID) -> Generator[Index]:
        """Run the body for this workgroup's share of `count` tasks, launched over `grid_for`.

        Task numbers are the same for all threads of a workgroup, so the body may hold barriers.
        """
        if isinstance(count, int) and count == 1:
            yield 0  # of a grid of one workgroup along this axis
            return
        start = self.workgroup_id(axis)
        if isinstance(count, int) and count <= limit:
            yield start
            return
        with self.loop(start, count, limit) as (task, _):
            yield task

    @contextmanager
    def each_thread(self, count: Index, start: Index = 0) -> Generator[Index]:
        """Share start ... count - 1 among the threads of axis x: the body sees one number each.

        Threads may differ in how often they run the body: no barrier inside.
        """
        width = self.spec.workgroup_size[0]
        first = self.add(start, self.thread_id())
        with self.loop(first, count, width) as (number, _):
            yield number

    def barrier(self) -> None:
        """Wait for all threads of the workgroup, and make their workgroup memory visible."""
        if self.is_gpu:
            gpu.barrier()

    def grid_barrier(self, counter: Value, arrivals: int) -> None:
        """Wait until the workgroups of the grid have arrived `arrivals` times in all (CUDA).

        `counter` is a `memref<1xi32>` that was 0 when the kernel began. What threads wrote before
        is then visible to all. All workgroups must be on the device at once, and all threads call.
        """
        word = ir.IntegerType.get_signless(32)
        zero = self.value(0)
        self.barrier()
        with self.when(self.compare("eq", self.thread_id(), 0)):
            # Atomic operations order the memory accesses around them (acquire and release), and
            # those of the other threads through the barriers of the workgroup.
            self._atomic_add(self.constant(1, word), counter, zero)
            loop = scf.WhileOp([], [])
            before = loop.before.blocks.append()
            after = loop.after.blocks.append()
            with ir.InsertionPoint(before):
                here = self._atomic_add(self.constant(0, word), counter, zero)
                waits = self.compare("ult", here, self.constant(arrivals, word))
                scf.ConditionOp(waits, [])
            with ir.InsertionPoint(after):
                scf.YieldOp([])
        self.barrier()

    def _atomic_add(self, number: Value, target: Value, at: Value) -> Value:
        return memref.atomic_rmw(arith.AtomicRMWKind.addi, number, target, [at])

    def reduce_threads(
        self, kind: str, value: Value, scratch: Value, group: int | None = None
    ) -> Value:
        """Reduce one scalar a thread over each `group` of neighbouring threads of axis x.

        All threads of a group get the result. `group` (default: all) is a power of two; `scratch`
        is a rank-1 workgroup buffer with one element a thread, free for use again on return. Uses
        shuffles where the target has them, else a tree in workgroup memory. All threads must call.
        """
        if not self.is_gpu:
            return value
        group = self.spec.workgroup_size[0] if group is None else group
        if group & (group - 1) or self.spec.workgroup_size[0] % group:
            raise ValueError(
                "expected a power of two that divides the workgroup size "
                f"{self.spec.workgroup_size[0]}, found a group of {group}"
            )
        shuffled = 1
        if self.target.has_shuffle and bit_width(value) == 32:
            shuffled = min(group, 32)
            value = self._reduce_shuffled(kind, value, shuffled)
        return (
            value if group == shuffled else self._reduce_tree(kind, value, scratch, group, shuffled)
        )

    def _reduce_shuffled(self, kind: str, value: Value, group: int) -> Value:
        word = ir.IntegerType.get_signless(32)
        mode = ir.Attribute.parse("#gpu<shuffle_mode xor>")
        offset = group // 2
        while offset:
            other = gpu.shuffle(value, self.constant(offset, word), self.constant(32, word), mode)[
                0
            ]
            value = self.combine(kind, value, other)
            offset //= 2
        return value

    def _reduce_tree(
        self, kind: str, value: Value, scratch: Value, group: int, stride: int
    ) -> Value:
        """Reduce in workgroup memory; neighbours closer than `stride` already agree."""
        thread = self.thread_id()
        within = self.rem(thread, group)
        self.store(value, scratch, [thread])
        self.barrier()
        offset = group // 2
        while offset >= stride:
            with self.when(self.compare("ult", within, offset)):
                mine = self.load(scratch, [thread])
                other = self.load(scratch, [self.add(thread, offset)])
                self.store(self.combine(kind, mine, other), scratch, [thread])
            self.barrier()
            offset //= 2
        result = self.load(scratch, [self.sub(thread, within)])
        self.barrier()
        return result


def grid_for(builder: Builder, tasks: Index, limit: int = MAX_GRID) -> Index:
    """Return how many workgroups to launch for `tasks` tasks of a `Kernel.tasks` loop."""
    return builder.min(tasks, limit)


@contextmanager
def kernel(module: Any, spec: KernelSpec, target: Target) -> Generator[Kernel]:
    """Make a kernel in `module` (a builtin.module operation); the body of the `with` fills it.

    The insertion point is the end of the kernel's body; the terminator is added at the end.
    """
    name = symbols.fresh_kernel_name(module, spec.op)
    if target.kind == "cpu":
        function, symbol = _cpu_function(module, name, spec), name
    else:
        function, symbol = _gpu_function(module, name, spec), f"{GPU_MODULE}::{name}"
    built = Kernel(spec, target, symbol, function)
    with ir.InsertionPoint(function.regions[0].blocks[0]):
        yield built
        if target.kind == "cpu":
            func.ReturnOp([])
        else:
            gpu.ReturnOp([])


def _argument_types(spec: KernelSpec) -> list[Any]:
    word = ir.IntegerType.get_signless(32)
    return [word] * spec.scalars + [memref_type(kind) for kind in (*spec.inputs, *spec.outputs)]


def _cpu_function(module: Any, name: str, spec: KernelSpec) -> Any:
    kinds = [*_argument_types(spec), *[ir.IndexType.get()] * 3]
    with ir.InsertionPoint(module.regions[0].blocks[0]):
        function = func.FuncOp(name, (kinds, []), visibility="private")
    function.attributes[KERNEL_MARKER] = ir.StringAttr.get("cpu")
    function.add_entry_block()
    return function


def _gpu_function(module: Any, name: str, spec: KernelSpec) -> Any:
    space = ir.Attribute.parse("#gpu.address_space<workgroup>")
    kinds = _argument_types(spec)
    buffers = [
        ir.MemRefType.get(list(shape), element, memory_space=space)
        for shape, element in spec.workgroup
    ]
    holder = symbols.gpu_module(module, GPU_MODULE)
    with ir.InsertionPoint(holder.regions[0].blocks[0]):
        function = gpu.GPUFuncOp(
            ir.TypeAttr.get(ir.FunctionType.get(kinds, [])), sym_name=name, kernel=True
        )
    if buffers:
        count = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), len(buffers))
        function.attributes["workgroup_attributions"] = count
    arguments = [*kinds, *buffers]
    location = ir.Location.current
    function.regions[0].blocks.append(*arguments, arg_locs=[location] * len(arguments))
    return function


def _dimension(axis: int) -> Any:
    return (gpu.Dimension.x, gpu.Dimension.y, gpu.Dimension.z)[axis]

"""Runs GPU kernels on the host, thread by thread: an oracle where no GPU is at hand.

A thread of the GPU is a thread of the host. A barrier of a workgroup waits for its threads, a
shuffle exchanges a word through memory between two barriers, workgroup memory is an array a
workgroup. All workgroups of a grid run at once, so kernels that wait for one another work, and one
that waits for a workgroup that does not exist hangs: every wait has a time limit.
"""

import ctypes
import re
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from kernel_engine import LOWERING, descriptor_of

from fsa.bindings import execution_engine, ir, passmanager
from fsa.dialects.fsa.ops.launch import LaunchOperands

# exp, erf and their kin become calls of the C library, element by element.
_LOWERING = LOWERING.replace(
    "convert-vector-to-llvm",
    "math-expand-ops{ops=rsqrt},convert-math-to-libm,convert-vector-to-llvm",
)
WAIT_SECONDS = 120.0
Array = np.ndarray[Any, Any]

_ELEMENTS: dict[str, Any] = {
    "f32": np.float32, "i32": np.int32, "f64": np.float64, "i64": np.int64,
    "f16": np.float16, "bf16": np.uint16, "i8": np.int8,
}  # fmt: skip
_WORKGROUP = ", #gpu.address_space<workgroup>"
_BUFFER = re.compile(r"(%\w+) : memref<((?:\d+x)*)(\w+)" + re.escape(_WORKGROUP) + ">")
_HELPERS = """
func.func private @sim_barrier() attributes {llvm.emit_c_interface}
func.func private @sim_shuffle_f32(f32, i32) -> f32 attributes {llvm.emit_c_interface}
func.func private @sim_shuffle_i32(i32, i32) -> i32 attributes {llvm.emit_c_interface}
"""


class Simulator:
    """The kernels of a module that passes have lowered, ready to run."""

    def __init__(self, module: Any):
        """Compile a copy of the GPU kernels in `module` (an `ir.Module`) for the host."""
        self._workgroups: dict[int, _Workgroup] = {}  # by the identity of a host thread
        self._buffers: dict[str, list[tuple[tuple[int, ...], Any]]] = {}
        functions = [
            self._as_function(str(op))
            for holder in module.body.operations
            if holder.operation.name == "gpu.module"
            for op in holder.operation.regions[0].blocks[0].operations
            if op.operation.name == "gpu.func"
        ]
        with module.context, ir.Location.unknown():
            host = ir.Module.parse("module {" + _HELPERS + "\n".join(functions) + "}")
            passmanager.PassManager.parse(_LOWERING).run(host.operation)
            self._engine = execution_engine.ExecutionEngine(host, opt_level=2)
        self._register()

    def run(self, name: str, arrays: Sequence[Array], grid: int, threads: int) -> None:
        """Run the kernel `name` over `grid` workgroups, in place on `arrays`: inputs, then outputs.

        Raises `TimeoutError` when a thread waits for too long, as for a workgroup that never comes.
        """
        workgroups = [_Workgroup(threads, self._buffers[name]) for _ in range(grid)]
        errors: list[BaseException] = []
        running = [
            threading.Thread(
                target=self._thread, args=(name, arrays, workgroup, number, thread, errors)
            )
            for number, workgroup in enumerate(workgroups)
            for thread in range(threads)
        ]
        for thread in running:
            thread.daemon = True
            thread.start()
        for thread in running:
            thread.join(WAIT_SECONDS)
            if thread.is_alive():
                raise TimeoutError(f"a thread of {name} still waits")
        if errors:
            raise errors[0]

    def _thread(
        self, name: str, arrays: Sequence[Array], workgroup: "_Workgroup", number: int,
        thread: int, errors: list[BaseException],
    ) -> None:  # fmt: skip
        self._workgroups[threading.get_ident()] = workgroup
        workgroup.numbers[threading.get_ident()] = thread
        pointers = [
            ctypes.pointer(ctypes.pointer(descriptor_of(a))) for a in (*arrays, *workgroup.memory)
        ]
        ids = [ctypes.pointer(ctypes.c_int64(i)) for i in (number, thread)]
        try:
            self._engine.invoke(name, *pointers, *ids)
        except BaseException as error:
            errors.append(error)

    def run_main(self, module: Any, arrays: Sequence[Array]) -> list[Array]:
        """Run the function `main` of a lowered module: launches of static sizes, one after another.

        Returns its results; bf16 as its bits.
        """
        known: dict[Any, Any] = {}
        for function in module.body.operations:
            if function.operation.name == "func.func":
                block = function.operation.regions[0].blocks[0]
                known.update(zip(block.arguments, arrays, strict=True))
                for op in block.operations:
                    self._step(op.operation, known)
                    last = op.operation
        return [known[value] for value in last.operands]

    def _step(self, op: Any, known: dict[Any, Any]) -> None:
        if op.name == "arith.constant":
            known[op.results[0]] = _constant(op)
        elif op.name in ("tensor.expand_shape", "tensor.collapse_shape"):
            known[op.results[0]] = known[op.operands[0]].reshape(op.results[0].type.shape)
        elif op.name == "fsa.launch":
            taken = LaunchOperands.of(op)
            made = [np.zeros(r.type.shape, _ELEMENTS[str(r.type.element_type)]) for r in op.results]
            kernel = str(op.attributes["kernel"]).rpartition("@")[2]
            grid, threads = known[op.operands[0]], next(iter(op.attributes["workgroup_size"]))
            self.run(kernel, [*(known[value] for value in taken.inputs), *made], grid, threads)
            known.update(zip(op.results, made, strict=True))

    # What kernels call.

    def _register(self) -> None:
        self._callbacks = {
            "sim_barrier": ctypes.CFUNCTYPE(None)(self._barrier),
            "sim_shuffle_f32": ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_float, ctypes.c_int32)(
                self._shuffle
            ),
            "sim_shuffle_i32": ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32, ctypes.c_int32)(
                self._shuffle
            ),
        }
        for name, callback in self._callbacks.items():
            self._engine.register_runtime(name, callback)

    def _barrier(self) -> None:
        self._workgroups[threading.get_ident()].barrier.wait(WAIT_SECONDS)

    def _shuffle(self, value: Any, offset: int) -> Any:
        workgroup = self._workgroups[threading.get_ident()]
        thread = workgroup.numbers[threading.get_ident()]
        workgroup.exchanged[thread] = value
        workgroup.barrier.wait(WAIT_SECONDS)
        other = workgroup.exchanged[thread ^ offset]
        workgroup.barrier.wait(WAIT_SECONDS)
        return other

    # From a gpu.func to a function of the host.

    def _as_function(self, text: str) -> str:
        name = re.search(r"@(\w+)", text)
        assert name is not None
        head, _, body = text.partition(" kernel ")
        buffers = _BUFFER.findall(head)
        self._buffers[name[1]] = [
            (tuple(int(size) for size in shape.split("x") if size), _ELEMENTS[element])
            for _, shape, element in buffers
        ]
        head = re.sub(r"\) workgroup\(", ", ", head.replace("gpu.func", "func.func"))
        head = head.rstrip().rstrip(")") + ", %block: index, %thread: index)"
        body = body[body.index("{\n") + 2 :]
        text = head + " attributes {llvm.emit_c_interface} {\n%none = arith.constant 0 : index\n"
        text += body
        for pattern, replacement in (
            (re.escape(_WORKGROUP), ""),
            (r"gpu\.thread_id +x", "arith.addi %thread, %none : index"),
            (r"gpu\.block_id +x", "arith.addi %block, %none : index"),
            (r"gpu\.barrier.*", "func.call @sim_barrier() : () -> ()"),
            (r"gpu\.return", "func.return"),
            (r" \{fsa\.aligned\}", ""),
            (
                r"(%\w+), %\w+ = gpu\.shuffle +xor (%\w+), (%\w+), %\w+ : (\w+)",
                r"\1 = func.call @sim_shuffle_\4(\2, \3) : (\4, i32) -> \4",
            ),
        ):
            text = re.sub(pattern, replacement, text)
        return text


def _constant(op: Any) -> Any:
    value = op.attributes["value"]
    return value.value if isinstance(value, ir.IntegerAttr) else np.array(value)


class _Workgroup:
    """What the threads of a workgroup share."""

    def __init__(self, threads: int, buffers: Sequence[tuple[tuple[int, ...], Any]]):
        self.barrier = threading.Barrier(threads)
        self.memory = [np.zeros(shape, element) for shape, element in buffers]
        self.numbers: dict[int, int] = {}
        self.exchanged: list[Any] = [0] * threads

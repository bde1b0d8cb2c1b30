"""Targets: what a module is compiled for, and what the planner may assume of it.

A `Target` names a kind of device and describes it: lanes, caches, cores, workgroup memory, subgroup
size. It travels inside a module as the dictionary attribute `fsa.target`, so that a plan can be
tested and edited without the machine that it is for. This module imports neither MLIR nor IREE.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from fsa.errors import TargetError
from fsa.runtime import host
from fsa.runtime.target_tables import (
    ASSUMED_CORES,
    CPUS,
    CUDA,
    CUDA_DEFAULT,
    CUDA_FOR_IREE,
    GENERIC_CPU,
    VULKAN,
    VULKAN_DEFAULT,
    VULKAN_DEFAULT_DEVICE,
    CpuModel,
    GpuModel,
)
from fsa.suggestions import did_you_mean

Kind = Literal["cpu", "vulkan", "cuda"]
KINDS: tuple[str, ...] = get_args(Kind)
ATTRIBUTE = "fsa.target"
HOST_CPU = "host"

# Kernels keep per-workgroup buffers on the stack (routing logits: 1152 x 10 x 4 bytes); IREE's
# default of 32 KiB refuses them. Threads have megabytes.
STACK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Target:
    """A device to compile for. Sizes are in bytes unless their name says otherwise.

    `arch` is what the user wrote after the colon: an LLVM CPU name or "host" for cpu, an IREE
    Vulkan target or "" for vulkan, `sm_NN` for cuda. Fields that do not apply are 0 or False.
    """

    kind: Kind
    arch: str
    vector_bits: int = 0  # cpu: width of a vector register
    has_vector_popcount: bool = False  # cpu: AVX-512 VPOPCNTDQ
    has_vector_permute: bool = False  # cpu: lanes of a vector are picked by a vector of numbers
    has_bf16_rounding: bool = False  # cpu: AVX512_BF16, which narrows vectors of f32 to bf16
    cores: int = 0  # cpu: cores that share the work
    l1_bytes: int = 0  # data cache of one core
    l2_bytes: int = 0
    l3_bytes: int = 0
    workgroup_memory_bytes: int = 0  # gpu: shared memory of one workgroup
    max_workgroup_size: int = 0  # gpu: invocations in one workgroup
    subgroup_size: int = 0  # gpu: lanes that run together
    multiprocessors: int = 0  # gpu: compute units, for one wave of workgroups
    has_shuffle: bool = False  # gpu: gpu.shuffle of width 32 lowers
    has_i64: bool = True  # 64-bit integer arithmetic lowers
    has_f64: bool = True
    has_f16: bool = True  # f16 in memory; without it IREE reads its bits as part of an f32

    def __post_init__(self) -> None:
        """Refuse what no target can be."""
        if self.kind not in KINDS:
            raise TargetError(
                f"expected a target of kind {_listed(KINDS)}, found {self.kind!r}"
                f"{did_you_mean(str(self.kind), KINDS)}"
            )
        for field in fields(self):
            value = getattr(self, field.name)
            wanted = {"int": int, "bool": bool}.get(str(field.type), str)
            if type(value) is not wanted:
                raise TargetError(
                    f"expected {field.name} of a target to be of type {wanted.__name__}, "
                    f"found {value!r}"
                )
            if isinstance(value, int) and value < 0:
                raise TargetError(
                    f"expected {field.name} of a target to be 0 or more, found {value}"
                )

    def __str__(self) -> str:
        """Return the text that names this target, as a user writes it."""
        return f"{self.kind}:{self.arch}" if self.arch else self.kind

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return the target that `text` names, with its description; raise `TargetError`.

        Texts are `cpu` (this machine), `cpu:<LLVM CPU>`, `cpu:generic` (the baseline of this
        machine's architecture), `vulkan`, `vulkan:<IREE target>`, `cuda` and `cuda:sm_NN`.
        """
        kind, colon, arch = text.strip().partition(":")
        if kind not in KINDS:
            raise TargetError(
                f"expected a target of kind {_listed(KINDS)}, such as cpu, vulkan or cuda:sm_80, "
                f"found {text!r}{did_you_mean(kind, KINDS)}"
            )
        if colon and not arch:
            raise TargetError(f"expected a name after the colon, or no colon, found {text!r}")
        if kind == "cpu":
            return cls._cpu(arch or HOST_CPU)
        if kind == "vulkan":
            model = VULKAN_DEFAULT if not arch else _known("Vulkan target", arch, VULKAN)
            return cls._gpu("vulkan", arch, model, has_f64=False)
        arch = arch or CUDA_DEFAULT
        return cls._gpu("cuda", arch, _known("CUDA architecture", arch, CUDA), has_f64=True)

    @classmethod
    def _cpu(cls, arch: str) -> Target:
        """Describe a CPU: this machine as it is, a named one from the table."""
        if arch == HOST_CPU:
            small = CPUS["x86-64"]
            return cls(
                "cpu",
                arch,
                vector_bits=host.vector_bits(),
                has_vector_popcount="avx512_vpopcntdq" in host.features(),
                has_vector_permute="avx2" in host.features(),
                has_bf16_rounding="avx512_bf16" in host.features(),
                cores=host.usable_cores(),
                l1_bytes=host.cache_bytes(1) or small.l1 * 1024,
                l2_bytes=host.cache_bytes(2) or small.l2 * 1024,
                l3_bytes=host.cache_bytes(3) or 0,
            )
        baseline = {"x86_64": "x86-64"}.get(host.architecture(), "cortex-a53")
        name = baseline if arch == GENERIC_CPU else arch
        model: CpuModel = _known("CPU", name, CPUS, GENERIC_CPU, HOST_CPU)
        return cls(
            "cpu",
            arch,
            vector_bits=model.vector_bits,
            has_vector_popcount=model.vector_popcount,
            has_vector_permute=model.vector_permute,
            has_bf16_rounding=model.bf16_rounding,
            cores=ASSUMED_CORES,
            l1_bytes=model.l1 * 1024,
            l2_bytes=model.l2 * 1024,
            l3_bytes=model.l3 * 1024,
        )

    @classmethod
    def _gpu(cls, kind: Kind, arch: str, model: GpuModel, *, has_f64: bool) -> Target:
        return cls(
            kind,
            arch,
            workgroup_memory_bytes=model.workgroup_memory * 1024,
            max_workgroup_size=model.max_workgroup,
            subgroup_size=model.subgroup,
            multiprocessors=model.multiprocessors,
            has_shuffle=model.shuffle,
            has_i64=model.i64,
            has_f64=has_f64,
            has_f16=model is not VULKAN_DEFAULT,
        )

    def iree_flags(self) -> list[str]:
        """Return the flags that make IREE compile for this target."""
        # IREE narrows f64 by default, which changes signatures and breaks f64 kernels.
        flags = ["--iree-input-demote-f64-to-f32=false"]
        if self.kind == "cuda":
            arch = CUDA_FOR_IREE.get(self.arch, self.arch)
            return [*flags, "--iree-hal-target-device=cuda", f"--iree-cuda-target={arch}"]
        if self.kind == "vulkan":
            if not self.arch:
                return [*flags, f"--iree-hal-target-device={VULKAN_DEFAULT_DEVICE}"]
            device = "--iree-hal-target-device=vulkan"
            return [*flags, device, f"--iree-vulkan-target={self.arch}"]
        flags += [
            "--iree-hal-target-device=local",
            "--iree-hal-local-target-device-backends=llvm-cpu",
            f"--iree-llvmcpu-target-cpu={self.arch}",
            f"--iree-llvmcpu-stack-allocation-limit={STACK_BYTES}",
            # Both are off by default. Data tiling takes a vision transformer from 408 to 123 ms;
            # IREE's other way to it, --iree-opt-data-tiling, gave 112 ms and silently wrong results
            # where a matmul's rows are regrouped for the next one. Convolutions as matmuls took one
            # of 512x508x256x5 from 105.7 to 8.3 ms.
            "--iree-global-opt-data-tiling=true",
            "--iree-global-opt-use-im2col-for-convs=true",
        ]
        if self.llvm_architecture() != host.architecture():
            triple = f"{self.llvm_architecture()}-unknown-linux-gnu"
            flags.append(f"--iree-llvmcpu-target-triple={triple}")
        return flags

    def llvm_architecture(self) -> str:
        """Return the first part of the LLVM triple that a cpu target compiles for, else ""."""
        if self.kind != "cpu":
            return ""
        model = CPUS.get(self.arch)
        return host.architecture() if model is None else model.llvm_arch

    def to_attribute(self) -> Any:
        """Return the `ir.DictAttr` that describes this target; needs a current context."""
        from fsa.bindings import ir

        def attribute(value: bool | int | str) -> Any:
            if isinstance(value, bool):
                return ir.BoolAttr.get(value)
            if isinstance(value, int):
                return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
            return ir.StringAttr.get(value)

        return ir.DictAttr.get({name: attribute(value) for name, value in asdict(self).items()})

    @classmethod
    def of_module(cls, module: Any) -> Target:
        """Read the `fsa.target` attribute of a builtin.module.

        Raises ValueError without one, or when it describes no target.
        """
        attributes = module.attributes
        if ATTRIBUTE not in attributes:
            raise ValueError(
                f"expected the module to carry the attribute {ATTRIBUTE}, found none; "
                "run fsa-attach-target first"
            )
        given = attributes[ATTRIBUTE]
        try:
            return cls(**{f.name: given[f.name].value for f in fields(cls) if f.name in given})
        except (TypeError, AttributeError, TargetError) as error:
            raise ValueError(
                f"expected {ATTRIBUTE} to describe a target with kind and arch, found {given}: "
                f"{error}"
            ) from None


def _known(what: str, name: str, table: dict[str, Any], *others: str) -> Any:
    """Return the entry of `table`; raise `TargetError` with the nearest names."""
    if name in table:
        return table[name]
    names = [*others, *table]
    hint = did_you_mean(name, names) or f"; known are {_listed(tuple(names))}"
    raise TargetError(f"expected a known {what}, found {name!r}{hint}")


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"

"""Targets: what a module is compiled for, and what the planner may assume of it.

A `Target` names a kind of device and describes it: lanes, caches, cores, workgroup memory, subgroup
size. It travels inside a module as the dictionary attribute `fsa.target`, so that a plan can be
tested and edited without the machine that it is for. This module imports neither MLIR nor IREE.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Kind = Literal["cpu", "vulkan", "cuda"]
KINDS: tuple[str, ...] = get_args(Kind)
ATTRIBUTE = "fsa.target"


def nearest_text(found: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with the names of `known` nearest to `found`, or nothing."""
    import difflib

    near = difflib.get_close_matches(found, list(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


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

    def __str__(self) -> str:
        """Return the text that names this target, as a user writes it."""
        return f"{self.kind}:{self.arch}" if self.arch else self.kind

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

    def iree_flags(self):
        if self.kind == "cpu":
            return [
                "--iree-hal-target-device=local",
                "--iree-hal-local-target-device-backends=llvm-cpu",
                "--iree-llvmcpu-target-cpu=host",
                "--iree-input-demote-f64-to-f32=false",
            ]
        return ["--iree-hal-target-device=" + self.kind, "--iree-input-demote-f64-to-f32=false"]

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Return the target that a user names; raise `TargetError` for an unknown one."""
        from fsa.errors import TargetError

        kind, _, arch = text.partition(":")
        if kind not in KINDS:
            raise TargetError(
                f"expected a target of kind {', '.join(KINDS)}, found {text!r}{nearest_text(kind, KINDS)}"
            )
        return cls(kind, arch or {"cpu": "host", "vulkan": "", "cuda": "sm_89"}[kind])  # type: ignore

    @classmethod
    def of_module(cls, module: Any) -> "Target":
        """Read the `fsa.target` attribute of a builtin.module; raise ValueError without one."""
        attributes = module.attributes
        if ATTRIBUTE not in attributes:
            raise ValueError(
                f"expected the module to carry the attribute {ATTRIBUTE}, found none; "
                "run fsa-attach-target first"
            )
        given = attributes[ATTRIBUTE]
        return cls(**{f.name: given[f.name].value for f in fields(cls) if f.name in given})

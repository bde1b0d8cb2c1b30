"""Pass fsa-attach-target: write into the module what it is compiled for."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.errors import TargetError
from fsa.passes.base import Pass, PassError
from fsa.runtime.targets import ATTRIBUTE, Target


@dataclass(frozen=True)
class AttachTarget(Pass):
    """Attach the dictionary `fsa.target`, which plan passes read.

    A module that carries a target of the same kind keeps it, so that a description that a person
    edited, or a processor that was named before, stands; `override` replaces it. A target of
    another kind is an error without `override`.
    """

    name: ClassVar[str] = "fsa-attach-target"
    summary: ClassVar[str] = "Attach the description of the target to the module"

    target: str = field(
        default="cpu:host",
        metadata={
            "help": "cpu:host, cpu:<LLVM CPU>, vulkan, vulkan:<IREE target>, cuda or cuda:sm_NN"
        },
    )
    override: bool = field(
        default=False, metadata={"help": "replace the target that the module carries"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Set the attribute of the builtin.module `op`; raise `PassError` for a wrong target."""
        try:
            wanted = Target.parse(self.target)
            carried = Target.of_module(op) if ATTRIBUTE in op.attributes else None
        except (TargetError, ValueError) as error:
            raise PassError(op.location, str(error)) from None
        if carried is None or self.override:
            op.attributes[ATTRIBUTE] = wanted.to_attribute()
        elif carried.kind != wanted.kind:
            raise PassError(
                op.location,
                f"expected a module for {wanted.kind}, found {ATTRIBUTE} of {carried}",
            )

"""Pipeline fsa-clean-up: what imports from other frameworks need before anything else sees them.

Front ends write what their framework means, one op at a time: sums in f64, projections split into
heads before the matmul, the same constant many times. The steps here undo that. Each is a pass of
its own that can be left out by name; they are the first phase of the pipelines that lower a model.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.errors import InputError
from fsa.passes.base import Pass
from fsa.passes.fsa_check_absent import CheckAbsent
from fsa.pipelines.base import Phase, Pipeline
from fsa.suggestions import did_you_mean


@dataclass(frozen=True)
class Step:
    """A phase of clean-up: one pass called `name`, or those of `passes`, separated by commas."""

    name: str
    why: str
    passes: str = ""

    def names(self) -> list[str]:
        """Return the names of the passes in order."""
        return (self.passes or self.name).split(",")


FOLD = "canonicalize,cse"

# In the order in which they run. Upstream clean-ups stand between ours where folding opens work for
# the next step; they cannot be left out.
STEPS: tuple[Step, ...] = (
    Step(
        "fsa-generalize-elementwise",
        "IREE lacks the named element-wise ops of linalg; what follows knows one spelling.",
    ),
    Step(
        "fsa-deduplicate-constants",
        "Weights that are one may come as several; ops on equal ones are then seen to be equal.",
    ),
    Step(
        "fsa-simplify-sizes",
        "Whether a broadcast or a reshape of dynamic size does anything shows in its sizes.",
    ),
    Step(
        "fsa-simplify-indices",
        "Masks are gathered with tensors of positions, which hides that they are slices.",
    ),
    Step(
        "fold-sizes",
        "Branches on sizes that are decided now go, and with them the values that they used.",
        FOLD,
    ),
    Step(
        "fsa-simplify-broadcasts",
        "Tensors that bodies extract from are inputs for the steps that follow.",
    ),
    Step(
        "sizes-behind-broadcasts",
        "Sizes behind the broadcasts that are gone can be read now.",
        f"fsa-simplify-sizes,{FOLD}",
    ),
    Step(
        "fsa-fold-empty-loops",
        "IREE ends the process over the position of a maximum of nothing.",
    ),
    Step(
        "fsa-narrow-accumulators",
        "Front ends sum in f64, which Vulkan lacks and which IREE's stack limit does not expect.",
    ),
    Step(
        "fsa-widen-accumulators",
        "Frameworks sum f16 and bf16 in f32; imports do not say so.",
    ),
    Step(
        "fsa-simplify-reductions",
        "A softmax comes with the position of its maximum and with a test for rows all masked.",
    ),
    Step(
        "fsa-compute-gathered",
        "A loss takes few of the elements that are computed for it; sums before them stay.",
    ),
    Step("fold-sums", "Equal sums, in f64 for variances and in f32 for means, become one.", FOLD),
    Step(
        "fsa-propagate-transposes",
        "Transposes that end in front of a matmul are read by it, or cancel others.",
        f"fsa-propagate-transposes,{FOLD}",
    ),
    Step(
        "fsa-simplify-matmuls",
        "One matmul of all rows runs faster than one a sample with weights copied to each.",
        f"fsa-simplify-matmuls,fsa-simplify-sizes,{FOLD}",
    ),
    Step(
        "fsa-fold-layouts",
        "Models turn and reshape their weights; what follows sees them as they are used.",
    ),
    Step(
        "fsa-decompose-transposed-convolutions",
        "Most products of a transposed convolution, as front ends write it, are with zeros.",
    ),
    Step(
        "fsa-raise-binarized",
        "Thresholds are those of the batch norms as they were trained, before weights take them.",
        f"fsa-raise-binarized,{FOLD}",
    ),
    Step(
        "fsa-fold-batch-norm",
        "At inference a batch normalization is a scale and a shift that weights can take over.",
    ),
    Step("fold-weights", "What led to the old weights and to scalar operands goes.", FOLD),
    Step(
        "fsa-channels-last",
        "Bits lie along the channels; what stands between binarized ops is written the same way.",
        f"fsa-channels-last,fsa-fold-layouts,{FOLD}",
    ),
    Step(
        "fsa-simplify-fills",
        "Recurrent networks start from zeros, which a matmul need not read.",
        f"fsa-simplify-fills,{FOLD}",
    ),
    Step(
        "fsa-widen-convolutions",
        "Kernels of CPUs take f32, and IREE converts 16-bit floats again for each tap.",
        f"fsa-widen-convolutions,{FOLD}",
    ),
    Step(
        "fsa-convolutions-to-matmul",
        "Where no kernel takes them, windows of one pixel compile everywhere only as matmuls.",
        f"fsa-convolutions-to-matmul,{FOLD}",
    ),
    Step(
        "fsa-gather-reversed",
        "IREE cannot tile an op that walks an input backwards.",
    ),
    Step(
        "fsa-slice-strided-windows",
        "IREE computes of an image only what such windows read, whoever else reads it.",
    ),
    Step(
        "fsa-trim-convolutions",
        "IREE cannot compile windows with one output row over an input with rows to spare.",
    ),
    Step(
        "fsa-order-loops",
        "IREE is wrong about depthwise convolutions as they are defined, and refuses some on CPUs.",
    ),
    Step(
        "fsa-fuse-widened-operands",
        "IREE forgets a barrier between threads where a Vulkan kernel computes an operand first.",
    ),
)

SKIP_HELP = "clean-up passes to leave out, by name"


def skip_field() -> Any:
    """Return the dataclass field `skip` of a pipeline that cleans imports up."""
    return field(default=(), metadata={"help": SKIP_HELP})


def clean_up_phases(skip: tuple[str, ...]) -> tuple[Phase, ...]:
    """Return the steps as phases without the passes in `skip`; raise `InputError` for others."""
    known = sorted({name for step in STEPS for name in step.names() if name.startswith("fsa-")})
    for name in skip:
        if name not in known:
            raise InputError(
                f"expected a clean-up pass to skip, found '{name}'{did_you_mean(name, known)}"
            )
    kept = [(step, [name for name in step.names() if name not in skip]) for step in STEPS]
    return tuple(Phase(step.name, step.why, ",".join(names)) for step, names in kept if names)


@dataclass(frozen=True)
class FsaCleanUp(Pipeline):
    """Bring an imported module into the form that the other pipelines serve best.

    It takes linalg on tensors as front ends write it and leaves the same function in linalg on
    tensors. The pipelines fsa-to-linalg, fsa-to-cpu, fsa-to-vulkan and fsa-to-cuda begin with it.
    """

    name: ClassVar[str] = "fsa-clean-up"
    summary: ClassVar[str] = "Simplify what front ends import: f64 sums, layouts, constants"

    skip: tuple[str, ...] = skip_field()

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases."""
        return clean_up_phases(self.skip)

    def postconditions(self) -> tuple[Pass, ...]:
        """Return the check that no rewrite left a cast open."""
        return (CheckAbsent(ops=("builtin.unrealized_conversion_cast",), after=self.name),)

"""What an explanation says, as plain data that outlives the IR it was read from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA = 1

# memory: moves more than it computes; compute: a contraction or an op of the dialect; kernel: a
# launch of one of FSA's kernels; view: another shape of the same bytes; host: all the rest.
Kind = Literal["input", "output", "memory", "compute", "kernel", "view", "host"]
# What counts as a kernel of its own where each op is one.
COUNTED: tuple[Kind, ...] = ("memory", "compute", "kernel")

RULE = (
    "A kernel reads each distinct tensor it takes once and writes each result once, at most what "
    "its loops touch; before, every op that computes is a kernel; after, every launch is one and "
    "so is every op left to IREE, which fuses some of them. Views, fills, constants of one value "
    "and scalars move nothing. Sizes that are open count as {open_size}."
)


@dataclass(frozen=True)
class Op:
    """One op of a graph; `id` is its index there.

    `origin` are the ids of the ops in the graph before that it stems from. `label` is a few words,
    `type` its results, `takes` its operands. `read` and `written` are bytes. `region` is the
    stitched region that it is or becomes a part of, `kernel` the symbol of the kernel that it
    became or launches. `location` is where it stands in the model.
    """

    id: int
    name: str
    label: str
    kind: Kind
    type: str
    takes: tuple[str, ...] = ()
    read: int = 0
    written: int = 0
    origin: tuple[int, ...] = ()
    location: str = ""
    function: str = ""
    region: int | None = None
    kernel: str | None = None

    @property
    def is_kernel(self) -> bool:
        """Whether the op counts as a kernel."""
        return self.kind in COUNTED


@dataclass(frozen=True)
class Graph:
    """Ops in order, and edges (source, user, type of the value)."""

    ops: tuple[Op, ...] = ()
    edges: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True)
class Value:
    """How one value of a region is computed: `plan` is its attribute `fsa.stitch`."""

    label: str
    type: str
    ops: tuple[int, ...]
    plan: dict[str, Any]


@dataclass(frozen=True)
class Region:
    """A stitched region: the attribute `plan` of it, and what it takes the place of.

    `ops` are ids in the graph before. `like` is the first region with the same body and plan,
    itself if there is none before. Kernels and bytes follow `RULE`.
    """

    id: int
    function: str
    form: str
    reason: str
    plan: dict[str, Any]
    attributes: dict[str, Any]
    values: tuple[Value, ...]
    ops: tuple[int, ...]
    like: int
    kernels_before: int
    kernels_after: int
    bytes_before: int
    bytes_after: int
    text: str


@dataclass(frozen=True)
class Kernel:
    """A kernel of FSA's, or an op left to IREE (`symbol` is then empty), in the graph after.

    `op` is its id there. `family` is the part of the name that says what it computes. `replaces`
    are ids in the graph before. `plan` and `reasons` are what the plan pass of its family wrote;
    those of a region stand at the region.
    """

    symbol: str
    op: int
    family: str
    region: int | None
    read: int
    written: int
    replaces: tuple[int, ...]
    plan: dict[str, Any] = field(default_factory=dict[str, Any])
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """What a pass said about ops of the graph before: mostly what it left out, and why."""

    pass_name: str
    message: str
    ops: tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """Kernels and bytes by the rule; the second pair counts memory-bound kernels alone."""

    kernels: int
    bytes: int
    memory_kernels: int
    memory_bytes: int


@dataclass(frozen=True)
class Timing:
    """What one kernel takes of a call: launches, and seconds in all of them."""

    name: str
    launches: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Kernels as IREE's profiler records them on `device`: the portable lowering, and FSA's."""

    device: str
    calls: int
    before: tuple[Timing, ...]
    after: tuple[Timing, ...]


@dataclass(frozen=True)
class Explanation:
    """What the compiler makes of a model for a target, and why."""

    model: str
    target: str
    pipeline: str
    rule: str
    before: Graph
    after: Graph
    regions: tuple[Region, ...]
    kernels: tuple[Kernel, ...]
    remarks: tuple[Remark, ...]
    cost_before: Cost
    cost_after: Cost
    left_to_iree: tuple[int, ...]
    measured: Measured | None = None

    def data(self) -> dict[str, Any]:
        """Return everything as dictionaries, lists, numbers and text, ready for JSON."""
        return {"schema": SCHEMA, **asdict(self)}

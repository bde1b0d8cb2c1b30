"""Schedules of the capsule ops: what may be chosen for a device, and how it is chosen.

Pure functions of sizes and a `Target`; sizes are ints, or None where a dimension is dynamic. Every
choice takes what a person gave in `given` before it computes its own, and later choices follow it.
A schedule comes with the reasons for it, one short text a choice.
"""

from dataclasses import dataclass
from typing import Any

from fsa.passes.capsule.distribution import distribution
from fsa.runtime.targets import Target

Size = int | None

# Half of the smallest stack that an IREE CPU kernel may use by default.
LOCAL_BYTES = 16 * 1024
# What parts of a sample may be shared by workgroups: low-level or high-level capsules.
SPLIT = ("low", "high")
MIN_LANES = 4
# Sums across 8 lanes take fewer shuffles than across 16, and no more multiplications.
MAX_DOT_LANES = 8
# Sums of the first routing iteration kept in registers: of 16 or 32, some hold loaded vectors.
MAX_SWEEP = 12
GPU_THREADS = 128
# A workgroup's start costs well below a microsecond; this much data takes a few.
CPU_TASK_BYTES = 64 * 1024


@dataclass(frozen=True)
class RoutingCpu:
    """All routing iterations in one launch of workgroups of one thread.

    `distribute`: "batch" runs a sample a workgroup, "none" a whole batch that shares its logits in
    one, both with all iterations in one launch; with "low" or "high", `parts` workgroups share
    the low-level or high-level capsules, and an iteration is a launch. `lanes` elements of D form a
    vector and as many low-level capsules a tile; dot products run in `dot_lanes`; `prefetch`
    fetches the next "sample" while one is routed, the next "tile" of it, "both" or "none"; `sweep`
    vectors of H x D are summed at once in the first iteration; `buffers` says where sums,
    directions and logits live. With 2 `tiles` the softmax of one is computed beside the weighted
    sum of the other.
    """

    distribute: str
    parts: int
    lanes: int
    dot_lanes: int
    sweep: int
    buffers: str
    prefetch: str
    tiles: int


@dataclass(frozen=True)
class PredictCpu:
    """`lanes` elements form a vector; a workgroup computes `tile` low-level capsules.

    `weights`: "packed" are turned to [L, Din, H, D] at compile time, with lanes along H x D, of
    which `sweep` vectors are summed at once; "given" stay [L, H, D, Din], with lanes along Din.
    """

    weights: str
    lanes: int
    sweep: int
    tile: int


@dataclass(frozen=True)
class SquashCpu:
    """`lanes` elements of D form a vector; a workgroup computes `tile` vectors."""

    lanes: int
    tile: int


@dataclass(frozen=True)
class RoutingGpu:
    """Routing on a GPU.

    `strategy`: "one_launch" keeps a sample in one workgroup, with sums, directions and the
    coefficients of `tile` low-level capsules in workgroup memory, and `parts` threads sum each
    element of the output; "launch_per_step" launches coefficients and update of each iteration
    apart (`tile` and `parts` are then 1).
    """

    strategy: str
    workgroup_size: int
    tile: int
    parts: int


@dataclass(frozen=True)
class ElementGpu:
    """One thread an element of the result (`capsule_predict`) or a vector of it (`squash`)."""

    workgroup_size: int


def accumulator_bytes(element: str) -> int:
    """Return the size of the type that sums are kept in: f64 for f64, else f32."""
    return 8 if element == "f64" else 4


def vector_lanes(target: Target, element: str, depth: Size) -> tuple[int, str]:
    """Return the lanes for dot products over `depth` elements, and why."""
    native = max(MIN_LANES, target.vector_bits // (8 * accumulator_bytes(element)))
    if depth is None:
        return native, f"lanes {native}: a whole register, its tail masked, as the depth is dynamic"
    fitting = MIN_LANES
    while fitting < min(depth, native):
        fitting *= 2
    # A narrower vector may waste fewer lanes for the same number of loads.
    while fitting > MIN_LANES and -(-depth // (fitting // 2)) == -(-depth // fitting):
        fitting //= 2
    return fitting, f"lanes {fitting}: a depth of {depth} in registers of {native} lanes"


def routing_cpu(
    shape: tuple[Size, Size, Size, Size],
    iterations: int,
    element: str,
    agreement: str,
    target: Target,
    given: dict[str, Any],
) -> tuple[RoutingCpu, list[str]]:
    """Schedule `fsa.capsule_routing` of [B, L, H, D] on a CPU."""
    _, _, high, depth = shape
    size = accumulator_bytes(element)
    lanes, why_lanes = vector_lanes(target, element, depth)
    lanes = given.get("lanes", lanes)
    distribute, parts, why = distribution(shape, iterations, agreement, target.cores)
    distribute = given.get("distribute", distribute)
    parts = given.get("parts", parts if distribute in SPLIT else 1)
    reasons = [*why, why_lanes]
    tiles, why = _tiles(shape, lanes, element, distribute, target)
    tiles = given.get("tiles", tiles)
    reasons.append(why)
    prefetch, why = _prefetch(shape, iterations, element, distribute, tiles, target)
    reasons.append(why)
    if high is None or depth is None:
        sweep, local = 1, False
        reasons.append("scratch: the number of sums is dynamic")
    else:
        sweep = max(1, min(MAX_SWEEP, -(-high * depth // lanes)))
        needed = (2 * high * depth + tiles * high * lanes) * size
        local = needed <= LOCAL_BYTES and distribute == "batch"
        reasons.append(
            f"local: {needed} bytes of sums, directions and logits"
            if local
            else "scratch: sums of the whole batch"
            if distribute == "none"
            else "scratch: sums cross from launch to launch"
            if distribute in SPLIT
            else f"scratch: {needed} bytes exceed {LOCAL_BYTES} of local memory"
        )
    return RoutingCpu(
        distribute=distribute,
        parts=parts,
        lanes=lanes,
        dot_lanes=given.get("dot_lanes", min(lanes, MAX_DOT_LANES)),
        sweep=given.get("sweep", sweep),
        prefetch=given.get("prefetch", prefetch),
        buffers=given.get("buffers", "local" if local else "scratch"),
        tiles=tiles,
    ), reasons


def _element_bytes(element: str) -> int:
    return {"f64": 8, "f32": 4}.get(element, 2)


def _tiles(
    shape: tuple[Size, Size, Size, Size], lanes: int, element: str, distribute: str, target: Target
) -> tuple[int, str]:
    """Return how many tiles a kernel works on at once, and why."""
    _, _, high, depth = shape
    if distribute != "batch" or high is None or depth is None:
        return 1, "tiles 1: a workgroup does not read one sample of known size"
    size = 2 * lanes * high * depth * _element_bytes(element)
    if size > target.l1_bytes:
        return 1, f"tiles 1: two take {size} bytes, and the first cache has {target.l1_bytes}"
    return 2, "tiles 2: the softmax of one waits beside the weighted sum of the other"


def _prefetch(
    shape: tuple[Size, Size, Size, Size],
    iterations: int,
    element: str,
    distribute: str,
    tiles: int,
    target: Target,
) -> tuple[str, str]:
    """Return what of u_hat a kernel fetches ahead, and why."""
    batch, low, high, depth = shape
    if distribute != "batch" or low is None or high is None or depth is None:
        return "none", "no prefetch: a workgroup does not read one sample of known size"
    size = low * high * depth * _element_bytes(element)
    if iterations == 1:
        return "none", "no prefetch: u_hat is read once, in the order of memory"
    # Two tiles at work leave time to come back from the second cache, where one sample fits it.
    is_far = (size if tiles > 1 else 2 * size) > target.l2_bytes > 0
    if batch == 1:
        if tiles > 1 and not is_far:
            return "none", f"no prefetch: {size} bytes fit the second cache, and no sample follows"
        return "tile", "prefetch tile: no sample follows"
    if is_far:
        return "both", (
            f"prefetch both: samples of {size} bytes exceed the second cache, so tiles come back "
            "from the third"
        )
    return "sample", f"prefetch sample: {size} bytes of the next while one is routed"


def predict_cpu(
    shape: tuple[Size, Size, Size, Size, Size],
    element: str,
    is_constant: bool,
    target: Target,
    given: dict[str, Any],
) -> tuple[PredictCpu, list[str]]:
    """Schedule `fsa.capsule_predict` of the sizes B, L, H, D, Din on a CPU."""
    batch, _, high, depth, inner = shape
    choice, why_weights = (
        ("given", "given: the weights are not known at compile time")
        if not is_constant
        else ("given", "given: one sample reads each weight once, from memory in either order")
        if batch == 1
        else ("packed", "packed: the weights are constant, and no sum crosses lanes")
    )
    weights = given.get("weights", choice)
    width = None if high is None or depth is None else high * depth
    lanes, why = vector_lanes(target, element, width if weights == "packed" else inner)
    lanes = given.get("lanes", lanes)
    sweep = min(MAX_SWEEP, -(-width // lanes)) if weights == "packed" and width else 1
    row = (high or 16) * (depth or 16) * (inner or 16) * accumulator_bytes(element)
    tile = given.get("tile", max(1, CPU_TASK_BYTES // max(row, 1)))
    return PredictCpu(weights, lanes, given.get("sweep", max(1, sweep)), tile), [
        why_weights,
        why,
        f"tile {tile}: {row} bytes of weights a low-level capsule",
    ]


def squash_cpu(
    depth: Size, element: str, target: Target, given: dict[str, Any]
) -> tuple[SquashCpu, list[str]]:
    """Schedule `fsa.squash` over vectors of `depth` elements on a CPU."""
    lanes, why = vector_lanes(target, element, depth)
    lanes = given.get("lanes", lanes)
    row = (depth or 16) * accumulator_bytes(element)
    # Whole groups of `lanes` vectors share one reduction.
    tile = max(1, CPU_TASK_BYTES // max(row * lanes, 1)) * lanes
    return SquashCpu(lanes=lanes, tile=given.get("tile", tile)), [
        why,
        f"tile {tile}: {row} bytes a vector",
    ]


def routing_gpu(
    shape: tuple[Size, Size, Size, Size],
    element: str,
    agreement: str,
    target: Target,
    given: dict[str, Any],
) -> tuple[RoutingGpu, list[str]]:
    """Schedule `fsa.capsule_routing` of [B, L, H, D] on a GPU."""
    _, _, high, depth = shape
    threads: int = given.get("workgroup_size", gpu_threads(target))
    if agreement == "batch_shared":
        reason = "launch_per_step: the logits sum over the batch, which no workgroup holds"
    elif high is None or depth is None:
        reason = "launch_per_step: workgroup memory needs static sizes"
    else:
        parts: int = given.get("parts", max(1, threads // max(high * depth, 1)))
        tile: int = given.get("tile", max(parts, -(-2 * threads // max(high, 1))))
        fixed = ((parts + 1) * high * depth + high) * accumulator_bytes(element)
        free = target.workgroup_memory_bytes - fixed
        fitting = free // max(high * accumulator_bytes(element), 1)
        if fitting >= 1:
            tile = min(tile, fitting)
            return RoutingGpu(
                given.get("strategy", "one_launch"), threads, tile, min(parts, tile)
            ), [
                "one_launch: samples are independent",
                f"tile {tile}, parts {min(parts, tile)}: {fixed} bytes of sums and directions "
                f"leave room for {fitting} rows of coefficients",
            ]
        reason = (
            f"launch_per_step: {fixed} bytes of sums and directions exceed "
            f"{target.workgroup_memory_bytes} of workgroup memory"
        )
    return RoutingGpu(given.get("strategy", "launch_per_step"), threads, 1, 1), [reason]


def element_gpu(target: Target, given: dict[str, Any]) -> tuple[ElementGpu, list[str]]:
    """Schedule `fsa.capsule_predict` or `fsa.squash` on a GPU."""
    threads = given.get("workgroup_size", gpu_threads(target))
    return ElementGpu(threads), ["one thread an element: no sum is shared"]


def gpu_threads(target: Target) -> int:
    """Return the threads of a workgroup: a power of two that the target allows."""
    return min(GPU_THREADS, target.max_workgroup_size) if target.max_workgroup_size else GPU_THREADS

"""What kernels cost on GPUs, from published figures: not calibrated on hardware.

`BANDWIDTH` is what the vendors' datasheets and product pages state for the largest common product
of each generation, the same products whose compute units `runtime/target_tables.py` counts. What no
datasheet states is assumed, and said so beside it. The costs rank two ways to compute the same
thing on one device, in which most of it cancels: bytes that need not cross memory and launches that
are saved decide.
"""

from fsa.passes.stitching.device_costs import DeviceCosts, KernelCosts
from fsa.runtime.targets import Target

# Memory bandwidth in GB/s (10^9 bytes a second).
BANDWIDTH: dict[str, float] = {
    "sm_60": 732,  # Tesla P100 16 GB, HBM2
    "sm_61": 484,  # GTX 1080 Ti, GDDR5X
    "sm_62": 59.7,  # Jetson TX2, LPDDR4
    "sm_70": 900,  # Tesla V100, HBM2
    "sm_72": 136.5,  # Jetson AGX Xavier 32 GB, LPDDR4x
    "sm_75": 320,  # T4, GDDR6
    "sm_80": 1555,  # A100 40 GB, HBM2
    "sm_86": 936,  # RTX 3090, GDDR6X
    "sm_87": 204.8,  # Jetson AGX Orin, LPDDR5
    "sm_89": 1008,  # RTX 4090, GDDR6X
    "sm_90": 3350,  # H100 SXM, HBM3
    "sm_120": 1792,  # RTX 5090, GDDR7
    "sm_121": 273,  # GB10 (DGX Spark), LPDDR5x
    "pascal": 484,  # GTX 1080 Ti
    "volta": 900,  # Tesla V100
    "turing": 672,  # Titan RTX
    "ampere": 936,  # RTX 3090
    "ada": 1008,  # RTX 4090
    "a100": 1555,
    "rtx3070": 448,
    "rtx3080": 760,
    "rtx3090": 936,
    "rtx4060": 272,
    "rtx4070": 504,
    "rtx4080": 717,
    "rtx4090": 1008,
    "rdna1": 448,  # RX 5700 XT
    "rdna2": 512,  # RX 6900 XT
    "rdna3": 960,  # RX 7900 XTX
    "rdna4": 640,  # RX 9070 XT
    "rx7900xtx": 960,
    "rx7800xt": 624,
    "cdna1": 1229,  # Instinct MI100
    "cdna2": 1638,  # Instinct MI210
    "cdna3": 5300,  # Instinct MI300X
    "mi250x": 3277,
    "mi300x": 5300,
}
# A phone's or tablet's LPDDR5: 6400 million transfers a second over 64 bits. For every target that
# is not a product: Mali, Adreno, the default profile, a software device.
OTHER_BANDWIDTH = 51.2

# A launch on a V100 as the authors of AStitch give it (Zheng et al., ASPLOS 2022): about 10 us.
LAUNCH = 10_000.0
# Assumed: data in the last-level cache come twice as fast as from memory.
CACHE_SPEED_UP = 2.0
# Assumed for the targets of the table: 4 MiB, the smallest last-level cache of its products.
CACHE_BYTES = 4 << 20
# Assumed: a unit starts 64 simple operations a cycle at 1.5 GHz; those of the special-function
# units and the polynomials around them (exp, erf, tanh) take eight times as long.
OPERATIONS_A_NANOSECOND = 64 * 1.5
COSTLY = 8
# An element of 4 bytes, read against the order of the result, moves a sector of 32 bytes.
SECTOR_BYTES, ELEMENT_BYTES = 32, 4


def gpu_costs(target: Target) -> DeviceCosts:
    """Return the costs of IREE's kernels and of stitched ones on a GPU, for one compute unit.

    All units share the bandwidth, so that a kernel with fewer tasks than units takes longer.
    """
    units = max(target.multiprocessors, 1)
    byte = units / BANDWIDTH.get(target.arch, OTHER_BANDWIDTH)
    operation = 1 / OPERATIONS_A_NANOSECOND

    def costs(strided: float) -> KernelCosts:
        return KernelCosts(
            launch=LAUNCH,
            cached_byte=byte / CACHE_SPEED_UP,
            memory_byte=byte,
            cheap=operation,
            costly=COSTLY * operation,
            cheap_by_row=operation,
            costly_by_row=COSTLY * operation,
            row_step=operation,
            column_step=operation,
            strided=strided,
            scattered=strided,
        )

    # IREE's transposes for CUDA go through workgroup memory, ours read against the order.
    against = byte * (SECTOR_BYTES - ELEMENT_BYTES)
    if target.kind == "cuda":
        return DeviceCosts(costs(0.0), costs(against))
    # Where both take as long, ours runs: IREE 3.13 refuses some reductions of open sizes and some
    # conversions of bf16 for Vulkan.
    return DeviceCosts(costs(against), costs(against), worthwhile=1.0, takes_open_reductions=False)

"""What kernels cost on a device: the numbers behind the choice of stitched regions.

Nanoseconds. Those of a CPU are measured per kernel by `python -m fsa.benchmarks.stitching_costs`,
those of GPUs come from datasheets (`gpu_costs`); the model that uses them is in `benefit`. They
rank two ways to compute the same thing, so ratios matter, not the clock.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class KernelCosts:
    """Costs of the kernels of one compiler, in nanoseconds.

    `launch` is what one more kernel takes. `cached_byte` counts where all that a kernel reads and
    writes fits the cache, `memory_byte` else. The others are per element and operation: `cheap`
    and `costly` ones, both again in kernels that reduce along rows (`cheap_by_row`,
    `costly_by_row`); the step of a sum or maximum along rows (`row_step`) or columns
    (`column_step`); and an element read against the order of the result, where the dimension that
    lies in memory is long enough for tiles (`strided`) and where it is not (`scattered`).
    """

    launch: float
    cached_byte: float
    memory_byte: float
    cheap: float
    costly: float
    cheap_by_row: float
    costly_by_row: float
    row_step: float
    column_step: float
    strided: float
    scattered: float


@dataclass(frozen=True)
class DeviceCosts:
    """Costs of IREE's own kernels and of stitched ones on a kind of device."""

    portable: KernelCosts
    stitched: KernelCosts
    # A region must be expected to take at most this share of the time without it.
    worthwhile: float = 0.95
    # Whether IREE compiles reductions of tensors of open sizes for it whatever their maps are.
    takes_open_reductions: bool = True


# One core with AVX-512 at about 4 GHz.
CPU = DeviceCosts(
    portable=KernelCosts(
        launch=500.0,
        cached_byte=0.009,
        memory_byte=0.045,
        cheap=0.01,
        costly=0.12,
        cheap_by_row=0.12,
        costly_by_row=0.35,
        row_step=0.2,
        column_step=0.02,
        strided=0.2,
        scattered=0.2,
    ),
    stitched=KernelCosts(
        launch=500.0,
        cached_byte=0.009,
        memory_byte=0.045,
        cheap=0.01,
        costly=0.075,
        cheap_by_row=0.01,
        costly_by_row=0.12,
        row_step=0.03,
        column_step=0.02,
        strided=0.1,
        scattered=2.3,
    ),
)

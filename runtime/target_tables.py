"""What is known of named processors and GPUs.

CPUs: register width, VPOPCNTDQ and AVX512_BF16 from LLVM's processor definitions (X86.td,
AArch64Processors.td); data caches of one core, and the last-level cache that its cores share, from
the vendors' optimization manuals and product pages, in KiB, where products differ the smaller.

GPUs: workgroup limits are those that IREE 3.13 compiles for (its known targets, which cite CUDA's
compute-capability tables, vendor ISA guides and Vulkan profiles); for CUDA, shared memory is the
48 KiB that a kernel can declare statically on every architecture. `multiprocessors` are those of
the largest common product of the generation; for a class of devices (Vulkan profiles) assumed.

Only names in these tables reach IREE: it ends the process on a name that it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CpuModel:
    """A processor by its LLVM name. Caches are in KiB; `llvm_arch` is the triple's first part."""

    llvm_arch: str
    vector_bits: int
    l1: int
    l2: int
    l3: int
    vector_popcount: bool = False
    vector_permute: bool = False
    bf16_rounding: bool = False


@dataclass(frozen=True)
class GpuModel:
    """A GPU or class of GPUs. `workgroup_memory` is in KiB."""

    subgroup: int
    max_workgroup: int
    workgroup_memory: int
    multiprocessors: int
    i64: bool
    shuffle: bool


# Cores are a property of a machine, not of a processor model: planning assumes this many.
ASSUMED_CORES = 8
GENERIC_CPU = "generic"

_X86 = {
    # name: vector bits, L1 data, L2, L3, VPOPCNTDQ
    "x86-64": (128, 32, 256, 4096, False),
    "x86-64-v2": (128, 32, 256, 8192, False),
    "x86-64-v3": (256, 32, 256, 8192, False),
    "x86-64-v4": (512, 32, 1024, 16384, False),
    "nehalem": (128, 32, 256, 8192, False),
    "westmere": (128, 32, 256, 12288, False),
    "sandybridge": (256, 32, 256, 8192, False),
    "ivybridge": (256, 32, 256, 8192, False),
    "haswell": (256, 32, 256, 8192, False),
    "broadwell": (256, 32, 256, 6144, False),
    "skylake": (256, 32, 256, 8192, False),
    "skylake-avx512": (512, 32, 1024, 11264, False),
    "cascadelake": (512, 32, 1024, 11264, False),
    "cooperlake": (512, 32, 1024, 22528, False),
    "icelake-client": (512, 48, 512, 8192, True),
    "icelake-server": (512, 48, 1280, 24576, True),
    "rocketlake": (512, 48, 512, 16384, True),
    "tigerlake": (512, 48, 1280, 12288, True),
    "alderlake": (256, 32, 1280, 12288, False),
    "raptorlake": (256, 32, 2048, 24576, False),
    "meteorlake": (256, 32, 2048, 24576, False),
    "arrowlake": (256, 48, 3072, 24576, False),
    "lunarlake": (256, 48, 2560, 12288, False),
    "gracemont": (256, 32, 2048, 6144, False),
    "sierraforest": (256, 32, 4096, 98304, False),
    "sapphirerapids": (512, 48, 2048, 26880, True),
    "emeraldrapids": (512, 48, 2048, 61440, True),
    "graniterapids": (512, 48, 2048, 73728, True),
    "btver2": (128, 32, 1024, 0, False),
    "bdver4": (128, 32, 1024, 0, False),
    "znver1": (256, 32, 512, 8192, False),
    "znver2": (256, 32, 512, 16384, False),
    "znver3": (256, 32, 512, 32768, False),
    "znver4": (512, 32, 1024, 32768, True),
    "znver5": (512, 48, 1024, 32768, True),
}
# Vectors of 256 bits, but the instructions of AVX2 that pick lanes are missing.
_AVX_ONLY = ("sandybridge", "ivybridge")
# AVX512_BF16.
_BF16_ROUNDING = (
    *("cooperlake", "sapphirerapids", "emeraldrapids", "graniterapids"),
    *("znver4", "znver5"),
)
_AARCH64 = {
    # name: L1 data, L2, L3. Registers are NEON's 128 bits: kernels use no scalable vectors.
    "cortex-a53": (32, 512, 0),
    "cortex-a55": (32, 128, 2048),
    "cortex-a72": (32, 1024, 0),
    "cortex-a76": (64, 256, 2048),
    "cortex-a78": (32, 256, 4096),
    "cortex-x1": (64, 512, 4096),
    "cortex-x2": (64, 512, 4096),
    "cortex-x3": (64, 512, 8192),
    "neoverse-n1": (64, 1024, 32768),
    "neoverse-n2": (64, 1024, 32768),
    "neoverse-v1": (64, 1024, 32768),
    "neoverse-v2": (64, 2048, 36864),
    "grace": (64, 1024, 116736),
    "ampere1": (64, 2048, 16384),
    "apple-m1": (128, 12288, 8192),
    "apple-m2": (128, 16384, 8192),
    "apple-m3": (128, 16384, 8192),
    "apple-m4": (128, 16384, 8192),
}
CPUS: dict[str, CpuModel] = {
    **{
        name: CpuModel(
            *("x86_64", bits, l1, l2, l3, popcount),
            vector_permute=bits >= 256 and name not in _AVX_ONLY,
            bf16_rounding=name in _BF16_ROUNDING,
        )
        for name, (bits, l1, l2, l3, popcount) in _X86.items()
    },
    **{name: CpuModel("aarch64", 128, *caches) for name, caches in _AARCH64.items()},
}

CUDA_DEFAULT = "sm_89"
CUDA: dict[str, GpuModel] = {
    "sm_60": GpuModel(32, 1024, 48, 56, True, True),  # P100
    "sm_61": GpuModel(32, 1024, 48, 28, True, True),  # GTX 1080 Ti
    "sm_62": GpuModel(32, 1024, 48, 2, True, True),  # Jetson TX2
    "sm_70": GpuModel(32, 1024, 48, 80, True, True),  # V100
    "sm_72": GpuModel(32, 1024, 48, 8, True, True),  # Jetson Xavier
    "sm_75": GpuModel(32, 1024, 48, 40, True, True),  # T4
    "sm_80": GpuModel(32, 1024, 48, 108, True, True),  # A100
    "sm_86": GpuModel(32, 1024, 48, 82, True, True),  # RTX 3090
    "sm_87": GpuModel(32, 1024, 48, 16, True, True),  # Jetson Orin
    "sm_89": GpuModel(32, 1024, 48, 128, True, True),  # RTX 4090
    "sm_90": GpuModel(32, 1024, 48, 132, True, True),  # H100 SXM
    "sm_120": GpuModel(32, 1024, 48, 170, True, True),  # RTX 5090
    "sm_121": GpuModel(32, 1024, 48, 48, True, True),  # GB10
}
# What to tell IREE 3.13 where it does not know an architecture: the driver of a newer card compiles
# PTX of an older one.
CUDA_FOR_IREE = {"sm_90": "sm_89"}

# The default, the Android baseline 2022 profile: what every current Vulkan device offers.
VULKAN_DEFAULT = GpuModel(64, 128, 16, 16, False, False)
# The same for IREE, and 64-bit integers. Without them IREE emulates those, and refuses nearly every
# vector of them, such as the mask of a transformer. A kernel that computes with none does not ask
# the device for the feature (shaderInt64), which desktop drivers have.
VULKAN_DEFAULT_DEVICE = (
    '#hal.device.target<"vulkan", [#hal.executable.target<"vulkan-spirv", "vulkan-spirv-fb", '
    "{iree_codegen.target_info = #iree_gpu.target<"
    'arch = "vp_android_baseline_2022", features = "spirv:v1.3,cap:Shader,cap:Int64", '
    "wgp = <compute = fp32|int64|int32, storage = b32, subgroup = none, "
    "subgroup_size_choices = [64], max_workgroup_sizes = [128, 128, 64], "
    "max_thread_count_per_workgroup = 128, max_workgroup_memory_bytes = 16384, "
    "max_workgroup_counts = [65535, 65535, 65535]>>}>]>"
)
_RDNA = {"rdna1": 40, "rdna2": 80, "rdna3": 96, "rdna4": 64, "rx7900xtx": 96, "rx7800xt": 60}
_CDNA = {"cdna1": 120, "cdna2": 104, "cdna3": 304, "mi250x": 220, "mi300x": 304}
_NVIDIA = {
    **{"pascal": 28, "volta": 80, "turing": 72, "ampere": 82, "ada": 128},
    **{"a100": 108, "rtx3070": 46, "rtx3080": 68, "rtx3090": 82},
    **{"rtx4060": 24, "rtx4070": 46, "rtx4080": 76, "rtx4090": 128},
}
VULKAN: dict[str, GpuModel] = {
    "vp_android_baseline_2022": VULKAN_DEFAULT,
    # Vulkan guarantees 32 KiB of shared memory on desktop drivers; more is up to the driver.
    **{name: GpuModel(32, 1024, 32, units, True, True) for name, units in _NVIDIA.items()},
    **{name: GpuModel(32, 1024, 32, units, True, True) for name, units in _RDNA.items()},
    **{name: GpuModel(64, 1024, 32, units, True, False) for name, units in _CDNA.items()},
    **{
        name: GpuModel(16, 512, 32, units, False, False)
        for name, units in {"valhall": 16, "valhall1": 16, "valhall2": 20, "valhall3": 16}.items()
    },
    "valhall4": GpuModel(16, 512, 32, 16, False, False),
    "arm5gen": GpuModel(16, 1024, 32, 12, True, False),
    "adreno": GpuModel(64, 1024, 32, 12, False, False),
    "llvmpipe": GpuModel(8, 1024, 32, 8, True, False),  # Mesa's software device
}

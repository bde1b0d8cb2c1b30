"""The sign of floats by integer arithmetic.

Devices compare floats with denormals flushed to zero, which would take a negative denormal for 0,
so kernels look at the bits.
"""

from fsa.bindings import ir
from fsa.passes.emitter import Builder, Value
from fsa.passes.emitter.types import element_type

# The bits of +infinity: those of every float >= 0 but -0.0 are no greater, as unsigned numbers.
INFINITY = {
    "f16": 0x7C00,
    "bf16": 0x7F80,
    "f32": 0x7F80_0000,
    "f64": 0x7FF0_0000_0000_0000,
}


def is_at_least_zero(builder: Builder, x: Value) -> Value:
    """Return the condition x >= 0 for floats: true for -0.0, false for NaN."""
    element = element_type(x)
    bits = builder.bitcast(x, ir.IntegerType.get_signless(element.width))
    if element.width == 16 and bits.type == element_type(bits):
        # Vulkan compares no 16-bit integers.
        bits = builder.cast(bits, ir.IntegerType.get_signless(32), signed=False)
    ordered = builder.compare("ule", bits, INFINITY[str(element)])
    minus_zero = builder.compare("eq", bits, 1 << (element.width - 1))
    return builder.bit_or(ordered, minus_zero)

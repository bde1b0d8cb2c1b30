"""Arithmetic that the capsule kernels of all devices share."""

from fsa.passes.emitter import Builder, Value


def squash_factor(builder: Builder, squared: Value, epsilon: float) -> Value:
    """Return n / ((1 + n) * sqrt(n + epsilon)) of squared lengths n, and 0 where n is 0."""
    root = builder.math("sqrt", builder.add(squared, builder.value(epsilon, squared.type)))
    one_more = builder.add(squared, builder.constant(1, squared.type))
    factor = builder.div(squared, builder.mul(one_more, root))
    zero = builder.constant(0, squared.type)
    return builder.select(builder.compare("eq", squared, zero), zero, factor)

"""How large the rounding error of a sum in f32 is, added up in blocks.

A sum of n numbers that are added one after another, or in any other order, has a rounding error of
at most gamma(n - 1) times the sum of their magnitudes, with gamma(k) = k u / (1 - k u), u = 2^-24.
Summed in blocks, the longest chain of additions that a number passes through counts instead of n
(N. J. Higham, "The accuracy of floating point summation", SIAM J. Sci. Comput. 14, 1993). `depth`
is that length. Which order a device adds in within a block makes no difference to the bound.
"""

import math

# Sums of at most SHORT numbers are left as they are.
SHORT = 64
# Numbers that are 16 apart are added first: a vector register of 16 f32, and chains of 256
# additions in blocks of 4096.
LANES = 16
BLOCK = 4096

UNIT_ROUNDOFF = 2.0**-24


def depth(*extents: int) -> int:
    """Return the longest chain of additions in a sum over axes of static `extents`, outer first.

    Adding to the initial value counts. A dynamic axis of n counts n / 16 + 17.
    """
    total = math.prod(extents)
    if total <= SHORT:
        return total
    *outer, inner = extents
    if outer and (total > BLOCK or inner < 2 * LANES):
        return depth(inner) + depth(*outer)
    if inner > BLOCK:
        blocks, tail = divmod(inner, BLOCK)
        chain = BLOCK // LANES + depth(blocks, LANES)
    else:
        groups, tail = divmod(inner, LANES)
        chain = math.prod(outer) * groups + LANES
    return max(chain, depth(*outer, tail) + 1) + 1 if tail else chain


def bound(*extents: int) -> float:
    """Return what the error of a sum over `extents` is at most, relative to the sum of magnitudes.

    It holds as long as no partial sum leaves the range of f32.
    """
    steps = depth(*extents) * UNIT_ROUNDOFF
    return steps / (1 - steps)

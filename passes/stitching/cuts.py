"""Where a group of very many ops is cut: planning and compiling a kernel grow faster than its code.

A value that crosses is one store and one load of an element, beside hundreds of ops on each side.
"""

from itertools import accumulate

from fsa.passes.stitching.scope import Group, Scope

MAX_OPS = 256  # of a region


def narrowest(scope: Scope, group: Group) -> int:
    """Return how many members the first part of a group takes, where fewest values cross.

    It is in the middle half, so that cutting on takes few steps.
    """
    count = len(group.members)
    at = {p: number for number, p in enumerate(group.members)}
    change = [0] * (count + 1)
    for number, p in enumerate(group.members):
        last = max((at[u] for u in scope.users[p] if u in at), default=number)
        change[number + 1] += 1  # a value crosses behind its op, up to its last user
        change[last + 1] -= 1
    crossing = list(accumulate(change))
    places = range(max(1, count // 4), max(2, count - count // 4))
    return min(places, key=lambda place: (crossing[place], abs(place - count // 2)))

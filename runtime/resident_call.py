"""The short way through a call: device tensors of the expected kinds in, device tensors out.

A call of a small function spends two microseconds in IREE, so here single operations of Python
count. The code is written out for each number of arguments, since a loop over them costs more than
the checks in it. One argument passes in the list that its tensor came in; several are packed in one
step, which costs less than to push each onto a list.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from iree.runtime import VmVariantList

# The packer behind IREE's own calls, which its package does not name in public; the versions of
# IREE that FSA takes are fixed.
from iree.runtime._binding import (
    ArgumentPacker,
    InvokeContext,
    _invoke_statics,  # pyright: ignore[reportPrivateUsage]
)

from fsa.runtime.tensors import DeviceTensor, TensorKind

PositionalCall = Callable[[tuple[Any, ...]], Any]

_SOURCE = """
def make(general, kinds, context, invoke, function, lock, failure, finish, kind):
    def call(arguments):
        try:
            ({names},) = arguments
            ({kinds},) = kinds  # at once, since another thread may change them all
            # An array, the most frequent other argument, need not raise an exception.
            known = type(a0) is make_tensor and {checks}
        except (AttributeError, ValueError):  # another type of argument, another number of them
            known = False
        if not known:
            return general(arguments)
        inputs = {inputs}
        outputs = make_list(1)
        try:
            with lock:
                invoke(function, inputs, outputs)
        except Exception as error:
            raise failure(error) from None
        return {result}
    return call
"""


def resident_call(
    general: PositionalCall,
    kinds: list[TensorKind | None],
    device: Any,
    invoke: Callable[..., None],
    function: Any,
    lock: Any,
    failure: Callable[[Exception], Exception],
    finish: Callable[[Any], Any],
    result_kind: TensorKind | None,
) -> PositionalCall:
    """Return a call of `function` that takes its arguments as a tuple.

    Arguments whose kinds are not those in `kinds`, which may change between calls, go to `general`.
    The one result has the kind `result_kind`; where that is None, `finish` makes the results from
    IREE's list. `failure` makes the error to raise from one of IREE's.
    """
    if not kinds:
        return general
    make = _maker(len(kinds), result_kind is not None)
    context = InvokeContext(device.hal)
    return make(general, kinds, context, invoke, function, lock, failure, finish, result_kind)


@cache
def _maker(count: int, one_result: bool) -> Callable[..., PositionalCall]:
    """Compile the code for `count` arguments, at least one."""
    names = [f"a{index}" for index in range(count)]
    views = ", ".join(f"{name}.known_view or {name}.view" for name in names)
    source = _SOURCE.format(
        names=", ".join(names),
        kinds=", ".join(f"k{index}" for index in range(count)),
        checks=" and ".join(
            f"{name}.kind_of_tensor is k{index}" for index, name in enumerate(names)
        ),
        inputs="a0.list_of_one" if count == 1 else f"pack(context, ({views}), no_keywords)",
        result="make_tensor(outputs, kind)" if one_result else "finish(outputs)",
    )
    packer = ArgumentPacker(_invoke_statics)
    namespace: dict[str, Any] = {
        "make_list": VmVariantList,
        "make_tensor": DeviceTensor,
        "no_keywords": {},
        "pack": packer.pack,
    }
    exec(source, namespace)
    return namespace["make"]

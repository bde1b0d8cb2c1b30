"""What random regions are built with: values over labels, the text that makes them, their meaning.

Every value is over a tuple of labels, each of a fixed size; ops combine values over any of them. A
label may be dynamic: its size is `?` in all types, and the arguments give it.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from stitched_cases import NUMPY, Text, tensor
from tracked_values import FLOATS, Tracked, exact, problem

SIZES = (1, 1, 2, 3, 5, 8, 16, 17, 31, 33, 64, 67)
MOST_ELEMENTS = 300_000
MOST_LABELS = 5


@dataclass(frozen=True)
class Value:
    """A value of the function: its name, the labels of its axes, its element type, its meaning."""

    name: str
    labels: str
    element: str
    meaning: Tracked

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self.meaning.value.shape


@dataclass(frozen=True)
class Region:
    """A function, arguments for it, and what to expect of its results."""

    text: str
    arguments: tuple[Any, ...]
    expected: tuple[tuple[Tracked, str], ...]

    def problems(self, results: Any) -> list[str]:
        """Return how the results differ from what is expected."""
        found = results if isinstance(results, tuple | list) else (results,)
        pairs = zip(found, self.expected, strict=True)
        texts = [problem(np.asarray(got), want, element) for got, (want, element) in pairs]
        return [f"result {k}: {text}" for k, text in enumerate(texts) if text is not None]


class Program:
    """A function that is being written: its values so far, and what makes the next ones."""

    def __init__(self, seed: int, empty: bool):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.sizes = {label: self.random.choice(SIZES) for label in "abc"}
        if empty and self.random.random() < 0.04:
            self.sizes[self.random.choice("abc")] = 0
        dynamic = self.random.random() < 0.35
        self.dynamic = {label for label in "abc" if dynamic and self.random.random() < 0.5}
        self.special = self.random.random() < 0.15
        self.element = self.random.choice(["f32", "f32", "f16", "bf16"])
        self.text = Text()
        self.arguments: list[np.ndarray] = []
        self.argument_types: list[str] = []
        self.values: list[Value] = []
        self.made: list[Value] = []
        self.size_values: dict[str, str] = {}

    # Labels and types.

    def type_of(self, labels: str, element: str) -> str:
        """Return the type of a value over `labels`."""
        sizes = ["?" if label in self.dynamic else self.sizes[label] for label in labels]
        return tensor(sizes, element)

    def shape_of(self, labels: str) -> list[int]:
        """Return the sizes of `labels`."""
        return [self.sizes[d] for d in labels]

    def new_label(self, size: int) -> str:
        """Return a static label of a size."""
        label = next(d for d in "defghijklmnopqrstuvwxyz" if d not in self.sizes)
        self.sizes[label] = size
        return label

    def shuffled(self, labels: str) -> str:
        """Return the labels in any order."""
        return "".join(self.random.sample(labels, len(labels)))

    def fits(self, labels: str) -> bool:
        """Whether a loop nest over `labels` is small enough."""
        return len(labels) <= MOST_LABELS and math.prod(self.shape_of(labels)) <= MOST_ELEMENTS

    # Values.

    def argument(self, labels: str, element: str) -> Value:
        """Add an argument of the function."""
        array = self._numbers(labels, element)
        name = f"%x{len(self.arguments)}"
        self.arguments.append(array)
        self.argument_types.append(self.type_of(labels, element))
        meaning = exact(array.astype(np.float64) if element in FLOATS else array)
        return Value(name, labels, element, meaning)

    def _numbers(self, labels: str, element: str) -> np.ndarray:
        shape = self.shape_of(labels)
        if element == "i1":
            return self.numbers.random(shape) < 0.5
        if element not in FLOATS:
            return self.numbers.integers(-20, 60, shape).astype(NUMPY[element])
        array = self.numbers.standard_normal(shape).astype(NUMPY[element])
        if self.special:
            chosen = self.numbers.random(shape) < 0.1
            special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0]).astype(NUMPY[element])
            array[chosen] = self.numbers.choice(special, int(chosen.sum()))
        return array

    def add(self, name: str, labels: str, element: str, meaning: Tracked) -> None:
        """Note a value that the text makes."""
        self.values.append(Value(name, labels, element, meaning))
        self.made.append(self.values[-1])

    def pick(self, *elements: str) -> Value | None:
        """A value, later ones more often, which makes chains; of one of `elements`, if given."""
        fitting = [v for v in self.values if not elements or v.element in elements]
        if not fitting:
            return None
        return self.random.choice(fitting[-4:] if self.random.random() < 0.7 else fitting)

    def static(self, *elements: str) -> Value | None:
        """A value with axes, none of them dynamic."""
        x = self.pick(*elements)
        return x if x and x.labels and not set(x.labels) & self.dynamic else None

    # Text.

    def empty(self, labels: str, element: str) -> str:
        """Write a tensor that has no contents yet."""
        sizes = ", ".join(self.size_values[d] for d in labels if d in self.dynamic)
        return self.text.op(f"tensor.empty({sizes}) : {self.type_of(labels, element)}")

    def filled(self, labels: str, element: str, constant: str) -> str:
        """Write a tensor that holds a constant everywhere."""
        kind = "" if constant in ("true", "false") else f" : {element}"
        start, out = self.text.op(f"arith.constant {constant}{kind}"), self.type_of(labels, element)
        return self.text.fill(start, element, self.empty(labels, element), out)

    def generic(
        self, labels: str, out: str, inputs: Sequence[Value], element: str, init: str,
        body: Callable[..., str],
    ) -> str:  # fmt: skip
        """A generic whose loops are `labels` in this order."""
        loops = dict(zip(labels, "abcdefg", strict=False))
        maps = ["".join(loops[d] for d in ls) for ls in (*(v.labels for v in inputs), out)]
        iterators = "".join("p" if d in out else "r" for d in labels)
        operands = [(v.name, self.type_of(v.labels, v.element)) for v in inputs]
        return self.text.generic(
            maps, iterators, operands, (init, self.type_of(out, element)), body
        )

    def elementwise(
        self, inputs: Sequence[Value], element: str, body: Callable[..., str],
        meaning: Callable[..., Tracked | None],
    ) -> None:  # fmt: skip
        """One op over the labels of all inputs, in any order, or on the tensors as they are."""
        labels = self.shuffled("".join(sorted({d for v in inputs for d in v.labels})))
        if not self.fits(labels):
            return
        plain = element == inputs[0].element and len({v.labels for v in inputs}) == 1
        plain = plain and bool(labels) and self.random.random() < 0.2
        if plain:
            labels = inputs[0].labels
        shape = self.shape_of(labels)
        result = meaning(*(aligned(v.meaning, v.labels, labels, shape) for v in inputs))
        if result is None:
            return
        line = _single_op(body, inputs, element) if plain else ""
        if line:
            made = self.text.op(line + self.type_of(labels, element))
        else:
            init = self.empty(labels, element)
            made = self.generic(
                labels, labels, inputs, element, init, lambda t, *names: body(t, *names[:-1])
            )
        self.add(made, labels, element, result)


def _single_op(body: Callable[..., str], inputs: Sequence[Value], element: str) -> str:
    """Return the one op of a body, without its type, if it can be of tensors as well, else ""."""
    text = Text()
    body(text, *(v.name for v in inputs))
    line = text.lines[0].partition(" = ")[2]
    # A choice on tensors names the type of its condition too, and a scalar is no tensor.
    of_inputs = line.count("%") == len(inputs) and not line.startswith("arith.select")
    is_single = len(text.lines) == 1 and line.endswith(f" : {element}")
    return line.removesuffix(element) if is_single and of_inputs else ""


def aligned(meaning: Tracked, labels: str, wanted: str, shape: Sequence[int]) -> Tracked:
    """Transpose and widen a value over `labels` to one over `wanted`."""
    order = [labels.index(d) for d in wanted if d in labels]
    sizes = [meaning.value.shape[labels.index(d)] if d in labels else 1 for d in wanted]

    def wide(array: np.ndarray) -> np.ndarray:
        return np.broadcast_to(array.transpose(order).reshape(sizes), shape).copy()

    return Tracked(wide(meaning.value), wide(meaning.error))

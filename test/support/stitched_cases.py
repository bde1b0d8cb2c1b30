"""Memory-bound functions on tensors, as MLIR text with their meaning in NumPy.

Each case is plain linalg; `fsa-form-stitched-regions` makes a region of it. `?` stands for a
dynamic dimension; the text is made from shapes, so every case runs at any size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

NUMPY = {
    "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": np.float64,
    "i1": np.bool_, "i8": np.int8, "i32": np.int32, "i64": np.int64,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A function `main`, arguments for it, and the expected results (float64 for floats)."""

    text: str
    arguments: tuple[Any, ...]
    expected: tuple[np.ndarray, ...]


def tensor(shape: Sequence[Any], element: str = "f32") -> str:
    """Return a tensor type; an extent is a number or "?"."""
    return f"tensor<{''.join(f'{n}x' for n in shape)}{element}>"


class Text:
    """Collects the body of a function."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0

    def op(self, text: str) -> str:
        """Append an op and return the name of its result."""
        name = f"%v{self.count}"
        self.count += 1
        self.lines.append(f"  {name} = {text}")
        return name

    def const(self, value: str, kind: str = "f32") -> str:
        return self.op(f"arith.constant {value} : {kind}")

    def empty(self, shape: Sequence[Any], element: str, like: dict[Any, str] | None = None) -> str:
        """An empty tensor; `like` names a size value for each dynamic position."""
        sizes = [(like or {})[k] for k, n in enumerate(shape) if n == "?"]
        return self.op(f"tensor.empty({', '.join(sizes)}) : {tensor(shape, element)}")

    def size(self, value: str, kind: str, axis: int) -> str:
        index = self.op(f"arith.constant {axis} : index")
        return self.op(f"tensor.dim {value}, {index} : {kind}")

    def generic(
        self, maps: Sequence[Sequence[str]], iterators: str, inputs: Sequence[tuple[str, str]],
        out: tuple[str, str], body: Callable[..., str],
    ) -> str:  # fmt: skip
        """A linalg.generic; `maps` like "ba" or ["2 * b + c"], `iterators` like "pr"."""
        loops = "abcdefg"[: len(iterators)]
        texts = [f"affine_map<({', '.join(loops)})->({', '.join(m)})>" for m in maps]
        kinds = ", ".join('"parallel"' if i == "p" else '"reduction"' for i in iterators)
        elements = [k.split("x")[-1].rstrip(">").replace("tensor<", "") for _, k in [*inputs, out]]
        names = [f"%i{self.count}_{k}" for k in range(len(elements))]
        inner = Text()
        inner.count = self.count * 1000
        result = body(inner, *names)
        arguments = ", ".join(f"{n}: {e}" for n, e in zip(names, elements, strict=True))
        return self.op(
            f"linalg.generic {{indexing_maps=[{', '.join(texts)}], iterator_types=[{kinds}]}} "
            f"ins({', '.join(n for n, _ in inputs)} : {', '.join(k for _, k in inputs)}) "
            f"outs({out[0]} : {out[1]}) {{\n  ^bb0({arguments}):\n"
            + "\n".join(f"  {line}" for line in inner.lines)
            + f"\n    linalg.yield {result} : {elements[-1]}\n  }} -> {out[1]}"
        )

    def fill(self, value: str, element: str, out: str, kind: str) -> str:
        return self.op(f"linalg.fill ins({value} : {element}) outs({out} : {kind}) -> {kind}")

    def function(self, arguments: Sequence[str], results: Sequence[tuple[str, str]]) -> str:
        header = ", ".join(f"%x{k}: {kind}" for k, kind in enumerate(arguments))
        kinds = ", ".join(kind for _, kind in results)
        names = ", ".join(name for name, _ in results)
        body = "\n".join(self.lines)
        return (
            f"func.func @main({header}) -> ({kinds}) {{\n{body}\n  return {names} : {kinds}\n}}\n"
        )


def _binary(name: str, kind: str = "f32") -> Callable[..., str]:
    return lambda t, x, y, o: t.op(f"{name} {x}, {y} : {kind}")


def _accumulate(name: str, kind: str = "f32") -> Callable[..., str]:
    return lambda t, x, o: t.op(f"{name} {o}, {x} : {kind}")


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def normal(shape: Sequence[int], element: str = "f32", scale: float = 1.0) -> np.ndarray:
    """Return normal random numbers as `element`."""
    return (_rng(len(shape)).standard_normal(tuple(shape)) * scale).astype(NUMPY[element])


def softmax(
    shape: tuple[int, int, int], element: str = "f32", dynamic: tuple[bool, ...] = (False,) * 3,
    all_outputs: bool = False,
) -> Case:  # fmt: skip
    """softmax(0.125 x + mask) along the last axis, in f32 inside; maxima and sums on demand."""
    t, n = Text(), [("?" if d else s) for s, d in zip(shape, dynamic, strict=True)]
    x, mask = tensor(n, element), tensor(n[1:], element)
    full, row = tensor(n), tensor(n[:2])
    sizes = {k: t.size("%x0", x, k) for k in range(3) if n[k] == "?"}
    e3, e2 = t.empty(n, "f32", sizes), t.empty(n[:2], "f32", sizes)
    out_empty = t.empty(n, element, sizes)
    eighth, low, zero = t.const("0.125"), t.const("0xFF800000"), t.const("0.0")

    def scale(b: Text, v: str, m: str, _: str) -> str:
        if element != "f32":
            v, m = (b.op(f"arith.extf {w} : {element} to f32") for w in (v, m))
        v = b.op(f"arith.mulf {v}, {eighth} : f32")
        return b.op(f"arith.addf {v}, {m} : f32")

    def shifted(b: Text, v: str, m: str, _: str) -> str:
        v = b.op(f"arith.subf {v}, {m} : f32")
        return b.op(f"math.exp {v} : f32")

    def divided(b: Text, v: str, s: str, _: str) -> str:
        v = b.op(f"arith.divf {v}, {s} : f32")
        return v if element == "f32" else b.op(f"arith.truncf {v} : f32 to {element}")

    s = t.generic(["abc", "bc", "abc"], "ppp", [("%x0", x), ("%x1", mask)], (e3, full), scale)
    lows = t.fill(low, "f32", e2, row)
    top = t.generic(["abc", "ab"], "ppr", [(s, full)], (lows, row), _accumulate("arith.maximumf"))
    e = t.generic(["abc", "ab", "abc"], "ppp", [(s, full), (top, row)], (e3, full), shifted)
    zeros = t.fill(zero, "f32", e2, row)
    total = t.generic(["abc", "ab"], "ppr", [(e, full)], (zeros, row), _accumulate("arith.addf"))
    y = t.generic(["abc", "ab", "abc"], "ppp", [(e, full), (total, row)], (out_empty, x), divided)
    xs, ms = normal(shape, element, 8.0), normal(shape[1:], element)
    v = 0.125 * xs.astype(np.float64) + ms.astype(np.float64)
    tops = v.max(-1, initial=-np.inf)
    with np.errstate(all="ignore"):
        ev = np.exp(v - tops[..., None])
        expected = [ev / ev.sum(-1, keepdims=True)]
    results = [(y, x)]
    if all_outputs:
        results += [(top, row), (e, full), (total, row)]
        expected += [tops, ev, ev.sum(-1)]
    return Case(t.function([x, mask], results), (xs, ms), tuple(expected))


def layer_norm_gelu(rows: int, n: int, dynamic: tuple[bool, bool] = (False, False)) -> Case:
    """x + residual + bias, layer norm (n - mean) / sqrt(var + 1e-5), then erf GELU."""
    t = Text()
    r_, n_ = ("?" if dynamic[0] else rows), ("?" if dynamic[1] else n)
    full, row, vec = tensor([r_, n_]), tensor([r_]), tensor([n_])
    sizes = {k: t.size("%x0", full, k) for k, d in enumerate((r_, n_)) if d == "?"}
    e2, e1 = t.empty([r_, n_], "f32", sizes), t.empty([r_], "f32", sizes)
    zero, eps, half = t.const("0.0"), t.const("1.0e-5"), t.const("0.5")
    one, isq = t.const("1.0"), t.const("0.70710677")
    if n_ == "?":
        count = t.op(f"arith.index_cast {sizes[1]} : index to i32")
        count = t.op(f"arith.sitofp {count} : i32 to f32")
    else:
        count = t.const(f"{n}.0")

    def add3(b: Text, x: str, r: str, c: str, _: str) -> str:
        x = b.op(f"arith.addf {x}, {r} : f32")
        return b.op(f"arith.addf {x}, {c} : f32")

    def centered(b: Text, h: str, s: str, _: str) -> str:
        m = b.op(f"arith.divf {s}, {count} : f32")
        return b.op(f"arith.subf {h}, {m} : f32")

    def square(b: Text, c: str, o: str) -> str:
        c = b.op(f"arith.mulf {c}, {c} : f32")
        return b.op(f"arith.addf {o}, {c} : f32")

    def gelu(b: Text, c: str, v: str, _: str) -> str:
        v = b.op(f"arith.divf {v}, {count} : f32")
        v = b.op(f"arith.addf {v}, {eps} : f32")
        v = b.op(f"math.rsqrt {v} : f32")
        y = b.op(f"arith.mulf {c}, {v} : f32")
        g = b.op(f"arith.mulf {y}, {isq} : f32")
        g = b.op(f"math.erf {g} : f32")
        g = b.op(f"arith.addf {g}, {one} : f32")
        y = b.op(f"arith.mulf {y}, {half} : f32")
        return b.op(f"arith.mulf {y}, {g} : f32")

    h = t.generic(
        ["ab", "ab", "b", "ab"],
        "pp",
        [("%x0", full), ("%x1", full), ("%x2", vec)],
        (e2, full),
        add3,
    )
    zeros = t.fill(zero, "f32", e1, row)
    s = t.generic(["ab", "a"], "pr", [(h, full)], (zeros, row), _accumulate("arith.addf"))
    c = t.generic(["ab", "a", "ab"], "pp", [(h, full), (s, row)], (e2, full), centered)
    v = t.generic(["ab", "a"], "pr", [(c, full)], (zeros, row), square)
    y = t.generic(["ab", "a", "ab"], "pp", [(c, full), (v, row)], (e2, full), gelu)
    x, r, bias = normal((rows, n)), normal((rows, n))[::-1].copy(), normal((n,))
    hv = x.astype(np.float64) + r + bias
    with np.errstate(all="ignore"):
        cv = hv - hv.sum(-1, keepdims=True) / n if n else hv
        yv = cv / np.sqrt((cv**2).sum(-1, keepdims=True) / n + 1e-5) if n else cv
    return Case(t.function([full, full, vec], [(y, full)]), (x, r, bias), (_gelu(yv),))


def _gelu(y: np.ndarray) -> np.ndarray:
    from math import erf

    return 0.5 * y * (1 + np.vectorize(erf, otypes=[np.float64])(y * 0.7071067690849304))


def column_sum(rows: int, columns: int, element: str = "f32", normalize: bool = False) -> Case:
    """Sums over the leading dimension; with `normalize`, x minus its column's mean as well."""
    t = Text()
    full, col = tensor([rows, columns], element), tensor([columns], element)
    zero, count = t.const("0.0", element), t.const(f"{max(rows, 1)}.0", element)
    zeros = t.fill(zero, element, t.empty([columns], element), col)
    s = t.generic(
        ["ab", "b"], "rp", [("%x0", full)], (zeros, col), _accumulate("arith.addf", element)
    )
    x = normal((rows, columns), element)
    results, expected = [(s, col)], [x.astype(np.float64).sum(0)]
    if normalize:

        def centered(b: Text, v: str, m: str, _: str) -> str:
            m = b.op(f"arith.divf {m}, {count} : {element}")
            return b.op(f"arith.subf {v}, {m} : {element}")

        e2 = t.empty([rows, columns], element)
        y = t.generic(["ab", "b", "ab"], "pp", [("%x0", full), (s, col)], (e2, full), centered)
        results.append((y, full))
        expected.append(x.astype(np.float64) - expected[0] / max(rows, 1))
    return Case(t.function([full], results), (x,), tuple(expected))


def chain(shape: Sequence[int], element: str = "f32", dynamic: bool = False) -> Case:
    """A chain of element-wise ops with a comparison, a select and a splat constant."""
    t = Text()
    n = ["?" for _ in shape] if dynamic else list(shape)
    kind = tensor(n, element)
    sizes = {k: t.size("%x0", kind, k) for k in range(len(n)) if n[k] == "?"}
    e = t.empty(n, element, sizes)
    zero, two = t.const("0.0", element), t.const("2.0", element)
    loops = "abcdefg"[: len(n)]
    p = "p" * len(n)

    def first(b: Text, x: str, y: str, _: str) -> str:
        x = b.op(f"arith.mulf {x}, {two} : {element}")
        return b.op(f"arith.subf {x}, {y} : {element}")

    def second(b: Text, x: str, _: str) -> str:
        c = b.op(f"arith.cmpf ogt, {x}, {zero} : {element}")
        y = b.op(f"math.tanh {x} : {element}")
        return b.op(f"arith.select {c}, {x}, {y} : {element}")

    a = t.generic([loops] * 3, p, [("%x0", kind), ("%x1", kind)], (e, kind), first)
    y = t.generic([loops] * 2, p, [(a, kind)], (e, kind), second)
    x0, x1 = normal(shape, element), normal(shape, element)[::-1].copy()
    v = 2 * x0.astype(np.float64) - x1.astype(np.float64)
    return Case(t.function([kind, kind], [(y, kind)]), (x0, x1), (np.where(v > 0, v, np.tanh(v)),))


def transposed(rows: int, columns: int) -> Case:
    """exp(x) read transposed, plus z, and its row sums."""
    t = Text()
    a, b_, row = tensor([columns, rows]), tensor([rows, columns]), tensor([rows])
    zero = t.const("0.0")
    e = t.generic(
        ["ab", "ab"], "pp", [("%x0", a)], (t.empty([columns, rows], "f32"), a),
        lambda b, x, o: b.op(f"math.exp {x} : f32"),
    )  # fmt: skip
    y = t.generic(
        ["ba", "ab", "ab"], "pp", [(e, a), ("%x1", b_)],
        (t.empty([rows, columns], "f32"), b_), _binary("arith.addf"),
    )  # fmt: skip
    zeros = t.fill(zero, "f32", t.empty([rows], "f32"), row)
    s = t.generic(["ab", "a"], "pr", [(y, b_)], (zeros, row), _accumulate("arith.addf"))
    x, z = normal((columns, rows)), normal((rows, columns))
    v = np.exp(x.astype(np.float64)).T + z
    return Case(t.function([a, b_], [(y, b_), (s, row)]), (x, z), (v, v.sum(1)))


def symmetric(n: int) -> Case:
    """y + transpose(y) for y = exp(x): one value read at two indices."""
    t = Text()
    kind = tensor([n, n])
    y = t.generic(
        ["ab", "ab"], "pp", [("%x0", kind)], (t.empty([n, n], "f32"), kind),
        lambda b, x, o: b.op(f"math.exp {x} : f32"),
    )  # fmt: skip
    z = t.generic(
        ["ab", "ba", "ab"], "pp", [(y, kind), (y, kind)], (t.empty([n, n], "f32"), kind),
        _binary("arith.addf"),
    )  # fmt: skip
    x = normal((n, n))
    v = np.exp(x.astype(np.float64))
    return Case(t.function([kind], [(z, kind)]), (x,), (v + v.T,))


def arg_max(rows: int, n: int) -> Case:
    """The first largest element of each row and its place: a reduction whose order counts."""
    from textwrap import dedent

    x = normal((rows, n))
    text = dedent(f"""
    func.func @main(%x0: tensor<{rows}x{n}xf32>) -> (tensor<{rows}xf32>, tensor<{rows}xi32>) {{
      %low = arith.constant 0xFF800000 : f32
      %zero = arith.constant 0 : i32
      %e = tensor.empty() : tensor<{rows}xf32>
      %i = tensor.empty() : tensor<{rows}xi32>
      %v = linalg.fill ins(%low : f32) outs(%e : tensor<{rows}xf32>) -> tensor<{rows}xf32>
      %p = linalg.fill ins(%zero : i32) outs(%i : tensor<{rows}xi32>) -> tensor<{rows}xi32>
      %r:2 = linalg.generic {{indexing_maps=[affine_map<(a,b)->(a,b)>, affine_map<(a,b)->(a)>,
          affine_map<(a,b)->(a)>], iterator_types=["parallel","reduction"]}}
          ins(%x0 : tensor<{rows}x{n}xf32>)
          outs(%v, %p : tensor<{rows}xf32>, tensor<{rows}xi32>) {{
      ^bb0(%x: f32, %best: f32, %at: i32):
        %k = linalg.index 1 : index
        %here = arith.index_cast %k : index to i32
        %more = arith.cmpf ogt, %x, %best : f32
        %b = arith.select %more, %x, %best : f32
        %a = arith.select %more, %here, %at : i32
        linalg.yield %b, %a : f32, i32
      }} -> (tensor<{rows}xf32>, tensor<{rows}xi32>)
      return %r#0, %r#1 : tensor<{rows}xf32>, tensor<{rows}xi32>
    }}""")
    return Case(text, (x,), (x.max(1).astype(np.float64), x.argmax(1).astype(np.int32)))


def whole_sum(shape: Sequence[int]) -> Case:
    """x divided by the sum of all its elements: a value that crosses to another kernel."""
    t = Text()
    kind, scalar = tensor(shape), tensor([])
    loops = "abcdefg"[: len(shape)]
    zeros = t.fill(t.const("0.0"), "f32", t.empty([], "f32"), scalar)
    s = t.generic(
        [loops, ""], "r" * len(shape), [("%x0", kind)], (zeros, scalar), _accumulate("arith.addf")
    )
    y = t.generic(
        [loops, "", loops], "p" * len(shape), [("%x0", kind), (s, scalar)],
        (t.empty(shape, "f32"), kind), _binary("arith.divf"),
    )  # fmt: skip
    x = np.abs(normal(shape)) + np.float32(0.1)
    total = x.astype(np.float64).sum()
    return Case(t.function([kind], [(y, kind), (s, scalar)]), (x,), (x / total, total))


def rows_then_columns(rows: int, n: int) -> Case:
    """Each row over its sum, then the sums of the columns of that."""
    t = Text()
    kind, row, col = tensor([rows, n]), tensor([rows]), tensor([n])
    zero = t.const("0.0")
    z1 = t.fill(zero, "f32", t.empty([rows], "f32"), row)
    s = t.generic(["ab", "a"], "pr", [("%x0", kind)], (z1, row), _accumulate("arith.addf"))
    y = t.generic(
        ["ab", "a", "ab"], "pp", [("%x0", kind), (s, row)],
        (t.empty([rows, n], "f32"), kind), _binary("arith.divf"),
    )  # fmt: skip
    z2 = t.fill(zero, "f32", t.empty([n], "f32"), col)
    c = t.generic(["ab", "b"], "rp", [(y, kind)], (z2, col), _accumulate("arith.addf"))
    x = np.abs(normal((rows, n))) + np.float32(0.1)
    v = x.astype(np.float64)
    v = v / v.sum(1, keepdims=True)
    return Case(t.function([kind], [(c, col)]), (x,), (v.sum(0),))


def group_norm(batch: int, space: int, groups: int, channels: int) -> Case:
    """Centre NHWC data by the mean of each (image, group): reduces dimensions 1 and 3."""
    t = Text()
    shape = [batch, space, groups, channels]
    kind, stat = tensor(shape), tensor([batch, groups])
    count = t.const(f"{space * channels}.0")
    zeros = t.fill(t.const("0.0"), "f32", t.empty([batch, groups], "f32"), stat)
    s = t.generic(["abcd", "ac"], "prpr", [("%x0", kind)], (zeros, stat), _accumulate("arith.addf"))

    def centered(b: Text, v: str, m: str, _: str) -> str:
        m = b.op(f"arith.divf {m}, {count} : f32")
        return b.op(f"arith.subf {v}, {m} : f32")

    y = t.generic(
        ["abcd", "ac", "abcd"], "pppp", [("%x0", kind), (s, stat)],
        (t.empty(shape, "f32"), kind), centered,
    )  # fmt: skip
    x = normal(shape)
    v = x.astype(np.float64)
    return Case(t.function([kind], [(y, kind)]), (x,), (v - v.mean((1, 3), keepdims=True),))


def scaled(shape: Sequence[int], scalar: str, value: float) -> Case:
    """x times a scalar operand of type `scalar`, plus it again."""
    t = Text()
    element = scalar if scalar.startswith(("f", "bf")) else "f32"
    kind = tensor(shape, element)
    factor = "%x1"
    if not scalar.startswith(("f", "bf")):
        if scalar == "index":
            factor = t.op("arith.index_cast %x1 : index to i32")
        source = "i32" if scalar == "index" else scalar
        factor = t.op(f"arith.sitofp {factor} : {source} to f32")
    loops = "abcdefg"[: len(shape)]

    def body(b: Text, x: str, _: str) -> str:
        x = b.op(f"arith.mulf {x}, {factor} : {element}")
        return b.op(f"arith.addf {x}, {factor} : {element}")

    e = t.empty(shape, element)
    y = t.generic([loops] * 2, "p" * len(shape), [("%x0", kind)], (e, kind), body)
    x = normal(shape, element)
    number: Any = int(value) if scalar in ("i32", "i64", "index") else NUMPY[scalar](value)
    return Case(
        t.function([kind, scalar], [(y, kind)]), (x, number),
        (x.astype(np.float64) * float(number) + float(number),),
    )  # fmt: skip


def booleans(rows: int, n: int) -> Case:
    """mask and x > 0 as i1, whether any of a row holds, and how many as i32."""
    t = Text()
    bits, kind = tensor([rows, n], "i1"), tensor([rows, n])
    any_, many = tensor([rows], "i1"), tensor([rows], "i32")
    zero, none = t.const("0.0"), t.const("0", "i32")
    false = t.op("arith.constant false")

    def both(b: Text, m: str, x: str, _: str) -> str:
        c = b.op(f"arith.cmpf ogt, {x}, {zero} : f32")
        return b.op(f"arith.andi {m}, {c} : i1")

    def counted(b: Text, v: str, o: str) -> str:
        v = b.op(f"arith.extui {v} : i1 to i32")
        return b.op(f"arith.addi {o}, {v} : i32")

    y = t.generic(
        ["ab"] * 3, "pp", [("%x0", bits), ("%x1", kind)], (t.empty([rows, n], "i1"), bits), both
    )
    f = t.fill(false, "i1", t.empty([rows], "i1"), any_)
    z = t.fill(none, "i32", t.empty([rows], "i32"), many)
    a = t.generic(["ab", "a"], "pr", [(y, bits)], (f, any_), _accumulate("arith.ori", "i1"))
    c = t.generic(["ab", "a"], "pr", [(y, bits)], (z, many), counted)
    m, x = normal((rows, n)) > 0.5, normal((rows, n))[:, ::-1].copy()
    v = m & (x > 0)
    return Case(
        t.function([bits, kind], [(y, bits), (a, any_), (c, many)]), (m, x),
        (v, v.any(1), v.sum(1).astype(np.int32)),
    )  # fmt: skip


def integers(rows: int, n: int) -> Case:
    """x div y + i + j of i32, its largest and smallest unsigned value in each row."""
    t = Text()
    kind, row = tensor([rows, n], "i32"), tensor([rows], "i32")
    low, high = t.const("-2147483648", "i32"), t.const("-1", "i32")

    def divided(b: Text, x: str, y: str, _: str) -> str:
        v = b.op(f"arith.divsi {x}, {y} : i32")
        for axis in (0, 1):
            i = b.op(f"linalg.index {axis} : index")
            i = b.op(f"arith.index_cast {i} : index to i32")
            v = b.op(f"arith.addi {v}, {i} : i32")
        return v

    v = t.generic(
        ["ab"] * 3, "pp", [("%x0", kind), ("%x1", kind)], (t.empty([rows, n], "i32"), kind), divided
    )
    a = t.fill(low, "i32", t.empty([rows], "i32"), row)
    b_ = t.fill(high, "i32", t.empty([rows], "i32"), row)
    top = t.generic(["ab", "a"], "pr", [(v, kind)], (a, row), _accumulate("arith.maxsi", "i32"))
    low_ = t.generic(["ab", "a"], "pr", [(v, kind)], (b_, row), _accumulate("arith.minui", "i32"))
    x = _rng().integers(-1000, 1000, (rows, n), dtype=np.int32)
    y = _rng(1).integers(1, 9, (rows, n), dtype=np.int32)
    w = np.trunc(x / y).astype(np.int32) + np.arange(rows, dtype=np.int32)[:, None]
    w = w + np.arange(n, dtype=np.int32)
    return Case(
        t.function([kind, kind], [(v, kind), (top, row), (low_, row)]), (x, y),
        (w, w.max(1), w.view(np.uint32).min(1).view(np.int32)),
    )  # fmt: skip


def row_sum(rows: int, n: int, dynamic: bool = False) -> Case:
    """Sums of rows: with no columns, the result is not empty but zero."""
    t = Text()
    r_, n_ = ("?", "?") if dynamic else (rows, n)
    kind, row = tensor([r_, n_]), tensor([r_])
    sizes = {0: t.size("%x0", kind, 0)} if dynamic else {}
    zeros = t.fill(t.const("0.0"), "f32", t.empty([r_], "f32", sizes), row)
    s = t.generic(["ab", "a"], "pr", [("%x0", kind)], (zeros, row), _accumulate("arith.addf"))
    x = normal((rows, n))
    return Case(t.function([kind], [(s, row)]), (x,), (x.astype(np.float64).sum(1),))

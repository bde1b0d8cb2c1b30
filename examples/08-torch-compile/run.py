"""Run a small classifier through torch.compile with FSA, change it, and let one graph fall back."""

import warnings
from typing import Any

import torch


class Classifier(torch.nn.Module):
    """Rows of 64 features to scores of 10 classes, with the index of the best."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: Any = torch.nn.Sequential(
            torch.nn.Linear(64, 128),
            torch.nn.LayerNorm(128),
            torch.nn.GELU(),
            torch.nn.Dropout(0.1),
            torch.nn.Linear(128, 10),
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores [N, 10] and the best classes [N]."""
        scores = self.layers(x)
        return scores, scores.argmax(-1)


def compare(what: str, compiled: Any, model: Classifier, rows: int) -> None:
    """Call both with `rows` rows and print the largest difference of their scores."""
    x = torch.randn(rows, 64)
    with torch.no_grad():
        scores, best = compiled(x)
        expected, expected_best = model(x)
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(best, expected_best)
    print(f"{what}: {rows} rows, largest difference {(scores - expected).abs().max():.1e}")


def main() -> None:
    """Run the example."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Classifier().eval()
    compiled: Any = torch.compile(model, backend="fsa", options={"fallback": False})
    compare("compiled", compiled, model, rows=4)
    compare("another size", compiled, model, rows=7)
    with torch.no_grad():
        model.layers[0].weight.mul_(0.5)
    compare("changed weights", compiled, model, rows=7)

    model.train()  # dropout draws random numbers, which must come from PyTorch's generator
    from fsa.errors import FallbackWarning
    from fsa.torch_backend import last_fallbacks

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FallbackWarning)
        falls_back: Any = torch.compile(model, backend="fsa")
        falls_back(torch.randn(4, 64))
    for fallback in last_fallbacks():
        print(fallback)


if __name__ == "__main__":
    main()

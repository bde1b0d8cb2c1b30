"""The loop that trains the networks of the examples on digits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fsa.examples import digits

_HELD_OUT_BATCH = 100


@dataclass(frozen=True)
class Course:
    """How a network is trained: `rate` is the first learning rate of Adam, which falls to 0.

    `report` says after how many epochs the accuracy on held-out digits is printed.
    """

    epochs: int
    rate: float
    batch: int = 100
    report: int = 1


def train(
    model: Any,
    course: Course,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    scores: Callable[[torch.Tensor], torch.Tensor],
    after_step: Callable[[], None] = lambda: None,
) -> None:
    """Train `model` on the 4,000 training digits.

    `loss` takes images [N, 28, 28] and labels [N], `scores` gives [N, 10] of held-out images.
    """
    training, held_out = digits.split(digits.load())
    images, labels = torch.from_numpy(training.images), torch.from_numpy(training.labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=course.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, course.epochs)
    start = time.perf_counter()
    for epoch in range(1, course.epochs + 1):
        model.train()
        total = 0.0
        for chosen in torch.randperm(len(labels)).split(course.batch):
            found = loss(images[chosen], labels[chosen])
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
            after_step()
            total += found.item()
        schedule.step()
        if epoch % course.report == 0 or epoch == course.epochs:
            model.eval()
            share, seconds = accuracy(scores, held_out), time.perf_counter() - start
            print(
                f"epoch {epoch}: loss {total:.3f}, held out {share:.2%}, {seconds:.0f} s",
                flush=True,
            )


def accuracy(scores: Callable[[torch.Tensor], torch.Tensor], data: digits.Digits) -> float:
    """Return the share of `data` whose label has the highest score."""
    with torch.no_grad():
        parts = torch.from_numpy(data.images).split(_HELD_OUT_BATCH)
        found = torch.cat([scores(part).argmax(1) for part in parts]).numpy()
    return float(np.mean(found == data.labels))

"""Which pictures to label next

Two thousand digits without labels, of which 20 at a time are labelled: those that `data label_next` would choose, or
any. What is trained is the head of `classifier --net imagenet` on its frozen trunk. Accuracy on 1,000 others; the mean
over turns that begin with other pictures, and a 95 % interval of the share of labels that choice needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.synthetic import fitted, interval, logits
from danqing.data.digits import digits
from danqing.maths.label_choice import uncertainty, worth_labelling
from danqing.models.classifier import Classifier

POOL, HELD_OUT, STEP, ROUNDS, TURNS, SIZE = 2000, 1000, 20, 20, 8, 128


def run() -> dict[str, Any]:
    """Label at random and by choice, in turn."""
    torch.set_num_threads(1)
    trunk = Classifier(SIZE, 3, 10, net="imagenet").eval()
    pictures, labels = digits("train")
    x = torch.from_numpy(pictures[: POOL + HELD_OUT]).float().div(255)[:, None]
    x = torch.nn.functional.interpolate(x, size=(SIZE // 2, SIZE // 2), mode="bilinear")
    with torch.no_grad():
        features = torch.cat([trunk.features(each) for each in x.split(50)])
    y = torch.from_numpy(labels[: POOL + HELD_OUT])
    random = [_curve(features, y, turn, False) for turn in range(TURNS)]
    chosen = [_curve(features, y, turn, True) for turn in range(TURNS)]
    counts = STEP * np.arange(1, ROUNDS + 1)
    wanted = float(np.mean(random, 0)[-1])
    shares = [_reached(counts, np.maximum.accumulate(each), wanted) / float(counts[-1]) for each in chosen]
    mean, half = interval(shares)
    return {"random": int(counts[-1]), "accuracy": wanted, "chosen": float(np.mean(chosen, 0)[-1]), "share": mean,
            "half": half, "turns": TURNS}  # fmt: skip


def table(result: dict[str, Any]) -> str:
    """What labels are worth."""
    chosen = f"{result['share']:.2f} ± {result['half']:.2f}"
    return (
        f"{result['random']} labels at random: {result['accuracy']:.3f} named rightly; as many chosen by `label_next`: "
        f"{result['chosen']:.3f}. For the former, {chosen} times as many labels suffice when they are chosen "
        f"({result['turns']} turns)."
    )


def _reached(counts: np.ndarray, curve: np.ndarray, wanted: float) -> float:
    """The labels at which a curve first reaches an accuracy; the last, where it never does."""
    there = np.flatnonzero(curve >= wanted)
    return float(counts[there[0]] if len(there) else counts[-1])


def _curve(features: Tensor, y: Tensor, turn: int, choose: bool) -> list[float]:
    rng = np.random.default_rng(turn)
    order = rng.permutation(POOL).tolist()
    known, accuracy = order[:STEP], []
    while True:
        head = fitted(features[known], y[known], torch.ones(len(known)), 10)
        right = logits(head, features[POOL:]).argmax(1) == y[POOL:]
        accuracy.append(float(right.float().mean()))
        if len(known) >= STEP * ROUNDS:
            return accuracy
        rest = [at for at in order if at not in set(known)]
        if choose:
            unsure = uncertainty(logits(head, features[rest]).softmax(1))
            known = known + [rest[at] for at in worth_labelling(features[rest], unsure, STEP)]
        else:
            known = known + rest[:STEP]

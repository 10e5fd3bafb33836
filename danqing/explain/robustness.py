"""How well a recogniser stands what may happen to pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.fields.seed import LARGEST, Seed
from danqing.core.fields.source import Source
from danqing.core.learned.model import Recogniser
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.contract import Images, from_uint8
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job, Progress
from danqing.data.store import pack
from danqing.data.truth import truth
from danqing.maths.attacks import fgsm, pgd
from danqing.maths.classification import wilson_interval
from danqing.maths.drawing import stream

CHUNK = 64  # pictures looked at once
EXAMPLES = 6  # pictures on the sheet
SIDE = 64  # to which small ones are enlarged there, at least
COLOURS = ("#1f6feb", "#d9480f")


class Trial(NamedTuple):
    """Something done to pictures: its name, how much of it, and the doing, which may ask the model and takes a seed."""

    name: str
    amount: str
    change: Callable[[Recogniser, Images, Tensor, int], Images]


@operator(version=2)
def robustness(
    weights: Recogniser,
    data: Source = "digits",
    other: Recogniser | None = None,
    split: Literal["test", "train", "all"] = "test",
    count: Annotated[int, Range(10, 100_000, "pictures")] = 500,
    seed: Seed = 0,
) -> Job[Figures]:
    """Test a recogniser on pictures that were turned, blurred, made noisy, compressed, or changed to mislead it.

    Args:
        weights: a trained classifier: a run folder, a .safetensors file, or digits.
        data: labelled pictures: a folder of class folders, a zip, shards, or digits.
        other: a second classifier of the same classes to set beside it, such as one trained with augmentation.
        split: which of the pictures: those held out when training on them, those learnt from, or all.
        count: how many of them, drawn at random.
        seed: fixes the draw, the noise, and where the search for misleading changes begins.

    Returns:
        One row for each trial: what was ``done``, ``how`` much, the ``accuracy`` with its 95 % interval ``low`` to
        ``high``, what was ``lost`` against the pictures as they are, and ``other``, the accuracy of the second
        classifier. A plot; and ``examples``, a sheet of up to six of the pictures, in the rows' order: a row each.

    Raises:
        DataError: for pictures without labels, or an empty split.
        ParameterError: for a label that is no class of the model.

    Source: Hendrycks & Dietterich 2019, arXiv:1903.12261, for the idea; Goodfellow et al. 2015, arXiv:1412.6572 (fgsm);
    Madry et al. 2018, arXiv:1706.06083 (pgd).

    Examples:
        danqing robustness digits --data digits --count 300 --out stands.png
    """
    models = [weights] if other is None else [weights, other]
    x, labels = yield from _drawn(models, data, None if split == "all" else split, count, seed)
    trials = list(_trials())
    examples: list[Images] = []
    rows: list[dict[str, Any]] = []
    for at, trial in enumerate(trials):
        hits = [0] * len(models)
        for start in range(0, len(x), CHUNK):
            part = x[start : start + CHUNK]
            chance = int(stream(seed, f"robustness from picture {start}").integers(LARGEST))
            for which, model in enumerate(models):
                label = labels[which][start : start + CHUNK]
                changed = trial.change(model, part, label, chance)
                with torch.no_grad():
                    hits[which] += int((model.predict(changed).argmax(1) == label).sum())
                if not start and not which:
                    examples.append(_enlarged(changed[:EXAMPLES]))
            yield Progress(at * len(x) + start + len(part), len(trials) * len(x), f"{trial.name} {trial.amount}")
        rows.append(_row(trial, hits, len(x), rows[0]["accuracy"] if rows else None))
    sheet = contact_sheet(torch.cat(examples), columns=min(EXAMPLES, len(x)))
    return Figures(rows, _plot(rows), {"examples": sheet}, listed=True)


def _drawn(
    models: list[Recogniser], data: str, split: str | None, count: int, seed: int
) -> Job[tuple[Images, list[Tensor]]]:
    """Some of the pictures, in the first model's size, and their classes as each model numbers them."""
    config = models[0].config
    store = yield from pack(data, size=config["size"], channels=config["channels"], split=split, skip_bad=True)
    labels = [truth(store, model, data) for model in models]
    rows = np.sort(stream(seed, "robustness").permutation(len(store))[:count])
    return store.take(rows.tolist()).x, [each[rows] for each in labels]


def _trials() -> Iterator[Trial]:
    yield Trial("as they are", "", lambda model, x, label, seed: x)
    for angle in (10, 20, 30):
        yield Trial("turned", f"{angle}°", _by("rotate", angle=angle, expand=False))
    for radius in (1, 2, 3):
        yield Trial("blurred", f"{radius} px", _by("add_blur", radius=radius))
    for sigma in (10, 25, 50):
        yield Trial("noise", f"σ {sigma}", _by_chance("add_noise", sigma=sigma))
    for quality in (50, 20, 10):
        yield Trial("jpeg", f"quality {quality}", _by("add_jpeg", quality=quality))
    for steps in (2, 4, 8):
        yield Trial("fgsm", f"{steps}/255", partial(_by_fgsm, most=steps / 255))
    for steps in (2, 4, 8):
        yield Trial("pgd", f"{steps}/255", partial(_by_pgd, most=steps / 255))


def _by(name: str, **values: Any) -> Callable[[Recogniser, Images, Tensor, int], Images]:
    """What an operator does to pictures."""
    return lambda model, x, label, seed: use(name)(x, **values)  # type: ignore[no-any-return]


def _by_chance(name: str, **values: Any) -> Callable[[Recogniser, Images, Tensor, int], Images]:
    """What an operator does that draws."""
    return lambda model, x, label, seed: use(name)(x, seed=seed, **values)  # type: ignore[no-any-return]


def _by_fgsm(model: Recogniser, x: Images, label: Tensor, seed: int, most: float) -> Images:
    return fgsm(model.logits, x, label, most)


def _by_pgd(model: Recogniser, x: Images, label: Tensor, seed: int, most: float) -> Images:
    return pgd(model.logits, x, label, most, torch.Generator().manual_seed(seed))


def _row(trial: Trial, hits: list[int], count: int, before: float | None) -> dict[str, Any]:
    accuracy = hits[0] / count
    low, high = wilson_interval(hits[0], count)
    lost = 0.0 if before is None else before - accuracy
    row = {"done": trial.name, "how": trial.amount, "accuracy": accuracy, "low": low, "high": high, "lost": lost}
    return {**row, "other": hits[1] / count} if len(hits) > 1 else row


def _enlarged(x: Images) -> Images:
    times = max(1, -(-SIDE // max(x.shape[2:])))
    return x.repeat_interleave(times, 2).repeat_interleave(times, 3)


def _plot(rows: list[dict[str, Any]]) -> Images:
    """Accuracies as bars with their intervals, (1, 3, H, W)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.3 * len(rows) + 1), dpi=100, layout="compressed")
    canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
    places = np.arange(len(rows))
    value = np.array([row["accuracy"] for row in rows])
    error = np.array([[row["accuracy"] - row["low"], row["high"] - row["accuracy"]] for row in rows]).T.clip(min=0)
    axes.barh(places, value, xerr=error, color=COLOURS[0], height=0.6, ecolor="#444444", label="weights")
    if "other" in rows[0]:
        axes.plot([row["other"] for row in rows], places, "D", color=COLOURS[1], label="other")
        axes.legend(loc="lower left")
    axes.set_yticks(places, [f"{row['done']} {row['how']}".strip() for row in rows])
    axes.set(xlim=(0, 1), xlabel="named rightly")
    axes.invert_yaxis()
    canvas.draw()
    return from_uint8(np.asarray(canvas.buffer_rgba())[None, ..., :3].copy())

"""How well a classifier does on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.source import Source
from danqing.core.learned.classes import class_names
from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Recogniser, Viewer
from danqing.core.learned.weights import fitting
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, from_uint8
from danqing.core.progress import Job, Progress
from danqing.data.annotations.assessment import assessed
from danqing.data.store import Store, pack
from danqing.data.truth import truth
from danqing.maths.classification import class_scores, confusion_matrix, macro, wilson_interval

CHUNK = 64  # pictures looked at once
LEGIBLE = 30  # classes up to which the plot names each and counts each


@operator
def assess(
    weights: Viewer,
    data: Source = "digits",
    split: Literal["test", "train", "all"] = "test",
    labels: Path | None = None,
) -> Job[Figures]:
    """Test a classifier on labelled pictures and show what it takes for what; or what finds things, and what it finds.

    Args:
        weights: a trained classifier, detector, segmenter or keypoints: a run folder, a .safetensors file, or digits.
        data: the labelled pictures: a folder of class folders, a zip, shards, or digits; or a folder of pictures with
            labels of things beside them.
        split: which of them: those held out when training on them, those learnt from, or all.
        labels: of a classifier, a CSV or JSON file; of things, a COCO file or a folder of label files, where they do
            not lie beside the pictures.

    Returns:
        one row for all classes: ``accuracy`` with its 95 % interval ``low`` to ``high``, and ``precision``, ``recall``
        and ``f1`` as means over the classes; then one row for each class, where ``named`` counts the names its pictures
        were given, in the order of the rows. And the confusion matrix as a plot. Of what finds things, one row a score
        (mAP and AP50 of boxes, mIoU of pixels, PCK and OKS of points) with its interval and what it means; and a sheet
        of pictures with what was found drawn in.

    Raises:
        DataError: for pictures without labels, or an empty split.
        ModelFileError: for weights that name nothing and find nothing.
        ParameterError: for a label that is no class of the model.

    Source: Wilson 1927 for the interval; van Rijsbergen 1979, chapter 7, for precision, recall and F1.

    Examples:
        danqing assess digits --data digits
        danqing assess runs/detector-001 --data PICTURES --split all
    """
    if isinstance(weights, Finder):
        rows, sheet = yield from assessed(weights, data, labels, split)
        return Figures(rows, sheet)
    model = fitting(weights, Recogniser)
    which = None if split == "all" else split
    size, channels = model.config["size"], model.config["channels"]
    store = yield from pack(data, size=size, channels=channels, split=which, labels=labels, skip_bad=True)
    actual, names = truth(store, model, data), class_names(model)
    named = yield from _named(store, model)
    matrix = confusion_matrix(actual, named, len(names))
    return Figures(_rows(matrix, names), _plot(matrix, names))


def _named(store: Store, weights: Recogniser) -> Job[Tensor]:
    found = []
    for start in range(0, len(store), CHUNK):
        with torch.no_grad():
            found.append(weights.predict(store.take(range(start, min(start + CHUNK, len(store)))).x).argmax(1).cpu())
        yield Progress(start + len(found[-1]), len(store), "looking")
    return torch.cat(found)


def _rows(matrix: Tensor, names: list[str]) -> list[dict[str, Any]]:
    hits, count = int(matrix.diagonal().sum()), int(matrix.sum())
    low, high = wilson_interval(hits, count)
    scores = class_scores(matrix)
    rows = [_row("all", hits / count, low, high, macro(scores, matrix), matrix.sum(0))]
    for at, (name, named) in enumerate(zip(names, matrix, strict=True)):
        hit, there = int(named[at]), int(named.sum())
        low, high = wilson_interval(hit, there) if there else (0.0, 1.0)
        precision, recall, f1 = (float(each[at]) for each in scores)
        rows.append(_row(name, hit / there if there else 0.0, low, high, (precision, recall, f1), named))
    return rows


def _row(
    name: str, accuracy: float, low: float, high: float, scores: tuple[float, float, float], named: Tensor
) -> dict[str, Any]:
    precision, recall, f1 = scores
    figures = {"accuracy": accuracy, "low": low, "high": high, "precision": precision, "recall": recall, "f1": f1}
    return {"class": name, "pictures": int(named.sum()), **figures, "named": named.tolist()}


def _plot(matrix: Tensor, names: list[str]) -> Images:
    """Draw the confusion matrix, (1, 3, H, W); shades are shares of a row, so that rare classes count too."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    side = 2.5 + 0.45 * min(len(names), LEGIBLE)
    figure = Figure(figsize=(side + 1, side), dpi=100, layout="compressed")
    canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
    shares = (matrix / matrix.sum(1, keepdim=True).clamp_min(1)).numpy()
    figure.colorbar(axes.imshow(shares, cmap="Blues", vmin=0, vmax=1), label="share of the class")
    axes.set(xlabel="named", ylabel="is")
    if len(names) <= LEGIBLE:
        shown = [name if len(name) <= 16 else f"{name[:15]}…" for name in names]
        axes.set_xticks(range(len(names)), shown, rotation=90 if max(map(len, shown)) > 2 else 0)
        axes.set_yticks(range(len(names)), shown)
        for row, column in matrix.nonzero().tolist():
            ink = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(int(matrix[row, column])), ha="center", va="center", color=ink, fontsize=8)
    canvas.draw()
    return from_uint8(np.asarray(canvas.buffer_rgba())[None, ..., :3].copy())

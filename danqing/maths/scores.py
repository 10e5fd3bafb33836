"""The scores of painted pictures against real ones, each with its interval and with what real pictures score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from danqing.core.errors import TooFewPictures
from danqing.maths.intervals import Estimate, share_of
from danqing.maths.neighbours import copied_share, precision_recall_density_coverage
from danqing.maths.statistics import classifier_score, frechet_distance, kernel_distance

K = 5  # neighbours that a ball of precision, recall, density and coverage reaches


class Seen(NamedTuple):
    """A set of N pictures as a feature network sees it.

    ``features`` (N, D), ``chances`` of the network's classes (N, K), and ``labels`` (N,): the class that was asked for
    or that the data names, or None.
    """

    features: Tensor
    chances: Tensor
    labels: Tensor | None = None

    def part(self, rows: slice | Tensor) -> Seen:
        """Some of its pictures."""
        return Seen(self.features[rows], self.chances[rows], None if self.labels is None else self.labels[rows])


class Sets(NamedTuple):
    """The pictures of an evaluation: painted ones, the real ones they are held against, and those learned from.

    ``held_out`` says whether the reference is apart from the training pictures.
    """

    samples: Seen
    reference: Seen
    train: Seen
    held_out: bool

    @property
    def rivals(self) -> tuple[Seen, Seen]:
        """Two sets of real pictures with none in common, as many as the samples where there are so many."""
        if self.held_out:
            return self.train.part(slice(len(self.samples.features))), self.reference
        return self.reference.part(slice(0, None, 2)), self.reference.part(slice(1, None, 2))


class About(NamedTuple):
    """What scores are named after: the data's classes, and whether the features are those the FID is defined on."""

    classes: Sequence[str] = ()
    official: bool = False


Scores = dict[str, Estimate]


def _frechet(fake: Seen, real: Seen, about: About) -> Scores:
    return {"fid" if about.official else "frechet_distance": frechet_distance(fake.features, real.features)}


def _kernel(fake: Seen, real: Seen, about: About) -> Scores:
    return {"kid" if about.official else "kernel_distance": kernel_distance(fake.features, real.features)}


def _score(fake: Seen, real: Seen, about: About) -> Scores:
    if about.official:
        return {"inception_score": classifier_score(fake.chances, splits=10)}
    return {"classifier_score": classifier_score(fake.chances)}


def _precision(fake: Seen, real: Seen, about: About) -> Scores:
    return precision_recall_density_coverage(real.features, fake.features, K, _by_class(real, about))


def _neighbours(fake: Seen, train: Seen, about: About) -> Scores:
    return {"copied_share": copied_share(fake.features, train.features)}


def _classes(fake: Seen, real: Seen, about: About) -> Scores:
    if fake.labels is None:
        return {}
    right = fake.chances.argmax(1) == fake.labels
    each = {f"class_accuracy of {title}": share_of(right[some]) for title, some in _by_class(fake, about).items()}
    return {"class_accuracy": share_of(right), **each}


def _by_class(seen: Seen, about: About) -> dict[str, Tensor]:
    """Which pictures (N,) are of each class that occurs, by its name."""
    if seen.labels is None:
        return {}
    found = {title: seen.labels == at for at, title in enumerate(about.classes)}
    return {title: some for title, some in found.items() if some.any()}


METRICS: dict[str, Callable[[Seen, Seen, About], Scores]] = {
    "frechet": _frechet,
    "kernel": _kernel,
    "score": _score,
    "precision": _precision,
    "neighbours": _neighbours,
    "classes": _classes,
}
SPREAD = "exp of the mean KL divergence of class chances from their mean"
MEANINGS = {  # which way is better, and what it is
    "frechet_distance": ("lower", "squared Fréchet distance of the features, taken as Gaussian"),
    "fid": ("lower", "Fréchet Inception distance: on the official features and resize"),
    "kernel_distance": ("lower", "squared MMD with the kernel (xᵀy / D + 1)³, unbiased, over all pairs"),
    "kid": ("lower", "kernel Inception distance: kernel (xᵀy / D + 1)³, unbiased, over all pairs"),
    "classifier_score": ("higher", f"{SPREAD}, over all samples"),
    "inception_score": ("higher", f"{SPREAD}, averaged over 10 parts"),
    "precision": ("higher", f"share of samples within the reach of a real picture, that of its {K} neighbours"),
    "recall": ("higher", f"share of real pictures within the reach of a sample, that of its {K} neighbours"),
    "density": ("higher", f"real pictures that have a sample in their reach ({K} neighbours), per sample and {K}"),
    "coverage": ("higher", f"share of real pictures that have a sample in their reach ({K} neighbours)"),
    "copied_share": ("as real", "share of samples nearer to a training picture than its nearest fellow is"),
    "class_accuracy": ("higher", "share of samples that the network names as the class asked for"),
}


def rows(sets: Sets, wanted: Sequence[str], about: About, seed: int) -> Iterator[dict[str, Any]]:
    """Compute the wanted metrics, one row a score.

    Args:
        sets: the pictures.
        wanted: names from ``METRICS``.
        about: what the rows are named after.
        seed: of the divisions behind the intervals.

    Yields:
        ``score`` (its name), ``value``, ``low`` and ``high`` (95 %), ``real`` (the same score of real pictures in place
        of the samples; None where there are too few), ``better``, the counts, what the reference is, and ``means``.
    """
    for metric in wanted:
        against = sets.train if metric == "neighbours" else sets.reference
        real = _of_real(metric, sets, about)
        for name, estimate in METRICS[metric](sets.samples, against, about).items():
            low, high = estimate.interval(seed)
            kind, _, title = name.partition(" of ")
            better, means = MEANINGS[kind]
            counts = {"samples": len(sets.samples.features), "reference": len(against.features)}
            if title:  # one class alone
                counts["samples" if kind == "class_accuracy" else "reference"] = estimate.pictures
            yield {
                "score": name,
                "value": estimate.value,
                "low": low,
                "high": high,
                "real": real[name].value if name in real else None,
                "better": better,
                **counts,
                "against": "held-out" if sets.held_out and metric != "neighbours" else "training",
                "means": means,
            }


def _of_real(metric: str, sets: Sets, about: About) -> Scores:
    """The same score for real pictures against others, as far as there are enough of them."""
    if metric == "neighbours":
        return _neighbours(sets.reference, sets.train, about) if sets.held_out else {}
    fake, real = sets.rivals
    try:
        return METRICS[metric](fake, real, about)
    except TooFewPictures:
        return {}

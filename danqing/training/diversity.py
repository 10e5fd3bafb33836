"""How different pictures of a set are from each other."""

from __future__ import annotations

import torch
from torch import Tensor

COLLAPSED = 0.45  # of the diversity of real pictures: what paints less repeats itself
COLLAPSED_WITHIN = 0.4  # of that within classes: with one picture for each it is 0.2 to 0.37, else 0.66 and more
LEAST = 1e-3  # of the mean length of the features: below that all are taken for the same


def diversity(features: Tensor) -> float:
    """The mean distance between two different rows of (N, D)."""
    count = len(features)
    return float(torch.cdist(features.double(), features.double()).sum() / (count * (count - 1)))


def varied(features: Tensor) -> bool:
    """Whether the rows of (N, D) are not (nearly) all the same."""
    return diversity(features) >= LEAST * (float(features.norm(dim=1).mean()) + 1e-12)


def diversity_within(features: Tensor, labels: Tensor) -> float:
    """The mean over classes of the diversity of their rows of (N, D); classes of one row are left out."""
    groups = [features[labels == label] for label in labels.unique()]
    found = [diversity(group) for group in groups if len(group) > 1]
    return sum(found) / len(found) if found else 0.0

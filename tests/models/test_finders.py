"""Detector, segmenter and keypoints learn what is where, on sets whose truth is known to the pixel."""

from __future__ import annotations

import torch

from danqing.core.learned.finder import Finder
from danqing.models.keypoints import Keypoints
from danqing.training.step import Stepper
from tests.models.things import NAMES, POINTS, SIDE, batch_of


def made(kind: type[Finder], **more: object) -> Finder:
    torch.manual_seed(0)
    points = {"points": list(POINTS)} if kind is Keypoints else {}
    model = kind(size=SIDE, channels=3, classes=2, backbone="mobilenet", **points, **more)
    model.card = {"classes": list(NAMES)}
    return model


def learned(kind: type[Finder], steps: int, **more: object) -> Finder:
    model = made(kind, **more).to(memory_format=torch.channels_last).train()
    stepper, rng = Stepper(model, model.optimiser, "fp32"), torch.Generator().manual_seed(0)
    for step in range(steps):
        stepper.step(batch_of(8, step), rng, min(1.0, 2 * (1 - step / steps)))
    return model.eval()

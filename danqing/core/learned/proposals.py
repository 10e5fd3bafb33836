"""What a family proposes about how it learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Optimiser(NamedTuple):
    """How a family proposes to learn; ``danqing train`` can override Adam's settings.

    Attributes:
        lr: Adam's learning rate.
        betas: Adam's.
        weight_decay: Adam's, decoupled.
        muon: Muon's learning rate for the kernels of wide layers; 0 leaves them to Adam.
    """

    lr: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    muon: float = 0.0


@dataclass(frozen=True)
class Stage:
    """A stretch of a run with settings of its own; what is not said stays as the run has it.

    Attributes:
        share: how long it lasts, against the other stages of the run.
        size: side of the pictures in pixels, for families whose weights do not depend on it.
        batch: pictures a step, over all processes.
        freeze: what does not learn, as ``--freeze`` takes it.
        lr: what the learning rate is multiplied by.
        params: parameters of the family that change without changing any weight's shape (the side of patches …).
    """

    share: float = 1.0
    size: int | None = None
    batch: int | None = None
    freeze: str = ""
    lr: float = 1.0
    params: Mapping[str, Any] = field(default_factory=dict)

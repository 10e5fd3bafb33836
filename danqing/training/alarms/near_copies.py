"""A painter that copies its training pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Cure, Lasting, View
from danqing.training.copies import copied

MOST = 0.25  # share of painted pictures that are near copies


@dataclass
class NearCopies(Lasting):
    """Counts the painted pictures that lie nearer to a training picture than other real pictures ever do."""

    words: ClassVar[str] = "more and more of what is painted are near copies of training pictures"
    remedy: ClassVar[str] = (
        "Stop here, bring more pictures, give --critic-augment adaptive (a flow: a higher --told-augment), or begin "
        "with other weights (--from)"
    )
    cure: ClassVar[Cure] = Cure(chance=0.2)

    def amiss(self, view: View) -> bool:
        return view.beside is not None and float(copied(*view.beside).float().mean()) > MOST

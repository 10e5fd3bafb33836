"""Pictures that were mended, with what was found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.core.artefacts.figures import Figures


@dataclass(frozen=True)
class Mended(Figures):
    """Pictures that lie on those looked at, mended, and what was found: unlike drawings of an analysis, they go on.

    Their opacity is that of the pictures looked at, and the next step of a chain works on them.
    """

    looks: ClassVar[bool] = False


__all__ = ["Mended"]

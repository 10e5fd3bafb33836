"""Weights to begin with."""

from __future__ import annotations

from typing import Annotated, ClassVar

from danqing.core.fields.text import TextKind


class OriginKind(TextKind):
    """Weights that something begins with: a file, a run folder or the name of bundled weights, looked at later."""

    noun: ClassVar[str] = "weights"
    metavar: ClassVar[str] = "MODEL"
    widget: ClassVar[str] = "model"
    opens: ClassVar[bool] = True


Origin = Annotated[str, OriginKind()]

__all__ = ["Origin", "OriginKind"]

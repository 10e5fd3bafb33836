"""Classes of a model, by name or number."""

from __future__ import annotations

from typing import Annotated, ClassVar

from danqing.core.fields.text import TextKind


class LabelKind(TextKind):
    """A class of the model that the same form asks for; only that model knows whether there is such a class."""

    noun: ClassVar[str] = "the name or number of a class"
    metavar: ClassVar[str] = "CLASS"
    widget: ClassVar[str] = "label"


Label = Annotated[str, LabelKind()]

__all__ = ["Label", "LabelKind"]

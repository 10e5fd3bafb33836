"""Nets that look at pictures for an operator."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from danqing.core.fields.text import TextKind
from danqing.core.pictures.state import state_of

NAME = re.compile(r"[\w-]*")  # of a net that is known by it; whatever else is given lies on a disk


class NetKind(TextKind):
    """A net that looks: its name, or a file of its weights."""

    noun: ClassVar[str] = "the name of a net, or a file of its weights"
    metavar: ClassVar[str] = "NET"
    opens: ClassVar[bool] = True

    def may_open(self, value: Any) -> bool:
        return NAME.fullmatch(str(value)) is None

    def state(self, value: Any, without: Sequence[Path] = ()) -> str | None:
        return state_of(Path(value), without) if self.may_open(value) and os.path.exists(value) else ""


Net = Annotated[str, NetKind()]

__all__ = ["Net", "NetKind"]

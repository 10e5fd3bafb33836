"""Pictures to learn from that are all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, View
from danqing.training.diversity import varied


@dataclass
class NoVariety(Alarm):
    """Looks at the diversity of the real pictures."""

    words: ClassVar[str] = "the pictures to learn from are (nearly) all the same, so nothing but copies can be learnt"
    remedy: ClassVar[str] = "Bring more and different pictures; `danqing data check` counts the duplicates"

    def look(self, view: View) -> bool:
        return not varied(view.real)

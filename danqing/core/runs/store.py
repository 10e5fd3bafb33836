"""Where inputs come from and results go: a store turns what is asked for into orders from files to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from danqing.core.operators.operator import Operator
from danqing.core.runs.order import Order


class Store(Protocol):
    """What :func:`danqing.core.runs.run.run` asks of a place; :class:`Folders` and :class:`Blobs` are such."""

    @property
    def is_one(self) -> bool:
        """Whether one picture is meant, so that its errors are those of the whole."""

    def orders(self, operator: Operator[..., Any], values: Mapping[str, Any]) -> list[Order]:
        """Say what is to be done to which file and where it goes; whatever can be refused is refused here.

        Raises:
            UserError: if a value does not fit, there are no pictures, or there is no place for the results.
        """


__all__ = ["Store"]

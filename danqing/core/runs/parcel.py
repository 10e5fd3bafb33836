"""An order as it travels to another process or machine: names and plain values, never loaded weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danqing import __version__
from danqing.core.errors import DanqingError, DataError, ModelFileError, ParameterError
from danqing.core.learned.card import bundled_name
from danqing.core.learned.model import Model
from danqing.core.operators.operator import operator_named
from danqing.core.runs.order import Call, Order

SHARE = "Keep pictures, weights and results in a folder that every machine of the cluster sees under one path"


@dataclass(frozen=True)
class Parcel:
    """An order, packed.

    Attributes:
        danqing: the version that packed it.
        operator: its name.
        version: of the operator.
        values: checked values; None where weights stand.
        weights: by parameter, the name or the whole path that they are loaded by, and their hash.
        files: the call's files by parameter, whole paths.
        inputs: the files it reads, whole paths.
        target: the file to write.
        order: the rest, which is plain already.
    """

    danqing: str
    operator: str
    version: int
    values: dict[str, Any]
    weights: dict[str, tuple[str, str]]
    files: dict[str, Path]
    inputs: dict[str, Path]
    target: Path | None
    order: dict[str, Any]

    @property
    def source(self) -> Path | None:
        """The picture worked on."""
        return self.inputs.get(operator_named(self.operator).subject)

    @classmethod
    def of(cls, order: Order) -> Parcel:
        """Pack an order, and make the folder that its result goes to, by which a worker sees that it sees it.

        Raises:
            ParameterError: for weights that lie in no file.
        """
        call = order.call
        weights = {name: _named(name, value) for name, value in call.values.items() if isinstance(value, Model)}
        if order.target is not None:
            order.target.parent.mkdir(parents=True, exist_ok=True)
        rest = {"saving": order.saving, "name": order.name, "numbered": order.numbered, "beside": order.beside}
        return cls(
            __version__,
            call.operator.name,
            call.operator.version,
            {name: None if name in weights else value for name, value in call.values.items()},
            weights,
            {name: _whole(file) for name, file in call.files.items()},
            {name: _whole(file) for name, file in order.inputs.items()},
            None if order.target is None else _whole(order.target),
            rest,
        )

    def opened(self) -> Order:
        """The order, weights loaded; they come from the cache of this process.

        Raises:
            DanqingError: if another danqing packed it.
            DataError: if a file or folder is not seen from here.
            ModelFileError: if the weights here are others.
        """
        operator = operator_named(self.operator)
        if (self.danqing, self.version) != (__version__, operator.version):
            what = f"a worker has danqing {__version__}, and {self.danqing} was asked"
            raise DanqingError(what, where=self.operator, remedy="Install one version on every machine")
        homes = [] if self.target is None else [self.target.parent]
        for place in (*self.inputs.values(), *homes):
            if not place.exists():
                raise DataError("is not seen by a worker", where=place, remedy=SHARE)
        loaded = {field.name: field.kind for field in operator.form if field.name in self.weights}
        values = {**self.values, **{name: kind.check(self.weights[name][0], name) for name, kind in loaded.items()}}
        for name, (file, expected) in self.weights.items():
            if values[name].card["sha256"] != expected:
                raise ModelFileError("is another file where a worker sees it", where=file, remedy=SHARE)
        return Order(Call(operator, values, self.files), self.inputs, self.target, **self.order)


def _named(name: str, model: Model) -> tuple[str, str]:
    if "file" not in model.card or "sha256" not in model.card:
        raise ParameterError("is a model in memory, which a worker cannot load", where=name, remedy="Save it first")
    return bundled_name(model) or str(_whole(Path(model.card["file"]))), model.card["sha256"]


def _whole(file: Path) -> Path:
    return Path(os.path.abspath(file))


__all__ = ["Parcel"]

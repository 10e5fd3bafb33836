"""An operator with its values, ready to run and to be written down as a recipe step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from danqing.core.disk import hash_of
from danqing.core.learned.model import Model
from danqing.core.learned.weights import bundled
from danqing.core.operators.form import Field, checked
from danqing.core.operators.operator import Operator
from danqing.core.recipe import Step

PICTURE_KINDS = ("pictures", "mask")


@dataclass(frozen=True)
class Call:
    """An operator with its values.

    Attributes:
        operator: what is to be run.
        values: checked values of all parameters that are no pictures; weights are loaded.
        files: the files of parameters that are pictures, masks or files, by name; a folder stands for its namesakes.
    """

    operator: Operator
    values: dict[str, Any]
    files: dict[str, Path]

    @property
    def subject(self) -> str:
        """The parameter that takes the pictures worked on; empty when there is none."""
        return self.operator.fields[0].name if self.operator.takes_pictures else ""

    def step(
        self,
        inputs: Mapping[str, Path],
        home: Path,
        take: int | Literal["grid"] | None = None,
        saved: dict[str, int] | None = None,
    ) -> Step:
        """Write the call down.

        Args:
            inputs: the files it reads, by parameter.
            home: the folder of the picture to be, from which paths are seen: they move together.
            take: which picture of a result with several.
            saved: how the result goes into the file, where not by default.
        """
        kinds = {field.name: field.kind for field in self.operator.form}
        return Step(
            operator=self.operator.name,
            params={k: _plain(v) for k, v in self.values.items() if kinds[k] not in (*PICTURE_KINDS, "weights")},
            inputs=[{"as": k, "path": seen_from(home, v), "sha256": hash_of(v)} for k, v in inputs.items()],
            weights={k: _named(v, home) for k, v in self.values.items() if isinstance(v, Model)},
            take=take,
            saved=saved or {},
        )


def prepare(operator: Operator, values: Mapping[str, Any]) -> Call:
    """Check the values of an operator and load its weights; a None is as good as not given.

    Raises:
        ParameterError: for a value that is missing, unknown or does not fit.
        ModelFileError: for weights that cannot be used.
    """
    given = {name: value for name, value in values.items() if value is not None}
    files = {
        field.name: Path(given[field.name])
        for field in operator.form
        if field.name in given and _is_file(field, given[field.name])
    }
    others = tuple(field for field in operator.form if field.name not in files)
    return Call(operator, checked(others, {k: v for k, v in given.items() if k not in files}), files)


def same_work(one: Step, other: Step) -> bool:
    """Whether two steps do the same to the same pictures, wherever these lie."""
    return _essence(one) == _essence(other)


def seen_from(home: Path, file: Path) -> str:
    """The path of a file as seen from a folder; absolute where there is no way between the two."""
    try:
        return Path(os.path.relpath(file.resolve(), home.resolve())).as_posix()
    except ValueError:  # another drive
        return file.resolve().as_posix()


def _is_file(field: Field, value: Any) -> bool:
    if field.kind in PICTURE_KINDS:
        return isinstance(value, str | Path)
    return field.kind == "path" and Path(value).is_file()


def _essence(step: Step) -> tuple[Any, ...]:
    inputs = {each.get("as", ""): each.get("sha256") for each in step.inputs}
    weights = {name: each.get("sha256") for name, each in step.weights.items()}
    return step.operator, step.params, inputs, weights, step.take, step.saved


def _named(model: Model, home: Path) -> dict[str, str]:
    """Say which weights these are: by name when they come with danqing, by path otherwise."""
    file = model.card.get("file")
    if file is None:
        return {"name": f"a {model.family} in memory", "sha256": ""}
    own = {str(path): name for name, path in bundled().items()}
    return {"name": own.get(file) or seen_from(home, Path(file)), "sha256": model.card["sha256"]}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


__all__ = ["Call", "prepare", "same_work", "seen_from"]

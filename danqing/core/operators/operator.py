"""An operator: a function whose signature is its form and whose values are checked before it runs."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from danqing.core.menu import look_up, operators
from danqing.core.progress import Job, Show, finish

if TYPE_CHECKING:
    from danqing.core.operators.form import Field
    from danqing.core.pictures.contract import Images

Reach = int | Callable[..., int | None]
Scale = int | Callable[..., int]
Settle = Callable[..., dict[str, Any]]


@dataclass(eq=False)
class Operator:
    """A function made an operator: calling it checks every value against the schema first.

    Attributes:
        function: what is computed; a plain function, or a generator function that yields Progress (long work).
        name: that of the function and of its file.
        group: the folder it lives in.
        reach: how many pixels away it looks, a number or a function of its parameters; None: it must see the whole
            picture. Operators with a reach are run tile by tile by the core. The function may say None, too.
        scale: how many times larger its output is than its input (for tiles), a number or a function of its parameters.
        geometry: True when it moves pixels, so that the alpha channel must go through it too.
        settle: for a local operator that must know something of the whole picture: a function of its parameters, by
            name, that returns the values to go on with. It is given one picture (1, C, H, W) at a time, before that is
            cut into tiles; the operator then works on settled values only, one picture at a time.
    """

    function: Callable[..., Any]
    name: str
    group: str
    reach: Reach | None = None
    scale: Scale = 1
    geometry: bool = False
    settle: Settle | None = None

    def __post_init__(self) -> None:
        functools.update_wrapper(self, self.function)

    @functools.cached_property
    def fields(self) -> tuple[Field, ...]:
        """Its parameters, pictures included, in order."""
        from danqing.core.operators.form import schema

        return schema(self.function)

    @property
    def form(self) -> tuple[Field, ...]:
        """Its parameters but the pictures: what a face asks for."""
        return self.fields[1:] if self.takes_pictures else self.fields

    @property
    def takes_pictures(self) -> bool:
        """Whether it works on pictures (its first parameter); others make something from weights."""
        return bool(self.fields) and self.fields[0].kind == "pictures" and self.fields[0].required

    @property
    def summary(self) -> str:
        """Its menu text."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def job(self, *args: Any, **values: Any) -> Job[Any]:
        """Check the values, then run as a job (plain functions yield nothing).

        Raises:
            ParameterError: for a value that does not fit the schema.
        """
        from danqing.core.operators.form import checked

        signature = inspect.signature(self.function)
        known = {name: value for name, value in values.items() if name in signature.parameters}
        ready = checked(self.fields, {**values, **signature.bind_partial(*args, **known).arguments})
        return self.run(ready) if self.settle is None else self._one_by_one(ready)

    def run(self, ready: dict[str, Any]) -> Job[Any]:
        """Run the function on values that are checked and settled."""
        if inspect.isgeneratorfunction(self.function):
            return self.function(**ready)  # type: ignore[no-any-return]
        return _plain(self.function, ready)

    def settled(self, ready: dict[str, Any], item: int) -> dict[str, Any]:
        """The checked values for one picture of the batch, settled."""
        x = ready[self.fields[0].name]
        own = {name: _own(value, len(x), item) for name, value in ready.items()}
        return own if self.settle is None else {**own, **self.settle(**_named(self.settle, own))}

    def _one_by_one(self, ready: dict[str, Any]) -> Job[Images]:
        import torch

        pieces = []
        for item in range(len(ready[self.fields[0].name])):
            pieces.append((yield from self.run(self.settled(ready, item))))
        return torch.cat(pieces)

    def __call__(self, *args: Any, show: Show | None = None, **values: Any) -> Any:
        """Check the values and compute; ``show`` receives the Progress of long work."""
        return finish(self.job(*args, **values), show)

    def reach_for(self, params: dict[str, Any]) -> int | None:
        """How far it looks with these parameters; None: at the whole picture."""
        return self.reach(**_named(self.reach, params)) if callable(self.reach) else self.reach

    def scale_for(self, params: dict[str, Any]) -> int:
        """How many times larger its output is with these parameters."""
        return self.scale(**_named(self.scale, params)) if callable(self.scale) else self.scale


def _named(function: Callable[..., Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values that a function asks for by the names of its parameters."""
    return {name: values[name] for name in inspect.signature(function).parameters}


def _own(value: Any, count: int, item: int) -> Any:
    """What belongs to one picture of ``count``: its part of a batch of pictures or masks; anything else is for all."""
    is_batch = getattr(value, "ndim", 0) == 4 and len(value) == count
    return value[item : item + 1] if is_batch else value


def _plain(function: Callable[..., Any], values: dict[str, Any]) -> Job[Any]:
    yield from ()
    return function(**values)


@overload
def operator(function: Callable[..., Any]) -> Operator: ...


@overload
def operator(
    *, reach: Reach | None = None, scale: Scale = 1, geometry: bool = False, settle: Settle | None = None
) -> Callable[[Callable[..., Any]], Operator]: ...


def operator(
    function: Callable[..., Any] | None = None,
    *,
    reach: Reach | None = None,
    scale: Scale = 1,
    geometry: bool = False,
    settle: Settle | None = None,
) -> Operator | Callable[[Callable[..., Any]], Operator]:
    """Make a function an operator; used bare or with arguments (see :class:`Operator`).

    The function's name must be that of its file; its group is its folder.
    """

    def decorate(inner: Callable[..., Any]) -> Operator:
        group, _, stem = inner.__module__.rpartition(".")
        return Operator(inner, inner.__name__, group.rpartition(".")[2] or stem, reach, scale, geometry, settle)

    return decorate if function is None else decorate(function)


def operator_named(name: str) -> Operator:
    """Import an operator.

    Raises:
        ParameterError: if there is none of that name.
    """
    entry = look_up(operators(), name, "operator")
    found: Operator = getattr(importlib.import_module(entry.module), name)
    return found

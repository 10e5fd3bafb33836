"""An operator: a task on pictures, or from weights, that the core runs in tiles, keeps with a recipe and replays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ParamSpec, Protocol, TypeVar, overload

import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.form import checked
from danqing.core.menu import imported, look_up, operators
from danqing.core.operators.task import Task
from danqing.core.progress import Job, Progress, shared

P = ParamSpec("P")
R = TypeVar("R")
Reach = int | Callable[..., int | None]
Scale = int | Callable[..., int]
Settle = Callable[..., dict[str, Any]]
SEEN = "seen"  # the parameter of such a function that is told the opacity


@dataclass(eq=False)
class Operator(Task[P, R]):
    """A function made an operator: calling it checks every value against the schema first.

    Attributes:
        reach: how many pixels away it looks, a number or a function of its parameters; None: it must see the whole
            picture. Operators with a reach are run tile by tile by the core. The function may say None, too.
        scale: how many times larger its output is than its input (for tiles), a number or a function of its parameters.
        geometry: True when it moves pixels, so that the alpha channel must go through it too.
        proportional: for one that moves pixels: whether its result is a weighted mean of the colours, so that
            premultiplied ones may go through it; True, False or a function of its parameters.
        together: for one that moves pixels: whether where they go depends on what they show. Colours, premultiplied,
            and opacity then go through it as one picture (B, C + 1, H, W), the opacity last.
        settle: for a local operator that must know something of the whole picture: a function of its parameters, by
            name, that returns the values to go on with. It is given one picture (1, C, H, W) at a time, before that is
            cut into tiles; the operator then works on settled values only, one picture at a time. A parameter ``seen``
            is the opacity of a transparent picture, so that only what is seen is measured; None of an opaque one.
        upended: whether it turns pictures on their side, so that what was across is down, as a function of its values.
        version: raised when the operator makes something else of the same values; the work of another version is not
            "there already".
        needs: packages that only an extra brings, without which the operator refuses to work.
        extra: the extra of danqing's that brings them.
    """

    reach: Reach | None = None
    scale: Scale = 1
    geometry: bool = False
    proportional: bool | Callable[..., bool] = True
    together: bool = False
    settle: Settle | None = None
    upended: Callable[..., bool] | None = None
    version: int = 1
    needs: tuple[str, ...] = ()
    extra: str = ""

    @property
    def takes_pictures(self) -> bool:
        first = self.fields[:1]
        return any(each.required and each.kind.is_picture and each.kind.leads for each in first)  # a mask never leads

    @property
    def lacks(self) -> list[str]:
        """The packages of ``needs`` that are not installed."""
        return [each for each in self.needs if find_spec(each) is None]

    @property
    def own_places(self) -> tuple[str, ...]:
        return ()  # where results go is not said by its values

    def job(self, *args: P.args, **values: P.kwargs) -> Job[R]:
        return self.whole(checked(self.fields, self.bound(args, values)))

    def run(self, ready: dict[str, Any]) -> Job[R]:
        if lacking := self.lacks:
            what = f"needs {' and '.join(lacking)}, which {'is' if len(lacking) == 1 else 'are'} not installed"
            raise ParameterError(what, where=self.name, remedy=f"pip install 'danqing[{self.extra}]'")
        return super().run(ready)

    def whole(self, ready: dict[str, Any]) -> Job[R]:
        """Run on whole pictures, with values that are checked; one picture after the other where they are settled."""
        return self.run(ready) if self.settle is None else self._one_by_one(ready)

    def settled(self, ready: dict[str, Any], item: int) -> dict[str, Any]:
        """The checked values for one picture of the batch, settled."""
        x = ready[self.subject]
        own = {name: _own(value, len(x), item) for name, value in ready.items()}
        seen = own.pop(SEEN, None)
        return own if self.settle is None else {**own, **self.settle(**_named(self.settle, {**own, SEEN: seen}))}

    def _one_by_one(self, ready: dict[str, Any]) -> Job[Any]:
        pieces: list[Any] = []
        count = len(ready[self.subject])
        for item in range(count):
            yield Progress(item, count, "looking at the whole picture")
            pieces.append((yield from shared(self.run(self.settled(ready, item)), item, 1, total=count)))
        return torch.cat(pieces)

    def reach_for(self, params: dict[str, Any]) -> int | None:
        """How far it looks with these parameters; None: at the whole picture."""
        return self.reach(**_named(self.reach, params)) if callable(self.reach) else self.reach

    def proportional_for(self, params: dict[str, Any]) -> bool:
        """Whether its result is a weighted mean of the colours, with these parameters."""
        return (
            self.proportional(**_named(self.proportional, params)) if callable(self.proportional) else self.proportional
        )

    def upends(self, params: dict[str, Any]) -> bool:
        """Whether it turns pictures on their side, with these parameters."""
        return self.upended is not None and self.upended(**_named(self.upended, params))

    def scale_for(self, params: dict[str, Any]) -> int:
        """How many times larger its output is with these parameters."""
        return self.scale(**_named(self.scale, params)) if callable(self.scale) else self.scale


class _Decorate(Protocol):
    @overload
    def __call__(self, function: Callable[P, Job[R]]) -> Operator[P, R]: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, function: Callable[P, R]) -> Operator[P, R]: ...


@overload
def operator(function: Callable[P, Job[R]]) -> Operator[P, R]: ...  # type: ignore[overload-overlap]


@overload
def operator(function: Callable[P, R]) -> Operator[P, R]: ...


@overload
def operator(
    *,
    reach: Reach | None = None,
    scale: Scale = 1,
    geometry: bool = False,
    proportional: bool | Callable[..., bool] = True,
    together: bool = False,
    settle: Settle | None = None,
    upended: Callable[..., bool] | None = None,
    version: int = 1,
    needs: tuple[str, ...] = (),
    extra: str = "",
) -> _Decorate: ...


def operator(function: Callable[..., Any] | None = None, **facts: Any) -> Any:
    """Make a function an operator; used bare or with arguments (see :class:`Operator`).

    The function's name must be that of its file; its group is its folder.
    """

    def decorate(inner: Callable[..., Any]) -> Operator[..., Any]:
        group, _, stem = inner.__module__.rpartition(".")
        return Operator(inner, inner.__name__, group.rpartition(".")[2] or stem, **facts)

    return decorate if function is None else decorate(function)


def operator_named(name: str) -> Operator[..., Any]:
    """Import an operator.

    Raises:
        ParameterError: if there is none of that name.
    """
    found: Operator[..., Any] = imported(look_up(operators(), name, "operator"))
    return found


def _named(function: Callable[..., Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values that a function asks for by the names of its parameters."""
    return {name: values[name] for name in inspect.signature(function).parameters}


def _own(value: Any, count: int, item: int) -> Any:
    """What belongs to one picture of ``count``: its part of a batch of pictures or masks; anything else is for all."""
    is_batch = getattr(value, "ndim", 0) == 4 and len(value) == count
    return value[item : item + 1] if is_batch else value


__all__ = ["SEEN", "Operator", "operator", "operator_named"]

"""What a wish looks like: tasks run in memory on pictures made small or cut out, for the eye and not for the disk."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch.nn.functional import interpolate

from danqing.core.artefacts.artefact import Artefact
from danqing.core.errors import ParameterError
from danqing.core.fields.kind import Kind, View
from danqing.core.fields.mask import MaskKind
from danqing.core.learned.card import bundled
from danqing.core.learned.manner import live
from danqing.core.notes import noted
from danqing.core.operators.operator import Operator
from danqing.core.pictures.contract import Mask, Picture
from danqing.core.pictures.header import opened
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import finish
from danqing.core.runs.compute import Loaded, compute, placed, watched
from danqing.core.runs.order import Call
from danqing.faces.service.catalogue import paints, task_of
from danqing.faces.service.chains import Asked
from danqing.faces.service.display import encoded, smaller, with_opacity
from danqing.faces.service.engine import Stop
from danqing.faces.service.problems import problem_of
from danqing.faces.service.service import Service
from danqing.faces.service.wish import Wish

SHEET = 4096  # px of a sheet of several pictures


class Made(NamedTuple):
    """What a step made, in memory, and the opacity that belongs to its pictures."""

    artefact: Artefact
    alpha: Mask | None

    def nbytes(self) -> int:
        """The bytes that are held."""
        return self.artefact.nbytes() + (0 if self.alpha is None else self.alpha.nbytes)

    def picture(self) -> Picture | None:
        """Its pictures; None where there is nothing to see."""
        shown = self.artefact.shown()
        return None if shown is None else Picture(shown, self.alpha)


class Seen(NamedTuple):
    """What is to be seen: facts, and the picture as a file (empty where there is nothing to look at)."""

    facts: dict[str, Any]
    data: bytes


def look(service: Service, wish: Wish, stop: Stop) -> Seen:
    """Do what a wish asks for, in memory."""
    began = time.perf_counter()
    notes: list[str] = []
    shown, numbers = Looking(service, wish, stop, notes).seen()
    facts: dict[str, Any] = {"id": wish.id, "channel": wish.channel, "type": "result", "bytes": 0}
    data, count, columns = b"", 0, 1
    if shown is not None:
        count = len(shown.pixels)
        columns = max(1, math.ceil(math.sqrt(count)))
        pixels = contact_sheet(shown.pixels, columns) if count > 1 else shown.pixels
        alpha = shown.alpha if count == 1 else None
        bytes_ = smaller(with_opacity(pixels, alpha), SHEET if count > 1 else max(wish.size.longest, 1))
        data, form = encoded(bytes_, wish.form, wish.quality)
        facts |= {"width": bytes_.shape[1], "height": bytes_.shape[0], "format": form, "bytes": len(data)}
    facts |= {"count": count, "columns": columns, "notes": service.scrub(notes), "numbers": service.scrub(numbers)}
    return Seen({**facts, "milliseconds": round((time.perf_counter() - began) * 1000, 2)}, data)


class Looking:
    """One look: the steps of a wish on its picture; what the steps before the last made is kept for the next look."""

    def __init__(self, service: Service, wish: Wish, stop: Stop, notes: list[str]) -> None:
        self._service, self._wish, self._stop, self._notes = service, wish, stop, notes
        self._scale = 1.0

    def seen(self) -> tuple[Picture | None, Any]:
        """What the last step that is on made, and its numbers; the picture itself where none is."""
        wish = self._wish
        steps = [step for step in wish.steps if step.on]
        if wish.picture is not None:
            self._scale = self._scale_of(wish.picture)
        current = None if wish.picture is None else self._picture(wish.picture)
        numbers: Any = None
        for number, step in enumerate(steps, 1):
            try:
                if number < len(steps):
                    current = self._remembered(steps[:number], current, step)
                else:
                    made = self._done(step, current)
                    current, numbers = made.picture(), made.artefact.told()
            except Exception as error:
                problem = problem_of(error)
                if problem.kind == "internal":
                    raise
                problem.more.setdefault("step", number)
                raise problem from error
        return current, numbers

    def _remembered(self, steps: list[Asked], before: Picture | None, step: Asked) -> Picture | None:
        """What the step after one works on."""
        key = (
            self._wish.picture,
            self._wish.size,
            json.dumps([each.told() for each in steps], sort_keys=True, default=str),
        )
        made = self._service.display.made(key, lambda: self._done(step, before), Made.nbytes)
        return before if made.artefact.looks else made.picture()

    def _done(self, step: Asked, before: Picture | None) -> Made:
        """What one step makes of a picture."""
        task = task_of(step.name)
        assert isinstance(task, Operator)
        loaded, call = self._loaded(task, step.values, before)
        work = watched(compute(call, loaded), self._notes, {})
        with live() if paints(task) else nullcontext():
            made, like = finish(work, self._stop)
        return Made(made, like.alpha if like is not None else None)

    def _loaded(
        self, task: Operator[..., Any], values: Mapping[str, Any], before: Picture | None
    ) -> tuple[Loaded, Call]:
        """The call of a step, and what it works on: files read small, places moved to where they lie there."""
        if task.subject and before is None:
            raise ParameterError("is required: a picture", where=task.subject)
        kinds = {each.name: each.kind for each in task.fields}
        own = {each.name: each.default for each in task.fields}
        ready = {
            name: str(self._found(name, value))
            if kinds[name].may_open(value) and value != own[name] and value not in bundled()
            else value
            for name, value in values.items()
        }
        view = self._view(before)
        with noted(self._notes):
            call = Call.of(task, ready)
            read = {name: self._beside(values[name], kinds[name], file, view) for name, file in call.files.items()}
        moved = {n: None if value is None else kinds[n].moved(value, view) for n, value in call.values.items()}
        call = replace(call, values=moved)
        return placed(call, {**read, **({task.subject: before} if task.subject else {})}), call

    def _found(self, name: str, value: str) -> Path:
        """The file that stands for a value.

        Raises:
            ParameterError: if there is none, naming the parameter.
        """
        try:
            return self._service.shelf.find(value)
        except ParameterError as error:
            raise ParameterError(error.what, where=name, remedy=error.remedy) from None

    def _view(self, before: Picture | None) -> View:
        """What of the picture is worked on."""
        box = self._wish.size.box
        left, top = (box.left, box.top) if box is not None else (0, 0)
        height, width = (0, 0) if before is None else before.pixels.shape[-2:]
        return View(left, top, self._scale, (width, height))

    def _picture(self, name: str) -> Picture:
        return self._service.display.picture(self._service.shelf.file(name), name, self._wish.size)

    def _beside(self, name: str, kind: Kind, file: Path, view: View) -> Any:
        """What is set beside the picture worked on: a mask is made as large as that."""
        most = self._service.settings.limits.pixels
        if not kind.is_picture:
            return kind.moved(kind.load(file, most), view)
        if not isinstance(kind, MaskKind):
            return self._picture(name)

        def read_mask() -> Picture:
            with noted([]):
                return Picture(kind.load(file, most))

        mask = self._service.display.mask((name, "mask", self._wish.size), read_mask, self._wish.size).pixels
        size = view.size[::-1]
        return mask if mask.shape[-2:] == size or not all(size) else interpolate(mask, size, mode="area")

    def _scale_of(self, name: str) -> float:
        """How much smaller the picture worked on is than the one in the file."""
        if self._wish.size.box is not None:
            return 1.0
        with opened(self._service.shelf.file(name), self._service.settings.limits.pixels) as header:
            return min(1.0, self._wish.size.longest / max(header.width, header.height))


__all__ = ["Seen", "look"]

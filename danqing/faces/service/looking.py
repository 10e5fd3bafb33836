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
from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.mended import Mended
from danqing.core.artefacts.pictures import Pictures
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


class Seen(NamedTuple):
    """What is to be seen: facts, and the picture as a file (empty where there is nothing to look at)."""

    facts: dict[str, Any]
    data: bytes


def look(service: Service, wish: Wish, stop: Stop) -> Seen:
    """Do what a wish asks for, in memory."""
    began = time.perf_counter()
    notes: list[str] = []
    looking = Looking(service, wish, stop, notes)
    shown = looking.seen()
    facts: dict[str, Any] = {"id": wish.id, "channel": wish.channel, "type": "result", "bytes": 0}
    data, count, columns = b"", 0, 1
    if isinstance(shown, Figures):
        facts["numbers"] = service.scrub(shown.told())
    picture = shown.picture if isinstance(shown, Figures) else shown.pixels if isinstance(shown, Picture) else None
    if picture is not None:
        count = len(picture)
        columns = max(1, math.ceil(math.sqrt(count)))
        pixels = contact_sheet(picture, columns) if count > 1 else picture
        alpha = shown.alpha if isinstance(shown, Picture) else looking.opacity
        alpha = alpha if count == 1 else None
        bytes_ = smaller(with_opacity(pixels, alpha), SHEET if count > 1 else max(wish.size.longest, 1))
        data, form = encoded(bytes_, wish.form, wish.quality)
        facts |= {"width": bytes_.shape[1], "height": bytes_.shape[0], "format": form, "bytes": len(data)}
    facts |= {"count": count, "columns": columns, "notes": service.scrub(notes)}
    facts.setdefault("numbers", None)
    return Seen({**facts, "milliseconds": round((time.perf_counter() - began) * 1000, 2)}, data)


class Looking:
    """One look: the steps of a wish on its picture; what the steps before the last made is kept for the next look."""

    def __init__(self, service: Service, wish: Wish, stop: Stop, notes: list[str]) -> None:
        self._service, self._wish, self._stop, self._notes = service, wish, stop, notes
        self._scale = 1.0
        self.opacity: Mask | None = None  # that goes with figures of a picture that was mended

    def seen(self) -> Picture | Figures | None:
        """What the last step that is on made; the picture itself where none is."""
        wish = self._wish
        steps = [step for step in wish.steps if step.on]
        if wish.picture is not None:
            self._scale = self._scale_of(wish.picture)
        current: Any = None if wish.picture is None else self._picture(wish.picture)
        for number, step in enumerate(steps, 1):
            try:
                if number < len(steps):
                    current = self._remembered(steps[:number], current, step)
                else:
                    current = self._done(step, current)
            except Exception as error:
                problem = problem_of(error)
                if problem.kind == "internal":
                    raise
                problem.more.setdefault("step", number)
                raise problem from error
        return current  # type: ignore[no-any-return]

    def _remembered(self, steps: list[Asked], before: Any, step: Asked) -> Any:
        key = (
            self._wish.picture,
            self._wish.size,
            json.dumps([each.told() for each in steps], sort_keys=True, default=str),
        )
        made = self._service.display.made(key, lambda: self._done(step, before))
        if isinstance(made, Mended):
            return _after(before, made)
        return before if isinstance(made, Figures) else made

    def _done(self, step: Asked, before: Picture | None) -> Picture | Figures | None:
        """What one step makes of a picture."""
        task = task_of(step.name)
        assert isinstance(task, Operator)
        loaded, call = self._loaded(task, step.values, before)
        work = watched(compute(call, loaded), self._notes, {})
        with live() if paints(task) else nullcontext():
            made, like = finish(work, self._stop)
        self.opacity = like.alpha if like is not None else None
        return _shown(made, like)

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


def _after(before: Picture, made: Mended) -> Picture:
    """What the step after one that mended works on."""
    assert made.picture is not None
    alike = made.picture.shape[-2:] == before.pixels.shape[-2:]
    return Picture(made.picture, before.alpha if alike else None)


def _shown(made: Artefact, like: Picture | None) -> Picture | Figures | None:
    if isinstance(made, Figures):
        return made
    if isinstance(made, Pictures):
        return Picture(made.x, like.alpha if like is not None else None)
    return None


__all__ = ["Seen", "look"]

"""What one connection wishes to see: the newest wish of each channel wins."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from danqing.core.progress import Progress
from danqing.faces.service.catalogue import paints, task_of
from danqing.faces.service.engine import Stop
from danqing.faces.service.looking import Seen, look
from danqing.faces.service.problems import Problem, problem_of
from danqing.faces.service.service import Service
from danqing.faces.service.wish import Wish, channel_in, read_wish

PATIENCE = 0.3  # seconds that a look may take before a newer wish stops it
CHANNELS = 16  # of one connection

Tell = Callable[[dict[str, Any], bytes], Coroutine[Any, Any, None]]


class Wishes:
    """The wishes of one connection: of each channel one is in work, and one, the newest, waits."""

    def __init__(self, service: Service, tell: Tell) -> None:
        self._service, self._tell = service, tell
        self._waiting: dict[str, Wish] = {}
        self._working: dict[str, tuple[Stop | None, float]] = {}  # and since when
        self._tasks: set[asyncio.Task[None]] = set()

    async def wish(self, asked: Any) -> None:
        """Take a wish."""
        try:
            wish = await asyncio.to_thread(read_wish, self._service, asked)
            if wish.channel not in self._working and len(self._working) >= CHANNELS:
                raise Problem("too-many", "too many channels at once")
        except Exception as error:
            await self._problem(asked if isinstance(asked, dict) else {}, error)
            return
        old = self._waiting.pop(wish.channel, None)
        if old is not None:
            await self._dropped(old)
        self._waiting[wish.channel] = wish
        if wish.channel in self._working:
            stop, since = self._working[wish.channel]
            if stop is not None and time.monotonic() - since > PATIENCE:
                stop.gone()
            return
        self._working[wish.channel] = None, time.monotonic()
        task = asyncio.create_task(self._work(wish.channel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Nobody looks any more."""
        self._waiting.clear()
        for stop, _ in self._working.values():
            if stop is not None:
                stop.gone()
        for task in self._tasks:
            task.cancel()

    async def _work(self, channel: str) -> None:
        """Meet the wishes of a channel until none waits."""
        try:
            while (wish := self._waiting.pop(channel, None)) is not None:
                await self._meet(wish)
        finally:
            self._working.pop(channel, None)

    async def _meet(self, wish: Wish) -> None:
        loop, told = asyncio.get_running_loop(), time.monotonic()

        def tell(progress: Progress) -> None:
            nonlocal told
            if time.monotonic() - told > PATIENCE and progress.done < progress.total:
                told = time.monotonic()
                share = progress.done / progress.total
                facts = {"id": wish.id, "channel": wish.channel, "type": "progress", "share": share}
                asyncio.run_coroutine_threadsafe(self._tell({**facts, "words": progress.words}, b""), loop)

        def work(stop: Stop) -> Seen:
            stop.tell = tell
            self._working[wish.channel] = stop, time.monotonic()
            return look(self._service, wish, stop)

        try:
            seen = await self._service.engine.do(work, paints=all(paints(task_of(step.name)) for step in wish.steps))
        except Exception as error:
            if isinstance(error, Problem) and error.kind == "gone":
                await self._dropped(wish)
            else:
                await self._problem({"id": wish.id, "channel": wish.channel}, error)
            return
        self._service.meters.live.labels("met").inc()
        await self._tell(seen.facts, seen.data)

    async def _dropped(self, wish: Wish) -> None:
        self._service.meters.live.labels("dropped").inc()
        await self._tell({"id": wish.id, "channel": wish.channel, "type": "dropped"}, b"")

    async def _problem(self, asked: dict[str, Any], error: Exception) -> None:
        self._service.meters.live.labels("problem").inc()
        problem = problem_of(error)
        if problem.kind == "internal":
            self._service.log.error("a look failed", exc_info=error)
        told = self._service.scrub(problem.told())
        facts = {"id": asked.get("id"), "channel": channel_in(asked), "type": "problem", "problem": told}
        await self._tell(facts, b"")


__all__ = ["Wishes"]

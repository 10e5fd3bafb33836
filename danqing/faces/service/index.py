"""What there is, in order: a table in SQLite over folders that hold all of it, made anew from them when it is lost."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Row = tuple[str, int, str, str, str]  # id, number, task, state, client

DAMAGE = ("malformed", "not a database", "no such table", "no such column")  # in what SQLite says
PUT = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?)"
TABLES = """
CREATE TABLE IF NOT EXISTS entries (
    shelf TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, task TEXT NOT NULL,
    state TEXT NOT NULL, client TEXT NOT NULL, PRIMARY KEY (shelf, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS in_order ON entries (shelf, number);
"""


class Index:
    """Entries of several shelves (jobs, gallery), each with its number: later ones have larger numbers.

    The clock plays no part in the order. A damaged index is set aside under another name and made anew.

    Args:
        file: of SQLite.
        shelves: by name, what gives the entries that lie in the folders.
        report: told what happened to a damaged one.
    """

    def __init__(
        self, file: Path, shelves: Mapping[str, Callable[[], Iterable[Row]]], report: Callable[[str, str], None]
    ) -> None:
        self.file, self._shelves, self._report = file, shelves, report
        self._lock = threading.RLock()
        self._base: sqlite3.Connection | None = None
        self._sound(lambda base: None)  # open it, or make it anew

    def put(self, shelf: str, row: Row) -> None:
        """Enter, or enter anew."""
        self._sound(lambda base: base.execute(PUT, (shelf, *row)))

    def enter(self, shelf: str, row: Callable[[int], Row]) -> Row:
        """Enter under the next number, which nobody else is given meanwhile."""

        def work(base: sqlite3.Connection) -> Row:
            made = row(_next(base, shelf))
            base.execute(PUT, (shelf, *made))
            return made

        return self._sound(work)

    def drop(self, shelf: str, name: str) -> bool:
        """Take out; whether it was in."""
        done = self._sound(lambda base: base.execute("DELETE FROM entries WHERE shelf = ? AND id = ?", (shelf, name)))
        return bool(done.rowcount)

    def rows(
        self, shelf: str, *, states: tuple[str, ...] = (), task: str = "", before: str = "", limit: int = -1
    ) -> list[Row]:
        """Entries, the last one first.

        Args:
            shelf: which.
            states: only these.
            task: only this.
            before: only those that came before the entry of this id.
            limit: how many at most; -1: all.
        """
        query, values = "SELECT id, number, task, state, client FROM entries WHERE shelf = ?", [shelf]
        if states:
            query, values = f"{query} AND state IN ({','.join('?' * len(states))})", [*values, *states]
        if task:
            query, values = f"{query} AND task = ?", [*values, task]
        if before:
            query += " AND number < (SELECT number FROM entries WHERE shelf = ? AND id = ?)"
            values = [*values, shelf, before]
        query += " ORDER BY number DESC LIMIT ?"
        return self._sound(lambda base: list(base.execute(query, [*values, limit])))

    def next_number(self, shelf: str) -> int:
        """The number of the next entry."""
        return self._sound(lambda base: _next(base, shelf))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._base is not None:
                self._base.close()
                self._base = None

    def _sound(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the base; when it turns out to be damaged, with a new one.

        Raises:
            OSError: if it cannot be used for another reason, such as a full disk.
        """
        with self._lock:
            try:
                return self._tried(work)
            except sqlite3.DatabaseError as error:
                self._set_aside(error)
                return self._tried(work)

    def _tried(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._work(work)
        except sqlite3.DatabaseError as error:
            if any(sign in str(error) for sign in DAMAGE):
                raise
            number = errno.ENOSPC if "full" in str(error) else errno.EIO
            raise OSError(number, f"the index cannot be used ({error})") from error

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        base = self._base = self._base or self._opened()
        with base:
            return work(base)

    def _opened(self) -> sqlite3.Connection:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(self.file, check_same_thread=False, timeout=10)
        try:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
            if base.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check says malformed")
            base.executescript(TABLES)
            base.execute("SELECT shelf, id, number, task, state, client FROM entries LIMIT 1")
            with base:
                self._adopt(base)
        except BaseException:
            base.close()
            raise
        return base

    def _adopt(self, base: sqlite3.Connection) -> None:
        """Enter what lies in the folders and is not in the index, such as after a crash between the two."""
        for shelf, entries in self._shelves.items():
            known = {row[0] for row in base.execute("SELECT id FROM entries WHERE shelf = ?", [shelf])}
            there = {row[0]: row for row in entries()}
            for name in known - there.keys():
                base.execute("DELETE FROM entries WHERE shelf = ? AND id = ?", [shelf, name])
            missing = [(shelf, *row) for name, row in there.items() if name not in known]
            base.executemany(PUT, missing)

    def _set_aside(self, error: Exception) -> None:
        if self._base is not None:
            with suppress(sqlite3.Error):
                self._base.close()
            self._base = None
        aside = self.file.with_name(f"{self.file.name}.damaged-{time.time_ns()}")
        for ending in ("", "-wal", "-shm"):
            part = self.file.with_name(self.file.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        self._report(aside.name, str(error))


def _next(base: sqlite3.Connection, shelf: str) -> int:
    query = "SELECT COALESCE(MAX(number), 0) + 1 FROM entries WHERE shelf = ?"
    return int(base.execute(query, [shelf]).fetchone()[0])


__all__ = ["Index", "Row"]

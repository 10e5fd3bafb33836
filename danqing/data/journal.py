"""A packed store in the making: pictures appended to one file, and a journal of what is safely on the disk."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from danqing.core.errors import OutputError

PICTURES, JOURNAL = "pictures.u8", "journal.jsonl"
MOST, LONGEST = 256, 2.0  # pictures and seconds of work that a kill can cost


class Journal:
    """Appends pictures and notes; opened again after a kill, it stands where the last line of the journal says.

    Attributes:
        consumed: how many pictures of the source are dealt with, good and bad.
        names: of the good ones.
        labels: of the good ones.
        bad: name and reason of each that cannot be used.
        animations: names of those that have several frames or pages.
        channels: of the store; None in a new journal that was not told.
        pair: of the second pictures of pairs: scale and channels; None where there are none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.consumed, self.length = 0, 0
        self.names: list[str] = []
        self.labels: list[str | None] = []
        self.bad: list[list[str]] = []
        self.animations: list[str] = []
        self.channels: int | None = None
        self.pair: tuple[int, int] | None = None
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._resume()
            self._pictures = open(folder / PICTURES, "ab")  # noqa: SIM115 (closed by __exit__)
            self._notes = open(folder / JOURNAL, "ab")  # noqa: SIM115
        self._fresh()

    def start(self, channels: int, pair: tuple[int, int] | None = None) -> None:
        """Note the channels of a new store, and what its pairs are."""
        self.channels, self.pair = channels, pair
        self._write({"channels": channels, "pair": pair})

    def add(self, name: str, label: str | None, found: NDArray[np.uint8] | str, frames: int = 1) -> None:
        """Append the squares (N, bytes of each) of one picture, or the reason why it cannot be used.

        Raises:
            OutputError: if it cannot be written; all up to the last line of the journal is kept.
        """
        self._consumed += 1
        self._animations += [name] * (frames > 1)
        if isinstance(found, str):
            self._bad.append([name, found])
        else:
            with told(self.folder):
                self._pictures.write(found.tobytes())
            self._bytes += found.nbytes
            self._names += [name] * len(found)
            self._labels += [label] * len(found)
        if self._consumed >= MOST or time.monotonic() - self._since > LONGEST:
            self.flush()

    def flush(self) -> None:
        """Put what was added on the disk, and only then into the journal."""
        with told(self.folder):
            self._pictures.flush()
            os.fsync(self._pictures.fileno())
        note = {
            "consumed": self._consumed, "bytes": self._bytes,
            "names": self._names, "labels": self._labels, "bad": self._bad, "animations": self._animations,
        }  # fmt: skip
        self._write(note)
        self._apply(note)
        self._fresh()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in (self._pictures, self._notes):
            try:
                file.close()
            except OSError:  # a full disk again, already told
                if kind is None:
                    raise

    def _fresh(self) -> None:
        self._consumed, self._bytes, self._since = 0, 0, time.monotonic()
        self._names: list[str] = []
        self._labels: list[str | None] = []
        self._bad: list[list[str]] = []
        self._animations: list[str] = []

    def _write(self, note: dict[str, Any]) -> None:
        with told(self.folder):
            self._notes.write(json.dumps(note).encode() + b"\n")
            self._notes.flush()
            os.fsync(self._notes.fileno())

    def _apply(self, note: dict[str, Any]) -> None:
        self.channels = note.get("channels", self.channels)
        pair = note.get("pair", self.pair)
        self.pair = None if pair is None else (pair[0], pair[1])
        self.consumed += note.get("consumed", 0)
        self.length += note.get("bytes", 0)
        self.names += note.get("names", [])
        self.labels += note.get("labels", [])
        self.bad += note.get("bad", [])
        self.animations += note.get("animations", [])

    def _resume(self) -> None:
        """Take in the whole lines of an earlier journal; cut off what goes beyond: a torn line, unnoted pictures."""
        for file in (self.folder / JOURNAL, self.folder / PICTURES):
            file.touch()
        lines = (self.folder / JOURNAL).read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        notes = [json.loads(line) for line in whole]
        if (self.folder / PICTURES).stat().st_size < sum(note.get("bytes", 0) for note in notes):
            whole, notes = [], []  # someone meddled with the pictures: begin again
        for note in notes:
            self._apply(note)
        os.truncate(self.folder / JOURNAL, sum(map(len, whole)))
        os.truncate(self.folder / PICTURES, self.length)


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn a failure to write into words.

    Raises:
        OutputError: if what is done inside cannot be written.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
        what = "the disk is full" if full else f"cannot be written ({error.strerror or error})"
        remedy = "Free space there and start again: packing goes on where it stopped. " if full else ""
        remedy += "DANQING_CACHE names another folder for packed pictures"
        raise OutputError(what, where=folder, remedy=remedy) from error

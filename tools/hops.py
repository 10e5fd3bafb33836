"""Count the files of core that a picture passes through on its way from the disk, through an operator, to the disk.

    python tools/hops.py

runs ``median`` on a PNG and prints them. A file counts when one of its functions is called with the picture or gives it
back; what is called while modules are imported or classes made does not. The picture is the path it lies at or goes to,
its open file, its bytes, its pixels, or an object that holds one of these.
"""

from __future__ import annotations

import dataclasses
import inspect
import io
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import torch

SIDE = (24, 31)  # of the picture; no other array has these sides
BYTES = 64  # fewer are no picture


class Hops:
    """Watches calls in every thread, and notes the files whose functions handle the picture."""

    def __init__(self, core: Path, paths: set[str]) -> None:
        self.core, self.paths = f"{core}/", paths
        self.found: dict[str, set[str]] = {}

    def watch(self, work: Callable[[], Any]) -> None:
        threading.setprofile(self.see)
        sys.setprofile(self.see)
        try:
            work()
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]

    def see(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(self.core) or _is_body(code):
            return
        values = [argument] if event == "return" else [frame.f_locals.get(name) for name in _parameters(code)]
        if any(map(self.carries, values)):
            self.found.setdefault(code.co_filename[len(self.core) :], set()).add(code.co_qualname)

    def carries(self, value: Any) -> bool:
        """Whether a value is the picture, or holds it one level deep."""
        return self.is_picture(value) or any(map(self.is_picture, _inside(value)))

    def is_picture(self, value: Any) -> bool:
        if isinstance(value, str | Path):
            return str(value) in self.paths
        if isinstance(value, torch.Tensor | np.ndarray):
            return set(SIDE) <= set(value.shape)
        if isinstance(value, bytes | bytearray | memoryview):
            return len(value) > BYTES
        return isinstance(value, io.IOBase) and str(getattr(value, "name", "")) in self.paths


def _parameters(code: CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount + sum(bool(code.co_flags & flag) for flag in (4, 8))
    return code.co_varnames[:count]


def _is_body(code: CodeType) -> bool:
    """Whether it is the body of a module or a class, which is no function."""
    return not code.co_flags & inspect.CO_OPTIMIZED


def _inside(value: Any) -> Iterator[Any]:
    """What an object holds."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, tuple | list | set):
        yield from value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from vars(value).values() if hasattr(value, "__dict__") else ()
    elif type(value).__module__.startswith("danqing.") and hasattr(value, "__dict__"):
        yield from vars(value).values()


def photograph(folder: Path) -> Path:
    """A picture of noise in a PNG."""
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (*SIDE, 3), dtype=np.uint8)
    file = folder / "source.png"
    Image.fromarray(pixels).save(file)
    return file


def hops(core: Path, run: Callable[[Path, Path], Any]) -> dict[str, set[str]]:
    """The files of core, and their functions, that handle the picture while ``run`` makes one from another."""
    with tempfile.TemporaryDirectory() as name:
        source = photograph(Path(name))
        run(source, source.with_name("first.png"))  # whatever is imported late is there then
        target = source.with_name("target.png")
        watch = Hops(core, {str(source), str(target)})
        watch.watch(lambda: run(source, target))
        assert target.is_file()
        return watch.found


def median(source: Path, target: Path) -> None:
    """Run ``median`` as a face does."""
    from danqing.core.operators.operator import operator_named
    from danqing.core.progress import finish
    from danqing.core.runs.folders import Folders
    from danqing.core.runs.run import run

    finish(run(operator_named("median"), {}, Folders([source], out=target)))


if __name__ == "__main__":
    from danqing.core.menu import PACKAGE

    passed = hops(PACKAGE / "core", median)
    for file in sorted(passed):
        print(f"{file:32} {', '.join(sorted(passed[file]))}")
    print(f"{len(passed)} files")

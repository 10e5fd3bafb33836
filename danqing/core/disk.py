"""Files: written whole or not at all, and known by the hash of their bytes; needs no torch."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from danqing.core.errors import OutputError


@contextmanager
def replacing(file: str | Path, *, force: bool = True) -> Iterator[Path]:
    """Give a temporary name beside ``file`` and move what was written there onto it: whole, or not at all.

    Raises:
        OutputError: if the folder cannot be written, the disk is full, or the file exists and ``force`` is False.
    """
    temporary: Path | None = None
    try:
        target = Path(os.path.realpath(file))  # a link stays a link
        if target.exists() and not force:
            raise OutputError("exists already", where=file, remedy="Choose another name or give --force")
        if target.exists() and not target.is_file():
            raise OutputError("is a folder or a device, not a file", where=file)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem[:40]}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # last: some writers put a file of their own in its place
        _flush(temporary)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", where=file) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@functools.lru_cache(maxsize=256)
def _hash(file: str, size: int, modified: int) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_of(file: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    facts = os.stat(file)
    return _hash(os.fspath(file), facts.st_size, facts.st_mtime_ns)


def _flush(file: Path) -> None:
    with open(file, "rb+") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


__all__ = ["hash_of", "replacing"]

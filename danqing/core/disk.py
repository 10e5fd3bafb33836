"""Files: written whole or not at all, and known by the hash of their bytes; needs no torch."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from danqing.core.errors import OutputError, UserError

BLOCKS, BLOCK = 64, 1 << 14  # places in one large file, and bytes at each: a file of up to 1 MiB is read whole
LONGEST_SUFFIX = 16  # bytes: what is longer is no name of a format, and a whole name has 255 at most


@contextmanager
def replacing(file: str | Path, *, force: bool = True) -> Iterator[Path]:
    """Give a temporary name beside ``file`` and move what was written there onto it: whole, or not at all.

    A file that is replaced keeps its mode; a new one gets what the process's umask leaves, as any new file does.

    Raises:
        OutputError: if the folder cannot be written, the disk is full, or the file exists and ``force`` is False.
    """
    temporary: Path | None = None
    try:
        target = _target(file, force)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary, mode = _new_file_beside(target)
        yield temporary
        temporary.chmod(mode)  # last: some writers put a file of their own in its place
        _flush(temporary)
        _put(temporary, target, force)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", where=file) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_there(file: str | Path) -> None:
    """Refuse a place where nothing is, before any work is done for it.

    Raises:
        UserError: if there is no file or folder.
        OSError: if that cannot be told.
    """
    try:
        os.stat(file)
    except FileNotFoundError as error:
        raise UserError("no such file", where=file) from error


def hash_of(file: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return _hash(os.fspath(file), *identity_of(file))


def identity_of(file: str | Path) -> tuple[int, ...]:
    """What tells whether a file is still that which was read, without reading it: where it lies, its size and times.

    The time of its last change of any kind cannot be set, whatever a copy or an archive does to the other one.

    Raises:
        OSError: if there is none.
    """
    facts = os.stat(file)
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def sampled(file: Path | str) -> str:
    """A digest of a file's size and of what stands at 64 places in it, the first and the last bytes among them.

    A file that cannot be read has the digest of an empty one: reading reports it.
    """
    found = hashlib.sha256()
    try:
        with open(file, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            found.update(size.to_bytes(8, "little"))
            for start in _places(size):
                stream.seek(start)
                found.update(stream.read(BLOCK))
    except OSError:
        pass
    return found.hexdigest()


def cache_folder() -> Path:
    """Where what was computed once is kept: $DANQING_CACHE, else where the system keeps caches."""
    named = os.environ.get("DANQING_CACHE")
    return Path(named) if named else user_cache_path("danqing", appauthor=False)


def seen_from(home: Path, file: Path) -> str:
    """The path of a file as seen from a folder; absolute where there is no way between the two."""
    try:
        return Path(os.path.relpath(os.path.realpath(file), os.path.realpath(home))).as_posix()
    except ValueError:  # another drive
        return Path(os.path.realpath(file)).as_posix()


def beside(home: Path, value: Any) -> Any:
    """A value; the whole path of what lies in a folder is told by its name, since they move together."""
    is_in = isinstance(value, str) and os.path.isabs(value) and Path(value).parent == home
    return Path(value).name if is_in else value


def _places(size: int) -> Iterable[int]:
    if size <= BLOCKS * BLOCK:
        return range(0, size, BLOCK)
    return [at * (size - BLOCK) // (BLOCKS - 1) for at in range(BLOCKS)]


@functools.lru_cache(maxsize=256)
def _hash(file: str, *identity: int) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _target(file: str | Path, force: bool) -> Path:
    """The file that is really meant: a link stays a link."""
    try:
        target = Path(os.path.realpath(file))
        if target.is_symlink():
            raise OutputError("is a link that leads round in a circle", where=file)
        if target.exists() and not force:
            raise _exists(file)
        if target.exists() and not target.is_file():
            raise OutputError("is a folder or a device, not a file", where=file)
    except ValueError as error:  # a zero byte
        raise OutputError(f"is no name for a file ({error})", where=repr(file)) from error
    return target


def _new_file_beside(target: Path) -> tuple[Path, int]:
    """Make an empty file with a name that nobody has; the mode that ``target`` is to have."""
    suffix = target.suffix if len(os.fsencode(target.suffix)) <= LONGEST_SUFFIX else ""
    temporary = target.with_name(f".danqing-{secrets.token_hex(8)}{suffix}")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)  # the kernel takes the umask off
    try:
        return temporary, stat.S_IMODE((os.stat(target) if target.exists() else os.fstat(handle)).st_mode)
    finally:
        os.close(handle)


def _put(temporary: Path, target: Path, force: bool) -> None:
    """Move a file to its name; without force, nobody's who took that name in the meantime is replaced."""
    if not force:
        try:
            os.link(temporary, target)
            return
        except FileExistsError:
            raise _exists(target) from None
        except OSError:  # a disk without links: all that can be done is to look once more
            if os.path.lexists(target):
                raise _exists(target) from None
    temporary.replace(target)


def _exists(file: str | Path) -> OutputError:
    return OutputError("exists already", where=file, remedy="Choose another name or give --force")


def _flush(file: Path) -> None:
    with open(file, "rb+") as stream:
        os.fsync(stream.fileno())


__all__ = ["LONGEST_SUFFIX", "beside", "check_there", "hash_of", "identity_of", "replacing", "sampled", "seen_from"]

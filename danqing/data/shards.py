"""Shards: tar files of pictures, on this disk or behind URLs, with WebDataset's way of giving labels."""

from __future__ import annotations

import glob
import http.client
import json
import os
import re
import tarfile
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from typing import Any, BinaryIO, NamedTuple

from danqing.core.disk import sampled
from danqing.core.errors import DataError
from danqing.core.pictures.listing import HEAD, PassedOver, hidden_part, is_text, reason_to_pass
from danqing.core.pictures.name_encoding import as_bytes, decode_names
from danqing.core.pictures.names import natural, shown, stem
from danqing.data.identity import digest
from danqing.data.label_table import FOUND
from danqing.data.label_words import plain_label
from danqing.data.zips import OUTSIDE, clean_path

TAR = re.compile(r"\.(tar|tgz|tar\.gz)$", re.IGNORECASE)
SCHEME = re.compile(r"^([a-z][a-z0-9+]+):", re.IGNORECASE)  # two letters at least: C: is a disk
WEB = ("http", "https")
BLOCK = 512  # bytes, of a tar
BESIDE = (".cls", ".json")  # what holds the label of the picture beside it
TIMEOUT = 60.0  # s without a byte


Dropped = dict[PassedOver, None]  # in order, each once


class Member(NamedTuple):
    """A file of a shard."""

    name: str
    raw: bytes


class Sample(NamedTuple):
    """One picture of a shard, still encoded."""

    name: str
    label: str | None
    raw: bytes


def is_shards(spec: str) -> bool:
    """Whether this names tar shards."""
    return any(TAR.search(part.partition("?")[0]) for part in spec.split("::"))


def expand(spec: str) -> list[str]:
    """List the shards that a path, glob, ``{000..009}`` range or URL means; ``::`` joins several.

    Raises:
        DataError: if there are none, or an address is of a kind that is not read.
    """
    from webdataset.shardlists import expand_urls

    found = []
    for url in expand_urls(spec):
        if scheme := SCHEME.match(url):
            if scheme[1].lower() not in WEB:  # pipe: among them, which would run any command
                raise DataError("only http and https addresses are read", where=url)
            found.append(url)
        else:
            found += sorted(glob.glob(url), key=natural) if glob.has_magic(url) and not os.path.exists(url) else [url]
    missing = [url for url in found if not is_remote(url) and not os.path.isfile(url)]
    if missing or not found:
        raise DataError("no such shards", where=missing[0] if missing else spec)
    return found


def is_remote(url: str) -> bool:
    """Whether a shard is behind a URL."""
    return SCHEME.match(url) is not None


def fingerprint(urls: list[str]) -> str:
    """A hash that changes with the shards: their places, times and contents as sampled; of remote ones, the address."""
    return digest([[url, *(() if is_remote(url) else _state(url))] for url in urls])


def identity(urls: list[str]) -> str:
    """A hash of what the shards hold, wherever they lie: sizes and sampled contents; of remote ones, the address."""
    return digest([url if is_remote(url) else [os.path.basename(url), sampled(url)] for url in urls])


def samples(
    url: str,
    *,
    names: Mapping[str, str] | None = None,
    passed_over: Dropped | None = None,
    whole: bool = True,
) -> Iterator[Sample]:
    """Go through the pictures of one shard.

    A picture's label is in the ``.cls``, or under ``label`` in the ``.json``, that stands beside it in the shard and
    has its name, or what comes before the first dot of its name.

    Args:
        url: the shard.
        names: what members are called whose names say not how they are encoded.
        passed_over: takes in what is no picture, and why.
        whole: whether the pictures' bytes are wanted; else only the first few are given.

    Raises:
        DataError: if the shard cannot be fetched or is damaged.
    """
    passed_over = {} if passed_over is None else passed_over
    for _, group in groupby(_members(url, names or {}, passed_over, whole), lambda member: key_of(member.name)):
        beside: dict[str, str | None] = {}
        pictures = []
        for member in group:
            path, _, suffix = member.name.rpartition(".")
            if f".{suffix.lower()}" in BESIDE:
                beside.setdefault(path, label_of(suffix.lower(), member.raw, f"{url}: {shown(member.name)}"))
            elif reason := reason_to_pass(member.name, lambda member=member: member.raw[:HEAD]):  # type: ignore[misc]
                passed_over[PassedOver(member.name, reason)] = None
            else:
                pictures.append(member)
        for name, raw in pictures:
            yield Sample(name, beside.get(stem(name), beside.get(key_of(name))), raw)


class Survey(NamedTuple):
    """What a shard on this disk holds, by its members' names alone.

    Attributes:
        names: those that are not ASCII, as they were meant, where some are not UTF-8.
        encoding: that guessed for them; empty where there are none.
        tables: label files by their path, with their contents.
    """

    names: dict[str, str]
    encoding: str
    tables: dict[str, bytes]


def survey(url: str) -> Survey:
    """Go through the names of a shard on this disk.

    Raises:
        DataError: if it cannot be read or is damaged.
    """
    undeclared, tables = [], dict[str, bytes]()
    with _reading(url), _open(url) as stream, _tar(stream, url) as archive:
        for item in archive:
            path = clean_path(item.name) or ""
            if not item.name.isascii() and "path" not in item.pax_headers:  # those are UTF-8 by definition
                undeclared.append(item.name)
            if path.rpartition("/")[2].lower() in FOUND and (taken := archive.extractfile(item)) is not None:
                tables[item.name] = taken.read()
    names, encoding = {}, ""
    if not all(map(is_text, undeclared)):
        decoded, encoding = decode_names(map(as_bytes, undeclared))
        names = dict(zip(undeclared, decoded, strict=True))
    return Survey(names, encoding, {clean_path(names.get(name, name)) or "": raw for name, raw in tables.items()})


def key_of(name: str) -> str:
    """What the members of one sample have in common: the path up to the first dot of the name."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def label_of(suffix: str, raw: bytes, where: str) -> str | None:
    """The label that a ``cls`` or ``json`` file gives, as text; None where it gives none.

    Raises:
        DataError: if it is neither a name nor a number.
    """
    found: Any
    try:
        found = raw.decode("utf-8-sig").strip() if suffix == "cls" else json.loads(raw)
    except ValueError as error:
        raise DataError(f"is not a readable label ({error})", where=where) from error
    label = found.get("label") if isinstance(found, dict) else found if suffix == "cls" else None
    if label is None or (isinstance(label, int | str) and not isinstance(label, bool)):
        try:
            return None if label is None else plain_label(str(label)) or None
        except ValueError as error:
            what = f"has a control character in the label: {error}"
            raise DataError(what, where=where, remedy="Take that character out") from error
    raise DataError("the label is neither a name nor a number", where=where)


def _members(url: str, names: Mapping[str, str], passed_over: Dropped, whole: bool) -> Iterator[Member]:
    """The files of a shard, but for those whose names are of no interest."""
    with _reading(url), _open(url) as stream, _tar(stream, url) as archive:
        for item in archive:
            name = names.get(item.name) or _meant(item.name)
            path = clean_path(name)
            if path is None:
                passed_over[PassedOver(name, OUTSIDE)] = None
            elif hidden := hidden_part(path):
                passed_over[PassedOver(*hidden)] = None
            elif item.isfile():
                taken = archive.extractfile(item)
                length = -1 if whole or path.lower().endswith(BESIDE) else HEAD
                yield Member(path, b"" if taken is None else taken.read(length))
            elif not item.isdir():
                passed_over[PassedOver(path, "is a link or a device, not a file")] = None


def _meant(name: str) -> str:
    return name if is_text(name) else decode_names([as_bytes(name)])[0][0]


@contextmanager
def _reading(url: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (tarfile.TarError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"is a damaged shard ({error.args[0] if error.args else error})", where=url) from error
    except (OSError, http.client.HTTPException) as error:  # the errors of urllib are OSErrors
        raise DataError(f"cannot be read ({getattr(error, 'reason', None) or error})", where=url) from error


def _tar(stream: BinaryIO, url: str) -> tarfile.TarFile:
    mode: Any = "r|*" if is_remote(url) else "r:*"  # on a disk, what is not read is passed over without reading
    return tarfile.open(fileobj=stream, mode=mode, encoding="utf-8", errors="surrogateescape")


def _state(file: str) -> list[Any]:
    facts = os.stat(file)
    return [os.path.realpath(file), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, sampled(file)]


def _check_end(file: str) -> None:
    """Refuse a tar without the empty block at its end; tarfile takes one cut off between two members for whole."""
    if not file.lower().endswith(".tar"):  # compressed files know their own end
        return
    with open(file, "rb") as stream:
        stream.seek(0, os.SEEK_END)
        whole = stream.tell() >= BLOCK and stream.tell() % BLOCK == 0
        stream.seek(-BLOCK if whole else 0, os.SEEK_END)
        if not whole or stream.read(BLOCK).strip(b"\0"):
            raise tarfile.ReadError("it has no end mark")


def _open(url: str) -> BinaryIO:
    if not is_remote(url):
        _check_end(url)
        return open(url, "rb")
    stream: BinaryIO = urllib.request.urlopen(url, timeout=TIMEOUT)
    return stream

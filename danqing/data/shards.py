"""WebDataset shards: tar files of samples, on this disk or behind URLs, taken apart by the webdataset library."""

from __future__ import annotations

import glob
import hashlib
import http.client
import json
import os
import re
import tarfile
import urllib.request
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from danqing.core.errors import DataError
from danqing.core.pictures.names import natural
from danqing.data.archives import is_picture

TAR = re.compile(r"\.(tar|tgz|tar\.gz)$")
SCHEME = re.compile(r"^([a-z][a-z0-9+]+):", re.IGNORECASE)  # two letters at least: C: is a disk
WEB = ("http", "https")
BLOCK = 512  # bytes, of a tar
TIMEOUT = 60.0  # s without a byte


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
    """A hash of the shards' names, sizes and times; of remote ones, the addresses alone."""
    stats = [None if is_remote(url) else os.stat(url) for url in urls]
    facts = [(url, s and s.st_size, s and s.st_mtime_ns) for url, s in zip(urls, stats, strict=True)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def samples(url: str) -> Iterator[Sample]:
    """Go through the pictures of one shard. A sample's label is its ``.cls``, or ``label`` in its ``.json``.

    Raises:
        DataError: if the shard cannot be fetched or is damaged.
    """
    from webdataset.tariterators import group_by_keys, tar_file_expander

    try:
        with _open(url) as stream:
            for sample in group_by_keys(tar_file_expander([{"url": url, "stream": stream}])):
                suffix = next((suffix for suffix in sample if is_picture(f".{suffix}")), None)
                if suffix is not None:
                    name = f"{sample['__key__']}.{suffix}"
                    yield Sample(name, label_of(sample, url), sample[suffix])
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise DataError(f"is a damaged shard ({error.args[0] if error.args else error})", where=url) from error
    except (OSError, http.client.HTTPException) as error:  # the errors of urllib are OSErrors
        raise DataError(f"cannot be read ({getattr(error, 'reason', None) or error})", where=url) from error


def label_of(sample: dict[str, Any], url: str) -> str | None:
    """The label of a sample, as text.

    Raises:
        DataError: if it is neither a name nor a number.
    """
    if "cls" in sample:
        return str(sample["cls"].decode().strip())
    if "json" not in sample:
        return None
    found = json.loads(sample["json"])
    label = found.get("label") if isinstance(found, dict) else None
    if label is None or (isinstance(label, int | str) and not isinstance(label, bool)):
        return None if label is None else str(label)
    raise DataError(f"the label of {sample['__key__']} is neither a name nor a number", where=url)


def _check_end(file: str) -> None:
    """Refuse a tar without the empty block at its end; tarfile takes one cut off between two members for whole."""
    if not file.endswith(".tar"):  # compressed files know their own end
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

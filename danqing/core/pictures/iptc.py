"""IPTC records, in which newspapers and older programs say things of a picture: read, never written; needs no torch.

What is said goes on in a packet. Source: IPTC-NAA Information Interchange Model 4.2, 1.5 (datasets), 5 (coded character
set) and 6 (application record); Adobe Photoshop File Formats Specification, image resource blocks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from danqing.core.pictures.name_encoding import decode_names
from danqing.core.pictures.packet import LISTS, joined

BLOCK, RECORD = b"8BIM", 0x0404  # of Photoshop's resources: how each begins, and the number of that with a record
START, LONG = 0x1C, 0x8000  # how a dataset begins; the bit of a length that says how long the length is
RIGHTS = re.compile(rb"(?<![\x80-\xff])\xa9(?=[ \d]|$)")  # the sign of copyright, in most encodings of a byte a letter
CHARSET, UTF8 = (1, 90), b"\x1b%G"
TEXTS = {
    (2, 5): "Title", (2, 80): "Author", (2, 120): "Description", (2, 116): "Copyright", (2, 25): "Keywords",
    (2, 105): "Headline", (2, 110): "Credit", (2, 40): "Instructions", (2, 90): "City", (2, 95): "State",
    (2, 101): "Country",
}  # fmt: skip


def texts_of(record: bytes) -> dict[str, str]:
    """What a record says, by PNG's keywords, as far as it is whole."""
    found = defaultdict(list)
    for number, data in _datasets(record):
        found[number].append(data.rstrip(b"\0"))
    said = [(keyword, each) for number, keyword in TEXTS.items() for each in found[number] if each]
    if found[CHARSET] == [UTF8]:
        decoded = [each.decode("utf-8", "replace") for _, each in said]
    else:
        decoded = in_letters([each for _, each in said])
    texts = defaultdict(list)
    for (keyword, _), text in zip(said, decoded, strict=True):
        texts[keyword].append(text)
    return {keyword: joined(each) if keyword in LISTS else ", ".join(each) for keyword, each in texts.items()}


def in_letters(words: Sequence[bytes]) -> list[str]:
    """Words that say not how they are encoded, in the letters that are likeliest."""
    pieces = [RIGHTS.split(each) for each in words]
    decoded, _ = decode_names(piece for each in pieces for piece in each)
    left = iter(decoded)
    return ["©".join(next(left) for _ in each) for each in pieces]


def record_in(resources: bytes) -> bytes:
    """The record among Photoshop's resources, or what is one by itself; empty where there is none."""
    if resources[:1] == bytes([START]):
        return resources
    at = resources.find(BLOCK)
    while at >= 0 and resources[at : at + 4] == BLOCK:
        number = int.from_bytes(resources[at + 4 : at + 6], "big")
        named = at + 7 + int.from_bytes(resources[at + 6 : at + 7], "big")
        start = named + (named - at) % 2
        size = int.from_bytes(resources[start : start + 4], "big")
        if number == RECORD:
            return resources[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2
    return b""


def _datasets(record: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = 0
    while at + 5 <= len(record) and record[at] == START:
        number = (record[at + 1], record[at + 2])
        size = int.from_bytes(record[at + 3 : at + 5], "big")
        at += 5
        if size & LONG:
            more = size & ~LONG
            size = int.from_bytes(record[at : at + more], "big")
            at += more
        data = record[at : at + size]
        if len(data) == size:
            yield number, data
        at += size


__all__ = ["in_letters", "record_in", "texts_of"]

"""What went wrong, as RFC 9457 problem details: which parameter, what to do, in the client's language, and no more."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from danqing.core.errors import (
    DanqingError,
    DataError,
    ModelFileError,
    OutputError,
    ParameterError,
    PictureError,
    TooFewPictures,
    TrainingFailed,
    UserError,
    of_disk,
)
from danqing.faces.service.phrases import message_id, said

MEDIA = "application/problem+json"
STATUS = {
    "parameter": 422, "picture": 422, "data": 422, "model": 422, "output": 422, "too-few": 422, "request": 422,
    "not-found": 404, "method": 405, "forbidden": 403, "token": 401, "too-large": 413, "too-many": 429, "too-long": 503,
    "conflict": 409, "malformed": 400, "disk-full": 507, "memory": 503, "training": 500, "internal": 500,
    "not-ready": 503, "unacceptable": 406, "gone": 499,
}  # fmt: skip
TITLES = {
    "parameter": "A value does not fit", "picture": "The picture cannot be used", "data": "The set cannot be used",
    "model": "The weights cannot be used", "output": "The result cannot be written",
    "too-few": "There are too few pictures", "request": "This cannot be done", "not-found": "There is no such thing",
    "method": "This cannot be asked here", "forbidden": "This is not allowed", "token": "A token is needed",
    "too-large": "This is too large", "too-many": "There is too much to do", "too-long": "This takes too long",
    "conflict": "This is not possible now", "malformed": "The request cannot be read", "disk-full": "The disk is full",
    "memory": "There is not enough memory", "training": "The training failed", "internal": "Something went wrong",
    "not-ready": "The service is starting", "unacceptable": "There is no such form of the result",
    "gone": "The client went away",
}  # fmt: skip
KINDS: tuple[tuple[type[DanqingError], str], ...] = (
    (ParameterError, "parameter"), (PictureError, "picture"), (DataError, "data"), (ModelFileError, "model"),
    (OutputError, "output"), (TooFewPictures, "too-few"), (UserError, "request"), (TrainingFailed, "training"),
)  # fmt: skip


@dataclass
class Problem(Exception):
    """What a client is told that cannot have what it asked for.

    Attributes:
        kind: one of ``STATUS``.
        detail: one sentence in English.
        parameter: the field or file concerned.
        remedy: what to do about it.
        more: further members.
        headers: of the answer.
    """

    kind: str
    detail: str
    parameter: str = ""
    remedy: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.detail

    @property
    def status(self) -> int:
        """Of HTTP."""
        return STATUS[self.kind]

    def told(self, request_id: str = "", language: str | None = None) -> dict[str, Any]:
        """As JSON values, in the language of the request."""
        told: dict[str, Any] = {
            "type": f"urn:danqing:problem:{self.kind}",
            "title": said(TITLES[self.kind], language),
            "status": self.status,
            "detail": said(self.detail, language),
            "message_id": message_id(self.detail),
        }
        told |= {"parameter": self.parameter} if self.parameter else {}
        told |= {"remedy": said(self.remedy, language)} if self.remedy else {}
        told |= {"request_id": request_id} if request_id else {}
        return told | self.more

    def kept(self) -> dict[str, Any]:
        """As JSON values for a file, from which :func:`problem_from` makes it again."""
        more = {"more": self.more} if self.more else {}
        return {"kind": self.kind, "detail": self.detail, "parameter": self.parameter, "remedy": self.remedy, **more}


def problem_from(kept: Mapping[str, Any]) -> Problem:
    """The problem that was kept in a file."""
    kind = kept.get("kind")
    return Problem(
        kind if kind in STATUS else "internal",
        str(kept.get("detail", "")),
        str(kept.get("parameter", "")),
        str(kept.get("remedy", "")),
        dict(kept.get("more", {})),
    )


def not_found(what: str, name: str = "", remedy: str = "") -> Problem:
    """There is none of that name."""
    return Problem("not-found", f"there is no such {what}", parameter=name[:200], remedy=remedy)


def problem_of(error: BaseException) -> Problem:
    """Any error as what a client may know of it; of what is not foreseen, it is told nothing."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, DanqingError):
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return _disk_full()
        kind = next((kind for known, kind in KINDS if isinstance(error, known)), "internal")
        if kind == "internal":
            return Problem("internal", "the work failed", remedy="The log of the service tells more")
        return Problem(kind, error.what, error.where, error.remedy)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _disk_full()
    if place := of_disk(error):
        return Problem("request", place.what, remedy=place.remedy)  # where it lies is nobody's business
    if isinstance(error, MemoryError) or ("alloc" in str(error) and isinstance(error, RuntimeError)):
        return Problem("memory", "there is not enough memory", remedy="Take a smaller picture, or fewer at once")
    return Problem("internal", "something went wrong that should not", remedy="The log of the service tells more")


def is_foreseen(error: BaseException) -> bool:
    """Whether an error says all there is to know; of others the log keeps the traceback."""
    return problem_of(error).kind != "internal"


def as_json(value: Any) -> bytes:
    """JSON as it is sent: whole numbers beyond 2^53 as strings."""
    return json.dumps(_told(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def _told(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -(2**53) <= value <= 2**53 else str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {str(key): _told(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_told(each) for each in value]
    return str(value)


def _disk_full() -> Problem:
    return Problem("disk-full", "the disk of the service is full", remedy="Make room, then ask again")


__all__ = ["MEDIA", "STATUS", "TITLES", "Problem", "as_json", "is_foreseen", "not_found", "problem_from", "problem_of"]

"""What can go wrong, and with which exit code a face leaves.

DanqingError                 1   danqing could not do what was asked
├── TrainingFailed           1   the doctor gave up on a run (its last good checkpoint survives)
└── UserError                2   the request itself cannot be met; nothing was written
    ├── ParameterError       2   a value out of its range, of the wrong type, or missing
    ├── PictureError         2   a file that is not a picture danqing can read
    ├── DataError            2   a picture set that cannot be used
    ├── ModelFileError       2   a weights file that is damaged, foreign or of another family
    ├── OutputError          2   a place that cannot be written, or that holds something already
    └── TooFewPictures       2   a score that would be meaningless from so few pictures
"""

from __future__ import annotations

import errno

NAMES = {
    errno.ENAMETOOLONG: "has a name longer than disks hold",
    errno.ELOOP: "is a link that goes round in a circle",
    errno.EACCES: "may not be opened by this user",
    errno.EPERM: "may not be opened by this user",
    errno.ENOTDIR: "lies below a file, which is no folder",
    errno.EISDIR: "is a folder, where a file is meant",
    errno.EROFS: "lies on a disk that cannot be written",
}  # what a disk says of a place that somebody chose, whichever way it was found out
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ROOM = "Make room on the disk; passing files go where TMPDIR says"

LONGEST_SHOWN = 300  # characters of a place


class DanqingError(Exception):
    """danqing could not do what was asked.

    Args:
        what: what went wrong, one sentence without a full stop.
        where: the file or parameter concerned.
        remedy: what to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: object = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, str(where), remedy
        place = f"{self.where}: " if self.where else ""
        advice = f". {remedy}" if remedy else ""
        super().__init__(f"{place}{what}{advice}")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip back from a worker process, where keyword arguments would be lost."""
        return _rebuild, (type(self), self.what, self.where, self.remedy)


def _rebuild(kind: type[DanqingError], what: str, where: str, remedy: str) -> DanqingError:
    return kind(what, where=where, remedy=remedy)


class TrainingFailed(DanqingError):
    """The doctor gave up on a run; its last good checkpoint survives."""


class UserError(DanqingError):
    """The request itself cannot be met; nothing was written."""

    exit_code = 2


class ParameterError(UserError, ValueError):
    """A value out of its range, of the wrong type, or missing."""


class PictureError(UserError):
    """A file that is not a picture danqing can read."""


class DataError(UserError):
    """A picture set that cannot be used."""


class ModelFileError(UserError):
    """A weights file that is damaged, foreign or of another family."""


class OutputError(UserError):
    """A place that cannot be written, or that holds something already."""


class TooFewPictures(UserError):
    """A score that would be meaningless from so few pictures."""


def of_disk(error: BaseException) -> UserError | None:
    """What a disk says of a place that it was asked for, as what the person who named it can mend; None of all else."""
    if not isinstance(error, OSError):
        return None
    if error.errno in FULL:
        return UserError("there is no room left on the disk", where=_shown(error.filename), remedy=NO_ROOM)
    if error.errno == errno.ENOENT and error.filename is None and "temporary directory" in str(error):
        return UserError("there is no folder for passing files that can be written", remedy=NO_ROOM)
    if error.filename is None or error.errno not in NAMES:
        return None
    return UserError(NAMES[error.errno], where=_shown(error.filename), remedy="Choose another place")


def _shown(place: object) -> str:
    return "" if place is None else str(place)[:LONGEST_SHOWN]

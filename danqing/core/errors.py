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

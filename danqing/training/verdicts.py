"""What the figures of a run's end mean, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

LATE = 0.25  # of the looks: a best score among the last of them says that more time would help
EARLY = 0.5  # of the looks: a best score before that says that more time would not
FEW, MANY_TIMES = 1000, 200  # pictures; how often each was seen
POOR, LESS = 0.5, 0.2  # coverage of a class that is poor, and below what real pictures have


def score_rows(numbers: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """The rows of a table: what, how much with its interval (and of real pictures), and what it means."""
    return [(row["score"].replace("_", " "), _figure(row), row["means"]) for row in numbers]


def verdict_on_copies(numbers: Sequence[dict[str, Any]]) -> str:
    """Say whether samples are nearer to training pictures than these are to each other."""
    row = next((row for row in numbers if row["score"] == "copied_share"), None)
    if row is None:
        return "It cannot be told whether it copies."
    share, usual = f"{row['value']:.0%} of the samples", row["real"]
    beside = "" if usual is None else f", of held-out real pictures {usual:.0%}"
    told = f"{share} lie nearer to a training picture than its nearest fellow does{beside}."
    if row["low"] > (0.5 if usual is None else usual + LESS):
        return f"It copies. {told}"
    if usual is not None and row["low"] > usual:
        return f"It leans on its training pictures. {told}"
    return f"No sign of copying. {told}"


def next_steps(
    summary: dict[str, Any],
    entries: Sequence[dict[str, Any]],
    pictures: int | None,
    numbers: Sequence[dict[str, Any]],
    begun: bool = False,
) -> Iterator[str]:
    """Say what to try next, of what was seen of a run.

    Args:
        summary: figures of its end.
        entries: its log, without steps that were taken back.
        pictures: how many it learned from; None where that is not known.
        numbers: its scores, if it was scored.
        begun: whether it began with other weights.
    """
    yield from dict.fromkeys(each["remedy"] for each in summary["findings"])
    yield from _about_time([next(iter(entry["scores"].values())) for entry in entries if entry.get("scores")])
    if pictures and pictures < FEW and summary["pictures_seen"] > MANY_TIMES * pictures:
        often = f"Each picture was seen more than {MANY_TIMES} times: more pictures help most"
        yield often if begun else f"{often}, or other weights (--from)"
    yield from _about_classes(numbers)


def _about_time(scores: Sequence[float]) -> Iterator[str]:
    if len(scores) < 4:
        return
    best = scores.index(min(scores))
    if best >= (1 - LATE) * (len(scores) - 1):
        yield "The score was still becoming better at the end: a larger budget is likely to help"
    elif best < EARLY * (len(scores) - 1):
        yield "The score was best early on: take best.safetensors; more time alone will not help"


def _about_classes(numbers: Sequence[dict[str, Any]]) -> Iterator[str]:
    poor = [
        row["score"].removeprefix("coverage of ")
        for row in numbers
        if row["score"].startswith("coverage of ")
        and row["high"] < POOR
        and (row["real"] is None or row["value"] < row["real"] - LESS)
    ]
    if poor:
        more = " …" if len(poor) > 6 else ""
        yield f"Classes that are hardly covered: {', '.join(poor[:6])}{more}: bring more of them"


def _figure(row: dict[str, Any]) -> str:
    real = f" ({row['real']:.3f})" if row["real"] is not None else ""
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]{real}"


__all__ = ["next_steps", "score_rows", "verdict_on_copies"]

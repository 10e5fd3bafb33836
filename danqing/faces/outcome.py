"""Tell what became of the pictures a command worked on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from danqing.core.errors import DanqingError
from danqing.core.pictures.names import some
from danqing.core.runs.order import Outcome
from danqing.core.runs.run import Result
from danqing.faces.screen import FilesFailed, Screen, error_json, short
from danqing.faces.tables import legible

SHOWN = 20  # failures in full; more would scroll the first ones away


def report(done: Result, screen: Screen, out_dir: str | Path | None) -> None:
    """Print numbers and files, then failures.

    Raises:
        FilesFailed: if any file failed.
    """
    loose = [outcome for outcome in done.outcomes if outcome.numbers is not None and not _holds_numbers(outcome)]
    if screen.json and not _only_numbers(done):
        screen.give(_for_programs(done))
    elif loose and out_dir is None:
        words = [] if done.made is None else done.made.words()
        look = Text("\n".join(map(legible, words))) if words else None
        screen.give(_numbers(done, loose), look)
    _tell(done, screen, out_dir)
    for note in _notes(done):
        screen.say(Text.assemble(("! ", "bold yellow"), legible(note)))
    if done.of("failed") or not getattr(done.made, "sound", True):
        raise FilesFailed


def _only_numbers(done: Result) -> bool:
    return all(outcome.numbers is not None and not outcome.files for outcome in done.outcomes)


def _holds_numbers(outcome: Outcome) -> bool:
    return any(file.suffix.lower() == ".json" for file in outcome.files)


def _numbers(done: Result, loose: list[Outcome]) -> Any:
    """The numbers of the only picture, or those of each with its name."""
    if len(done.outcomes) == 1:
        return loose[0].numbers
    return [{"picture": str(outcome.source), **_named(outcome.numbers)} for outcome in loose]


def _named(numbers: Any) -> dict[str, Any]:
    return numbers if isinstance(numbers, dict) else {"rows": numbers}


def _for_programs(done: Result) -> dict[str, Any]:
    told: dict[str, Any] = {"done": [], "skipped": [], "failed": [], "notes": done.notes}
    for outcome in done.outcomes:
        entry: dict[str, Any] = {"picture": None if outcome.source is None else str(outcome.source)}
        if outcome.error is not None:
            entry |= error_json(outcome.error)
        else:
            entry |= {"files": [str(file) for file in outcome.files], "numbers": outcome.numbers}
        entry |= {"notes": list(outcome.notes)} if outcome.notes else {}
        told[outcome.state].append(entry)
    return told


def _tell(done: Result, screen: Screen, out_dir: str | Path | None) -> None:
    """Say to people what was written, what was there already, and what failed and why."""
    failed = done.of("failed")
    files = [file for outcome in done.outcomes for file in outcome.files]
    if len(done.outcomes) == 1 and files:
        what = short(files[0]) if len(files) == 1 else f"{len(files)} files in {_folder(files[0].parent)}"
        for line in done.made.words() if done.made is not None and _holds_numbers(done.outcomes[0]) else ():
            screen.say(Text(legible(line)))
        screen.say(Text.assemble(("wrote" if done.of("done") else "there already:", "dim"), " ", (what, "green")))
    elif files or failed:
        screen.say(_summary(done, len(files), Path(out_dir) if out_dir else files[0].parent if files else None))
    if failed:
        _tell_failures(failed, screen)


def _tell_failures(failed: list[Outcome], screen: Screen) -> None:
    """Each file with its reason, then each piece of advice once."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="red", overflow="fold")
    table.add_column(overflow="fold")
    told = [(outcome.source or Path(), outcome.error) for outcome in failed if outcome.error is not None]
    for source, error in told[:SHOWN]:
        table.add_row(short(source), legible(_reason(source, error)))
    screen.insist(table)
    if len(told) > SHOWN:
        screen.insist(Text(f"… and {len(told) - SHOWN} more; --json lists them all", "red"))
    for remedy in dict.fromkeys(error.remedy for _, error in told if error.remedy):
        screen.insist(Text.assemble(("→ ", "bold red"), legible(remedy)))


def _reason(source: Path, error: DanqingError) -> str:
    """Why a file failed, with the place where that is another file or a setting."""
    return error.what if error.where in ("", str(source)) else f"{error.where}: {error.what}"


def _notes(done: Result) -> list[str]:
    """What a person should know: once each, and where it is of some of several pictures, of which."""
    own: dict[str, list[str]] = {}
    for outcome in done.outcomes:
        for words in outcome.notes:
            own.setdefault(words, []).append("" if outcome.source is None else short(outcome.source))
    told = [*done.notes]
    for words, names in own.items():
        some_of = len(set(names)) < len(done.outcomes) and not any(name and Path(name).name in words for name in names)
        told.append(f"{words} ({some(dict.fromkeys(names))})" if some_of else words)
    return list(dict.fromkeys(told))


def _summary(done: Result, files: int, folder: Path | None) -> Text:
    counts = [(done.of("done"), "done", "green"), (done.of("skipped"), "there already", "dim")]
    parts: list[Any] = []
    for outcomes, word, style in [*counts, (done.of("failed"), "failed", "red")]:
        if outcomes:
            parts += [(f"{len(outcomes)} {word}", style), "   "]
    place = f"{files} files in {_folder(folder)}" if folder is not None and files else ""
    return Text.assemble(*parts, (place, "cyan"))


def _folder(folder: Path) -> str:
    return "this folder" if folder == Path() else short(folder)

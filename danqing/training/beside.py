"""What stands beside the pictures on a run's page: whose classes they are, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Model, Painter
from danqing.core.learned.painting import MapAutoencoder, Translator
from danqing.core.pictures.names import shown
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.training import record
from danqing.training.kit import Kit
from danqing.training.report import Shown

NAMED = 12  # classes


def columns_named(kit: Kit) -> tuple[str, str]:
    """Say which class each column of the grid is, in English and 中文; nothing where they are of none."""
    if not kit.model.config.get("classes") or isinstance(kit.model, Finder):
        return "", ""
    names = [shown(str(name)) for name in kit.supplies.train.classes]
    listed = ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
    return f" One class a column: {listed}.", f"每列一类：{listed}。"


def originals(folder: Path, kit: Kit, small: bool) -> Iterator[Shown]:
    """Write what the pictures of the grid were painted from, and what they were to become, in the same order."""
    if not isinstance(kit.model, Translator | MapAutoencoder):
        return
    sheets = {record.GIVEN: (kit.shown.x.cpu(), "what each was painted from")}
    if isinstance(kit.model, Translator) and kit.held_out.pair is not None:
        sheets[record.WANTED] = (kit.originals, "what each was to become")
    for name, (pictures, caption) in sheets.items():
        file = write(contact_sheet(pictures, kit.columns), folder / name, force=True)
        yield Shown(file, caption, small)


def next_commands(model: Model, run: Path, data: str, longer: str) -> list[str]:
    """What can be done with a run's model, as commands; the last goes on with the run."""
    at, pictures = quote(str(run)), quote(data)
    if isinstance(model, Painter):
        use = [
            f"danqing generate {at} --count 64 --grid --out {quote(f'{run}/more.png')}",
            f"danqing evaluate {at} --data {pictures}",
        ]
    elif isinstance(model, Finder):
        use = [f"danqing assess {at} --data {pictures}", f"danqing detect PICTURES --weights {at} --out-dir found"]
    elif isinstance(model, Translator):
        use = [f"danqing translate PICTURES --weights {at} --out-dir translated"]
    elif isinstance(model, MapAutoencoder):
        use = [
            f"danqing reconstruct PICTURES --weights {at} --out-dir again",
            f"danqing train flow {pictures} --codec {at}",
        ]
    else:
        use = [f"danqing card {at}"]
    return [*use, f"danqing train --resume {at} --budget {longer}"]


__all__ = ["columns_named", "next_commands", "originals"]

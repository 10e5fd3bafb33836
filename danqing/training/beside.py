"""What stands beside the pictures on a run's page: whose classes they are, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import MapAutoencoder, Translator
from danqing.core.pictures.names import shown
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.training import record
from danqing.training.commands import command, same_pictures
from danqing.training.config import TrainConfig
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


def next_commands(kit: Kit, run: Path, config: TrainConfig, longer: str) -> list[str]:
    """What can be done with a run's model, as commands that carry what decides; the last goes on with the run."""
    model, data, labels = kit.model, config.data, config.options.labels
    if isinstance(model, Painter):
        use = [
            command("generate", run, count=64, grid=True, out=f"{run}/more.png"),
            command("evaluate", run, data=data),
        ]
    elif isinstance(model, Finder):
        split = "train" if kit.supplies.held_out is kit.supplies.train else None
        use = [
            command("assess", run, data=data, labels=labels, split=split),
            command("detect PICTURES", weights=run, out_dir="found"),
        ]
    elif isinstance(model, Translator):
        use = [command("translate PICTURES", weights=run, out_dir="translated")]
    elif isinstance(model, MapAutoencoder):
        use = [
            command("reconstruct PICTURES", weights=run, out_dir="again"),
            command("train flow", data, codec=run, **same_pictures(config, "flow")),
        ]
    else:
        use = [command("card", run)]
    return [*use, command("train", resume=run, budget=longer)]


__all__ = ["columns_named", "next_commands", "originals"]

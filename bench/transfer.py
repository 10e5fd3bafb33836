"""Transfer: what weights learned before are worth on 10, 100 and 1,000 pictures of another kind

The bundled `characters` (64×64, grey, three hands) go on to a hand that they have not seen (near: DroidSansFallback's
sans serif) and to emoji (distant, and in colour); neither set has labels. Beside it the same nets from nothing, and
adapters (`--adapters`). All see as many pictures, on one thread, the doctor only watching; processor seconds are
beside. Distances as in Generation: Fréchet and kernel (× 1000) on MobileNetV2's features, and of patches of pixels
(× 1000), between samples and pictures held out, with 95 % intervals; less is better. Copies are samples nearer to a
training picture than its nearest fellow is. The last table has 100 emoji and what is done before the critic or to
its logits. A run that was measured is not run again; one that was stopped goes on (`python -m bench.transfer SET
METHOD` is one run; `python -m bench.transfer sets` gathers the pictures: characters from the Debian package
fonts-droid-fallback, emoji from runs/emoji).
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import ImageFont

from bench.generation import COLUMNS, figure, scored
from bench.rows import kept, known, record, whence
from danqing.core.learned.families import family_named
from danqing.core.learned.weights import load, save
from danqing.core.progress import Job
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.record import CONFIG, MODEL, read_log
from danqing.training.transfer import begin_with
from danqing.zoo.characters import EM, FONTS, HELD_OUT, common_characters, drawn
from danqing.zoo.packages import held_out, keep, unpacked

RUNS = Path("runs/transfer")
SETS = RUNS / "sets"
FEW = (10, 100, 1000)
SEEN, BATCH = 3_200, 16  # pictures: two hundred steps
SAMPLES = 512
KINDS = {"sans": "near", "emoji": "distant"}
SETTING = {"seen": SEEN, "batch": BATCH, "samples": SAMPLES}
SOURCE = "characters"
NETS = {"latents": 48, "width": 32, "critic_width": 24}  # the source's
TAKEN: Mapping[str, Any] = {"from_": SOURCE}
METHODS: Mapping[str, Mapping[str, Any]] = {
    "from nothing": NETS,
    "fine-tuned": TAKEN,
    "low-rank adapters": {**TAKEN, "adapters": "low-rank"},
    "scale adapters": {**TAKEN, "adapters": "scale"},
}
KEPT: Mapping[str, Mapping[str, Any]] = {
    "adaptive": {},
    "none": {"critic_augment": "none"},
    "DiffAugment": {"critic_augment": "diff"},
    "LeCam": {"critic_augment": "none", "lecam": 0.01},
}
BY_NAME, TAKEN_OVER = "by name and shape alone", "as it is taken over"
BEGINNINGS = ("from nothing", BY_NAME, TAKEN_OVER)
BY = ("set", "method", "kept")
BOTH = ("from nothing", "fine-tuned")
"""Methods that are tried with each way of keeping the critic from learning its pictures by heart."""


def runs() -> list[tuple[str, str, str]]:
    """Every run: its set, its method, and what is done against overfitting."""
    found = [(f"{kind}-{count}", method, "adaptive") for count in FEW for kind in KINDS for method in METHODS]
    return found + [("emoji-100", method, kept) for method in BOTH for kept in KEPT if kept != "adaptive"]


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    gather()
    beginnings = [begun(kind, how) for kind in KINDS for how in BEGINNINGS]
    return {**SETTING, "beginnings": beginnings, "rows": [measured(*each) for each in runs()]}


def so_far() -> dict[str, Any]:
    """What was measured."""
    wanted = [(kind, how) for kind in KINDS for how in BEGINNINGS]
    beginnings = known("transfer", ("set", "how"), wanted, _begins, "beginnings")
    return {**SETTING, "beginnings": beginnings, "rows": known("transfer", BY, runs(), _kept)}


def gather(debs: Path | None = None) -> None:
    """Put the sets where they are looked for: so many to learn from, evenly spaced, and all that are held out."""
    if not (SETS / "sans").exists():
        with unpacked("fonts-droid-fallback", debs) as package:
            font = ImageFont.truetype(package.file(FONTS + "droid/DroidSansFallbackFull.ttf"), EM)
            for character in common_characters():
                if (picture := drawn(font, character)) is not None:
                    side = "test" if held_out(character, HELD_OUT) else "train"
                    keep(picture, SETS / "sans", f"{side}/{ord(character):04X}.png")
    for kind, place in (("sans", SETS / "sans"), ("emoji", Path("runs/emoji"))):
        for count in FEW:
            few(place, SETS / f"{kind}-{count}", count)


def few(of: Path, folder: Path, count: int) -> None:
    """Copy some of the pictures to learn from, and all that are held out, without the folders that are classes."""
    for side in ("train", "test"):
        files = sorted((of / side).rglob("*.png"))
        chosen = files if side == "test" else [files[at * len(files) // count] for at in range(count)]
        (folder / side).mkdir(parents=True, exist_ok=True)
        for file in chosen:
            shutil.copyfile(file, folder / side / file.name)


def begun(kind: str, how: str) -> dict[str, Any]:
    """What a beginning scores before its first step, without training, or what is known of it."""
    file = _begins(kind, how)
    if row := kept(file):
        return row
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = family_named("dcgan")(size=64, channels=1 if kind == "sans" else 3, classes=0, **NETS)
    if how == TAKEN_OVER:
        begin_with(model, SOURCE)
    elif how == BY_NAME:
        old, new = load(SOURCE).state_dict(), model.state_dict()
        alike = {name for name, value in new.items() if name in old and old[name].shape == value.shape}
        model.load_state_dict({name: old[name] for name in alike - {"played"}}, strict=False)
    weights = save(model.eval(), file.with_suffix(".safetensors"))
    return record(file, {"set": kind, "how": how, **scored(weights, str(SETS / f"{kind}-100"), SAMPLES)})


def measured(name: str, method: str, kept_apart: str = "adaptive") -> dict[str, Any]:
    """One run of one set, or what is known of it."""
    file = _kept(name, method, kept_apart)
    if row := kept(file):
        return row
    folder = file.parent
    data, began = str(SETS / name), time.process_time()
    if whole := not (folder / CONFIG).exists():
        values: dict[str, Any] = {**METHODS[method], **KEPT[kept_apart], "budget": f"{SEEN}pictures", "every": "50%"}
        values |= {"size": 64, "batch": BATCH, "threads": 1, "precision": "bf16", "doctor": "watch", "out": folder}
        model = _learned(train(TrainConfig.make("dcgan", data, **values)), folder)
    else:
        model = _learned(resume(folder), folder)
    entries = list(read_log(folder / "log.jsonl"))
    row = {
        "set": name,
        "method": method,
        "kept": kept_apart,
        "seen": entries[-1]["seen"],
        "processor_seconds": round(time.process_time() - began, 1) if whole else None,
        "alarms": sorted({each["event"] for each in entries if "event" in each}),
        **scored(model, data, SAMPLES),
    }
    return record(file, row)


def _begins(kind: str, how: str) -> Path:
    """Where the figures of a beginning are."""
    return RUNS / "beginnings" / f"{_as_file(f'{kind}-{how}')}.json"


def _kept(name: str, method: str, kept_apart: str = "adaptive") -> Path:
    """Where the figures of a run are, beside it."""
    return RUNS / _as_file(f"{name}-{method}-{kept_apart}") / "measured.json"


def _as_file(words: str) -> str:
    return re.sub(r"[^\w]+", "-", words)


def _learned(job: Job[Any], folder: Path) -> Path:
    """The weights of a run, without the page that it would end with: it is scored here."""
    for _ in job:
        if (folder / MODEL).exists():
            job.close()
    return folder / MODEL


def table(result: dict[str, Any]) -> str:
    """Beginnings, then a line a run; runs that were not measured are left out, and counted."""
    heads = [head for head, _, _ in COLUMNS.values()]
    lines = ["Before the first step:", "", "| target | beginning | " + " | ".join(heads) + " |"]
    lines.append("|---" * (len(heads) + 2) + "|")
    lines += [
        "| " + " | ".join([_named(row["set"]), row["how"], *_figures(row)]) + " |" for row in result["beginnings"]
    ]
    rows = result["rows"]
    if rows:
        seen, batch, samples = (result[name] for name in ("seen", "batch", "samples"))
        lines += ["", f"After {seen:,} pictures seen, {batch} a step; {samples} samples:", ""]
        lines.append("| target | pictures | method | before the critic | " + " | ".join([*heads, "processor s"]) + " |")
        lines.append("|---" * (len(heads) + 5) + "|")
    for row in rows:
        kind, _, count = row["set"].rpartition("-")
        seconds = "–" if row["processor_seconds"] is None else f"{row['processor_seconds']:.0f}"
        cells = [_named(kind), f"{int(count):,}", row["method"], row["kept"], *_figures(row), seconds]
        lines.append("| " + " | ".join(cells) + " |")
    if notes := whence(rows, BY):
        lines += ["", *notes]
    if left := len(runs()) - len(rows):
        lines += ["", f"{left} of {len(runs())} runs are not measured yet."]
    return "\n".join(lines)


def _named(kind: str) -> str:
    return f"{kind} ({KINDS[kind]})"


def _figures(row: Mapping[str, Any]) -> list[str]:
    return [figure(row[key], times, digits) for key, (_, times, digits) in COLUMNS.items()]


if __name__ == "__main__":
    if sys.argv[1] == "sets":
        gather(Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    else:
        measured(*sys.argv[1:])

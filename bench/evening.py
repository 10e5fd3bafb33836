"""An evening: how near samples come with time

`dcgan` at 64×64 as the command line gives it, but for a rate that stays (`--schedule constant`), on emoji (nine
groups) and Chinese characters (three hands), one thread, one seed, and beside it a flow in latents, whose codec is that
of an hour's run in the bench of generation (its quarter of an hour counts). One run is the whole curve: it stops where
so much processor time is spent, is scored, and goes on; a rate that falls over a budget would be as good as gone after
the first stops. Distances are those of the bench of generation, taken on MobileNetV2's features and on patches of
pixels. Processor time is that of training with its looks, not of the scores. A stop that was measured is not measured
again; a run that was stopped goes on, and what it learned unseen counts at the pace of before (`python -m bench.evening
SET FAMILY MINUTES` is one run).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import danqing
from bench.generation import COLUMNS, FAMILIES, IN_LATENTS, SETS, codec_for, figure, ratios, rounded, scored
from bench.projected import SIDE, precision
from bench.rows import known, record, whence
from bench.spending import learned_for
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.training.record import read_log

RUNS = Path("runs/evening")
STOPS: Mapping[str, tuple[int, ...]] = {"dcgan": (15, 60, 120, 240), IN_LATENTS: (60, 120, 240)}
"""Minutes of one processor at which a family's run is scored."""
BY = ("set", "family", "stop")
CODECS = 60  # minutes of the flow whose codec is taken
FIRST = 8_000  # pictures learned before the pace is known
EVERY = {IN_LATENTS: "48kimg"}  # its looks take long
USUALLY = "8kimg"


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    for family, stops in STOPS.items():
        for name in SETS:
            learned(name, family, stops[-1])
    return so_far()


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    wanted = [(name, family, stop) for name in SETS for family, stops in STOPS.items() for stop in stops]
    return {"rows": known("evening", BY, wanted, _kept)}


def learned(name: str, family: str, minutes: int) -> None:
    """Learn a set for so long, and score it at every stop on the way."""
    before, more = codec_for(name, CODECS) if family == IN_LATENTS else (0.0, {})
    for stop in STOPS[family]:
        file = _kept(name, family, stop)
        if stop > minutes or file.exists():
            continue
        spent = learned_for(60 * (stop - before), file.parent, partial(_begun, name, family, more), FIRST)
        model = file.parent / "model.safetensors"
        painter = load(str(model), kind=Painter)
        write(contact_sheet(danqing.generate(painter, count=60), 12), file.with_suffix(".png"), force=True)
        entries = list(read_log(model.parent / "log.jsonl"))
        row = {
            "set": name,
            "family": family,
            "stop": stop,
            "seen": entries[-1]["seen"],
            "minutes": before + spent[-1]["seconds"] / 60,
            "alarms": sorted({each["event"] for each in entries if "event" in each}),
            **scored(model, SETS[name]),
        }
        record(file, row)


def _begun(name: str, family: str, more: Mapping[str, str], budget: str) -> None:
    """Begin a run."""
    kind, values = FAMILIES[family]
    usual = {
        "size": SIDE,
        "threads": 1,
        "precision": precision(),
        "every": EVERY.get(family, USUALLY),
        "schedule": "constant",
    }
    danqing.train(kind, SETS[name], budget=budget, out=_folder(name, family), **{**values, **usual, **more})


def _folder(name: str, family: str) -> Path:
    return RUNS / re.sub(r"[^\w]+", "-", f"{name}-{family}")


def _kept(name: str, family: str, stop: int) -> Path:
    """Where the figures of a stop are, beside the run."""
    return _folder(name, family) / f"after-{stop}.json"


def table(result: dict[str, Any]) -> str:
    """A line a stop, what real pictures score, and what share of the distances of ``dcgan`` the flow has."""
    heads = ["set", "family", "minutes", "pictures seen", *(head for head, _, _ in COLUMNS.values()), "alarms"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name in dict.fromkeys(row["set"] for row in result["rows"]):
        rows = [row for row in result["rows"] if row["set"] == name]
        for row in rows:
            figures = [figure(row[key], times, digits) for key, (_, times, digits) in COLUMNS.items()]
            cells = [name, row["family"], f"{row['minutes']:.0f}", f"{row['seen']:,}", *figures]
            lines.append("| " + " | ".join([*cells, ", ".join(row["alarms"]) or "–"]) + " |")
        real = [rounded(rows[0][key]["real"], times, digits) for key, (_, times, digits) in COLUMNS.items()]
        lines.append("| " + " | ".join([name, "real", "–", "–", *real, "–"]) + " |")
    shares = [
        f"- after {stop} minutes: {words}"
        for stop in STOPS["dcgan"]
        for words in ratios([row for row in result["rows"] if row["stop"] == stop])
    ]
    left = len(SETS) * sum(map(len, STOPS.values())) - len(result["rows"])
    notes = [*whence(result["rows"], BY), *([f"- {left} stops are not measured yet"] if left else [])]
    return "\n".join([*lines, "", *shares, *notes])


if __name__ == "__main__":
    learned(sys.argv[1], sys.argv[2], int(sys.argv[3]))

"""Alarms: each on a run that is made to fail its way, and healthy runs beside them

Every alarm of the doctor, which only watches here, has a run on real pictures that earns it; which alarms rang, and
after how many pictures seen, is told of each. Healthy runs are what the command line gives on the same sets, nets of
64 px half as wide as usual; on them none should ring. Emoji and characters are drawn by `python -m danqing.zoo.emoji
runs/emoji` and `python -m danqing.zoo.characters runs/characters`. One thread, one seed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import danqing
from bench.projected import precision
from danqing.core.errors import TrainingFailed
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.data.store import pack
from danqing.training.alarm import known_alarms
from danqing.training.record import read_log


class Case(NamedTuple):
    """A run, and the alarm that it should set off; none: a healthy one."""

    family: str
    data: str | Callable[[Path], Path]
    options: Mapping[str, Any]
    alarm: str | None = None


def _few(folder: Path) -> Path:
    """Twelve digits to learn from, four held out."""
    for at, x in enumerate(finish(pack("digits", size=28, split="train")).take(range(16)).x):
        write(x[None], folder / ("test" if at % 4 == 3 else "train") / f"{at}.png")
    return folder


def _one(folder: Path) -> Path:
    """The same digit sixty-four times."""
    for at in range(64):
        write(finish(pack("digits", size=28, split="train")).take([0]).x, folder / f"{at}.png")
    return folder


DIGITS: Mapping[str, Any] = {"budget": "60kimg", "every": "5%", "batch": 64, "precision": "fp32"}
UNLEASHED: Mapping[str, Any] = {
    **DIGITS, "loss": "non-saturating", "penalty": "none", "conditional": False, "schedule": "constant",
}  # fmt: skip
SMALL: Mapping[str, Any] = {"size": 32, "budget": "40kimg", "every": "2500pictures"}
NARROW: Mapping[str, Any] = {**SMALL, "size": 64, "width": 24, "critic_width": 16}
FEW: Mapping[str, Any] = {**DIGITS, "width": 8, "budget": "20kimg", "batch": 12, "every": "10%"}
EMOJI, CHARACTERS = "runs/emoji", "runs/characters"
CASES = {
    "mlpgan, digits, no penalty, rate 0.05": Case(
        "mlpgan", "digits", {**UNLEASHED, "lr": 0.05, "budget": "100kimg"}, "critic-wins"
    ),
    "mlpgan, digits, no penalty, rate 0.02": Case("mlpgan", "digits", {**UNLEASHED, "lr": 0.02}, "collapse"),
    "mlpgan, digits, no penalty, rate 0.02, short mean": Case(
        "mlpgan", "digits", {**UNLEASHED, "lr": 0.02, "ema": 200}, "scores-fall"
    ),
    "mlpgan, digits, no penalty, rate 0.01": Case(
        "mlpgan", "digits", {**UNLEASHED, "lr": 0.01, "budget": "100kimg", "every": "4%"}, "diversity-falls"
    ),
    "mlpgan, digits, Wasserstein, no penalty, short mean": Case(
        "mlpgan", "digits", {**UNLEASHED, "loss": "wasserstein", "lr": 0.01, "ema": 200}, "mode-drift"
    ),
    "mlpgan, digits, least squares, no penalty": Case(
        "mlpgan", "digits", {**UNLEASHED, "loss": "least-squares", "lr": 0.02}, "critic-overfits"
    ),
    "mlpgan, digits, rate 1,000,000,000": Case("mlpgan", "digits", {**UNLEASHED, "lr": 1e9}, "non-finite"),
    "mlpgan, digits, hinge, no penalty, short mean": Case(
        "mlpgan", "digits", {**UNLEASHED, "loss": "hinge", "lr": 0.03, "ema": 200}, "no-progress"
    ),
    "vae, twelve digits": Case("vae", _few, FEW, "near-copies"),
    "vae, one digit": Case("vae", _one, {**FEW, "budget": "3kimg"}, "no-variety"),
    "vae of two numbers, emoji": Case("vae", EMOJI, {**SMALL, "dim": 2}, "colours-narrow"),
    "dcgan, emoji, free doublings, rate and γ of digits": Case(
        "dcgan", EMOJI, {**NARROW, "doubling": "free", "lr": 2e-3, "gamma": 0.1}, "repeated-grid"
    ),
    "mlpgan, digits": Case("mlpgan", "digits", DIGITS),
    "dcgan, digits": Case("dcgan", "digits", {"budget": "40kimg", "every": "5%"}),
    "vae, digits": Case("vae", "digits", DIGITS),
    "vae, emoji": Case("vae", EMOJI, SMALL),
    "dcgan, emoji": Case("dcgan", EMOJI, NARROW),
    "dcgan, characters": Case("dcgan", CHARACTERS, NARROW),
}


def run() -> dict[str, Any]:
    """Let every run go on to its end, or to where its numbers break for good."""
    unproven = set(known_alarms()) - {case.alarm for case in CASES.values()}
    assert not unproven, f"no run is made to fail by {sorted(unproven)}"
    return {"rows": [measured(name) for name in CASES]}


def measured(name: str) -> dict[str, Any]:
    """Which alarms rang in a run, and when."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        data = case.data if isinstance(case.data, str) else case.data(Path(folder, "pictures"))
        options = {"precision": precision(), **case.options}
        try:
            danqing.train(case.family, data, **options, threads=1, doctor="watch", out=Path(folder, "run"))
        except TrainingFailed as error:
            print(error)
        rang = dict(_rang(Path(folder, "run")))
    row = {"run": name, "alarm": case.alarm, "rang": rang}
    print(row, flush=True)
    return row


def _rang(run: Path) -> Iterator[tuple[str, int]]:
    """Alarms, and how many pictures were seen when each rang first."""
    seen, known = 0, set()
    for entry in read_log(run / "log.jsonl"):
        seen = max(seen, entry.get("seen", 0))
        if entry.get("event") in known_alarms() and entry["event"] not in known:
            known.add(entry["event"])
            yield entry["event"], seen


def table(result: dict[str, Any]) -> str:
    """A line a run."""
    lines = ["| run | made to set off | rang | others |", "|---|---|---|---|"]
    for row in result["rows"]:
        others = [f"{name} at {seen:,}" for name, seen in row["rang"].items() if name != row["alarm"]]
        at = row["rang"].get(row["alarm"])
        rang = "–" if row["alarm"] is None else "no" if at is None else f"at {at:,} pictures"
        lines.append("| " + " | ".join([row["run"], row["alarm"] or "none", rang, ", ".join(others) or "–"]) + " |")
    made = [row for row in result["rows"] if row["alarm"]]
    healthy = [row for row in result["rows"] if not row["alarm"]]
    heard = sum(row["alarm"] in row["rang"] for row in made)
    silent = sum(not row["rang"] for row in healthy)
    return "\n".join([*lines, "", f"{heard} of {len(made)} heard; {silent} of {len(healthy)} healthy runs silent."])

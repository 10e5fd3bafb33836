"""Rows of long benchmarks: each is measured once, kept beside its run, and names the processor that measured it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PROCESSOR = "processor"


def processor() -> str:
    """The processor, and which of its instructions are used."""
    import torch

    from danqing.core.learned.manner import computes_bf16

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line for line in lines if line.startswith("model name")), ": unknown processor")
    bf16 = " with bf16" if computes_bf16("cpu") else ""
    return f"{model.partition(':')[2].strip()} ({torch.backends.cpu.get_cpu_capability()}{bf16})"


def record(file: Path, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row where it is kept, with the processor, and show it."""
    whole = {**row, PROCESSOR: processor()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(whole, indent=1), "utf-8")
    print(whole, flush=True)
    return whole


def kept(file: Path) -> dict[str, Any] | None:
    """The row of a run that was measured here."""
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else None


def known(
    bench: str, by: Sequence[str], wanted: Iterable[tuple[Any, ...]], file_of: Callable[..., Path], part: str = "rows"
) -> list[dict[str, Any]]:
    """What was measured, here or where ``bench/results`` come from, without measuring what was not.

    Args:
        bench: name of the benchmark.
        by: columns that tell its rows apart.
        wanted: their values in every row, in the order of the table.
        file_of: where the row of such values is kept.
        part: of the benchmark's result that is these rows.
    """
    result = RESULTS / f"{bench}.json"
    before = json.loads(result.read_text("utf-8")).get(part, []) if result.exists() else []
    measured = {tuple(row[name] for name in by): row for row in before}
    found = [kept(file_of(*each)) or measured.get(each) for each in wanted]
    return [row for row in found if row is not None]


def whence(rows: Sequence[Mapping[str, Any]], by: Sequence[str]) -> list[str]:
    """A line for each processor, if the rows come from more than one: equal times are worth more on a faster one."""
    names = dict.fromkeys(row[PROCESSOR] for row in rows)
    if len(names) < 2:
        return []
    return [
        f"- measured on {name}: " + "; ".join(_called(row, by) for row in rows if row[PROCESSOR] == name)
        for name in names
    ]


def _called(row: Mapping[str, Any], by: Sequence[str]) -> str:
    return ", ".join(str(row[name]) for name in by)

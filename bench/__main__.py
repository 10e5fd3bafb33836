"""Run benchmarks, keep their figures in bench/results, and write docs/benchmarks.md from all that is there."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.rows import RESULTS, processor

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Every figure on this page was measured by `make bench`; `python -m bench NAME` repeats one of them, and this page is
written from their results. A machine's own speed moves these numbers: ratios are taken between programs that ran in
turn in one run, and medians are quoted.
"""


def names() -> list[str]:
    """The benchmarks, in the order of their file names."""
    found = (path for path in sorted(HERE.glob("*.py")) if "def table(" in path.read_text("utf-8"))
    return [path.stem for path in found if path.stem != "__main__"]


def machine() -> str:
    """The machine in one line."""
    import torch

    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores of {processor()}, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, {datetime.now(UTC):%Y-%m-%d}"
    )


def main(words: list[str]) -> None:
    """Run the benchmarks asked for (all, if none is named) and write the page.

    With ``--so-far``, those of many runs give what was measured of them, and measure nothing.
    """
    RESULTS.mkdir(exist_ok=True)
    wanted = [word for word in words if word != "--so-far"]
    for name in wanted or names():
        print(f"--- {name}", flush=True)
        module = importlib.import_module(f"bench.{name}")
        file = RESULTS / f"{name}.json"
        before = json.loads(file.read_text("utf-8")) if file.exists() else {}
        found = (module.so_far if "--so-far" in words else module.run)()
        same = found == {key: value for key, value in before.items() if key != "machine"}
        result = before if same else {**found, "machine": machine()}
        file.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
        print(json.dumps(result, indent=2, ensure_ascii=False), flush=True)
    write_page()


def write_page() -> None:
    """Write docs/benchmarks.md."""
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE}")


def page() -> str:
    """The page, from the results that are there."""
    parts = [HEAD]
    for name in names():
        file = RESULTS / f"{name}.json"
        if not file.exists():
            continue
        module = importlib.import_module(f"bench.{name}")
        result = json.loads(file.read_text("utf-8"))
        title, _, words = (module.__doc__ or name).partition("\n")
        command = f"`.venv/bin/python -m bench {name}` · {result['machine']}"
        parts.append(f"## {title}\n\n{words.strip()}\n\n{module.table(result).strip()}\n\n{command}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:])

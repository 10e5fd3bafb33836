"""Commands and programs run one after another in one process of their own, which loads danqing once.

    session = Session(cwd=folder)
    session.danqing("median", "photo.png", "--out", "clean.png")

What a command says comes back; one that fails is an AssertionError with what it said.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]


class Session:
    """A process that does one thing after the other.

    Args:
        cwd: the folder it works in.
        paths: folders of packages that it knows of, beside danqing.
    """

    def __init__(self, cwd: Path, *paths: Path) -> None:
        known = os.pathsep.join(map(str, (REPOSITORY, *paths)))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.session"],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": known, "OMP_NUM_THREADS": "1", "COLUMNS": "100"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def danqing(self, *words: str | Path) -> str:
        """What a command of danqing puts out."""
        return self._ask({"words": list(map(str, words))})

    def python(self, code: str) -> str:
        """What a program puts out."""
        return self._ask({"code": code})

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def _ask(self, what: dict[str, Any]) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps(what)}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{what}: the process ended"
        told = json.loads(answer)
        assert told["code"] in (0, None), f"{what}\n{told['out'][-3000:]}\n{told['err'][-3000:]}"
        return str(told["out"])


def _done(what: dict[str, Any]) -> int | str | None:
    from danqing.faces.cli import cli

    try:
        if "words" in what:
            cli.main(what["words"])
        else:
            exec(compile(what["code"], "<program>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        return end.code
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _serve() -> None:
    answers = sys.stdout
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _done(json.loads(line))
        answers.write(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()

"""Resume after kill -9

A conditional DCGAN on the digits is killed with SIGKILL at a random moment of its run and resumed from its last
checkpoint; the SHA-256 over all tensors of its final model and of its final training state is compared with that of a
run that was never stopped. Same machine, same thread count.
"""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from danqing.core.learned.weights import load_tensors

TRIES = 10
RUN = {
    "family": "dcgan", "data": "digits", "width": 16, "budget": "12800pictures", "every": "2560pictures", "batch": 64,
    "augment": "rotate=10", "threads": 2, "precision": "fp32",
}  # fmt: skip


def run() -> dict[str, Any]:
    """Kill and resume ``TRIES`` times."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        start = time.perf_counter()
        _train(base / "whole").wait()
        seconds = time.perf_counter() - start
        expected = _hashes(base / "whole")
        tries = []
        for number in range(TRIES):
            delay = random.Random(number).uniform(0.3, 0.97) * seconds
            child = _train(base / str(number))
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
            files = sorted((base / str(number) / "checkpoints").glob("[0-9]*"))
            resumed = bool(files)
            command = [*DANQING, "train", "--resume", str(base / str(number)), "--quiet"]
            if resumed:
                subprocess.run(command, check=True)
            else:  # killed before its first checkpoint: there is nothing to go on from, it starts again
                _train(base / str(number), "--force").wait()
            tries.append(
                {
                    "killed_after_s": round(delay, 2),
                    "step": int(files[-1].stem) if files else None,
                    "resumed": resumed,
                    "identical": _hashes(base / str(number)) == expected,
                }
            )
    return {"run": RUN, "tries": tries, "identical": sum(t["identical"] for t in tries), "hashes": expected}


def table(result: dict[str, Any]) -> str:
    """The tries."""
    rows = [
        f"| {t['killed_after_s']} s | {t['step'] if t['resumed'] else 'none'} | {'yes' if t['identical'] else 'NO'} |"
        for t in result["tries"]
    ]
    head = "| killed after | last checkpoint: step | final weights and state identical |\n|---|---|---|\n"
    return f"**{result['identical']} of {len(rows)} identical.**\n\n{head}" + "\n".join(rows)


DANQING = [sys.executable, "-m", "danqing"]


def _train(out: Path, *more: str) -> subprocess.Popen[bytes]:
    file = out.parent / f"{out.name}.json"
    file.write_text(json.dumps({**RUN, "out": str(out)}))
    return subprocess.Popen([*DANQING, "train", "--config", str(file), "--quiet", *more])


def _hashes(out: Path) -> list[str]:
    return [_hash(out / "model.safetensors"), _hash(max((out / "checkpoints").glob("[0-9]*")))]


def _hash(file: Path) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(load_tensors(file)[1].items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()

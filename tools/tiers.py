"""Run tests once more as processors with fewer instructions would: their sums round otherwise.

    python tools/tiers.py tests/contract tests/maths -n 2

runs pytest with these words in each tier below the one that a plain run has here, and stops where it fails.
"""

from __future__ import annotations

import os
import subprocess
import sys

TIERS = {"default": "SSE41", "avx2": "AVX2", "avx512": "AVX512_CORE"}  # torch's names, and oneDNN's for the same


def tiers() -> dict[str, dict[str, str]]:
    """The tiers that this processor has, lowest first, each with the environment that holds a process to it."""
    import torch

    highest, names = torch.backends.cpu.get_cpu_capability().lower(), list(TIERS)
    known = names[: names.index(highest) + 1] if highest in names else []  # other processors have no tiers
    return {name: {"ATEN_CPU_CAPABILITY": name, "ONEDNN_MAX_CPU_ISA": TIERS[name]} for name in known}


def main(words: list[str]) -> int:
    """Run pytest in the tiers; what it returned in the one that failed, else 0."""
    for name, environment in list(tiers().items())[:-1]:
        print(f"the same on a processor without more than {name}:", flush=True)
        done = subprocess.run([sys.executable, "-m", "pytest", *words], env={**os.environ, **environment}, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The tests run once more in each lower tier of this processor, and the first that fails is the last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.tiers import tiers

TOOL = Path(__file__).parents[1] / "tools" / "tiers.py"
LOWER = list(tiers())[:-1]
TEST = """
import torch

def test_tier():
    name = torch.backends.cpu.get_cpu_capability().lower()
    with open("met", "a") as file:
        print(name, file=file)
    assert name not in {failing}
"""


@pytest.mark.parametrize("failing", [[], LOWER[:1]])
def test_each_lower_tier_is_run_until_one_fails(failing: list[str], tmp_path: Path) -> None:
    (tmp_path / "test_here.py").write_text(TEST.format(failing=failing))
    done = subprocess.run(
        [sys.executable, TOOL, "test_here.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    met = (tmp_path / "met").read_text().split() if LOWER else []
    assert met == (LOWER[:1] if failing else LOWER)
    assert bool(done.returncode) == bool(failing)
    if LOWER:
        assert ("failed" if failing else "passed") in done.stdout.splitlines()[-1]

"""Where there is no Chromium, the tests of the studio are left out loudly, and never quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import browser

ROOT = Path(__file__).resolve().parents[1]


def test_a_machine_without_chromium_is_told_loudly(tmp_path: Path) -> None:
    """Nothing on its path is called so, and Playwright is asked of a program that fetches none."""
    nothing = tmp_path / "python"
    nothing.write_text("#!/bin/sh\nexit 1\n")
    nothing.chmod(0o755)
    code = f"import sys; from tools import browser; sys.executable = {str(nothing)!r}; browser.main()"
    bare = {name: value for name, value in os.environ.items() if name != "CHROMIUM"}
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={**bare, "PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers")},
    ).stderr  # fmt: skip
    assert "THE STUDIO IS NOT TESTED IN A BROWSER" in told
    assert "CHROMIUM=PATH make test" in told
    assert "!!!!!" in told


def test_a_chromium_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/mine/chrome")
    assert browser.chromium() == "/opt/mine/chrome"

"""Where there is no Chromium, the tests of the studio are left out loudly, and never quietly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import browser


def test_a_machine_without_chromium_is_told_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing on its path is called so, and Playwright, which is a program that does nothing here, fetches none."""
    nothing = tmp_path / "python"
    nothing.write_text("#!/bin/sh\nexit 1\n")
    nothing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.setattr(sys, "executable", str(nothing))
    browser.main()
    said = capsys.readouterr().err
    assert "THE STUDIO IS NOT TESTED IN A BROWSER" in said
    assert "CHROMIUM=PATH make test" in said
    assert "!!!!!" in said


def test_a_chromium_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/mine/chrome")
    assert browser.chromium() == "/opt/mine/chrome"

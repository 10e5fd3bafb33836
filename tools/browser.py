"""Find the Chromium that the studio's tests drive, or have Playwright fetch one; say loudly if neither can be done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The path of a Chromium: the one that CHROMIUM names, one of the system's, or Playwright's own."""
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if named:
        return named
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def main() -> None:
    """Get one where there is none."""
    if chromium() is None:
        print("no Chromium is here: Playwright is asked for one", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if chromium() is None:
        loudly(
            "THE STUDIO IS NOT TESTED IN A BROWSER: there is no Chromium, and Playwright could not fetch one.",
            "Install Chromium (apt install chromium), or name one: CHROMIUM=PATH make test",
        )


def loudly(*lines: str) -> None:
    """Print lines that nobody overlooks."""
    print("\n" + "!" * 100, *lines, "!" * 100 + "\n", sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()

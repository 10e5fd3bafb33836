"""Build the studio's page anew from its sources and compare it with the one that is committed, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.browser import loudly

ROOT = Path(__file__).resolve().parents[1]
SOURCE, BUILT = ROOT / "studio", ROOT / "danqing" / "faces" / "studio" / "static"
OLDEST = 20  # of Node


def main() -> None:
    """Build, check the types, compare; end with 1 where the page differs, and loudly with 0 where Node is missing."""
    if not _has_node():
        loudly(
            f"THE STUDIO'S PAGE IS NOT REBUILT: that needs Node {OLDEST} or later and npm; the committed one is used."
        )
        return
    before = contents()
    try:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"], cwd=SOURCE, check=True)
    except subprocess.CalledProcessError:
        loudly("THE STUDIO'S PAGE IS NOT REBUILT: npm could not get its packages.")
        return
    subprocess.run(["npm", "run", "check"], cwd=SOURCE, check=True)
    subprocess.run(["npm", "run", "build"], cwd=SOURCE, check=True)
    after = contents()
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        sys.exit(f"the committed page is not what its sources make: {', '.join(changed)}. Commit what was built")
    print(f"the page is what its sources make: {len(after)} files")


def contents() -> dict[str, bytes]:
    """The files of the built page."""
    return {file.relative_to(BUILT).as_posix(): file.read_bytes() for file in BUILT.rglob("*") if file.is_file()}


def _has_node() -> bool:
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    return told.startswith("v") and int(told[1:].split(".")[0]) >= OLDEST


if __name__ == "__main__":
    main()

"""Write danqing/__init__.pyi from the folders: the type of every public name, for type checkers and editors."""

from __future__ import annotations

from pathlib import Path

import danqing
from danqing.core.menu import PACKAGE, operators

STUB = Path(danqing.__file__).with_suffix(".pyi")
HEAD = '"""Written by `make docs` from the folders; do not edit."""\n\n'


def stub() -> str:
    """The whole file."""
    own = {name: entry.module for name, entry in operators().items() if entry.module.startswith(f"{PACKAGE.name}.")}
    homes = {**danqing.HOMES, **own}
    lines = sorted(f"from {home} import {name} as {name}" for name, home in homes.items())
    return HEAD + "\n".join(lines) + "\n\n__version__: str\nHOMES: dict[str, str]\n"


if __name__ == "__main__":
    STUB.write_text(stub(), "utf-8")
    print(f"wrote {STUB}")

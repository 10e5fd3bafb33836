"""The client of the documentation is one that works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from serving import Running

import danqing
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

PAGE = Path(__file__).parents[2] / "docs" / "service.md"


def test_the_client_of_the_documentation_works(server: Running, photo: Path, tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    write(read(photo).pixels.flip(-1), tmp_path / "photo.png")
    environment = {**os.environ, "SERVICE": server.url, "PYTHONPATH": str(Path(danqing.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clean.png").read_bytes().startswith(b"\x89PNG")


def test_every_endpoint_of_the_document_is_in_the_documentation(server: Running) -> None:
    words = PAGE.read_text("utf-8")
    for path in server.client.get("/v1/openapi.json").json()["paths"]:
        if not path.startswith("/v1/run/"):
            last = [part for part in path.split("/") if part and not part.startswith("{")][-1]
            assert last in words, path

"""A disk that is full: it is said, nothing is half written, and all goes on when there is room."""

from __future__ import annotations

import errno
import json
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from serving import Running, running

PROBE = """
import json, resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from serving import running
photo = Path(sys.argv[3]).read_bytes()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with running(Path(sys.argv[2])) as server:
    kept = server.client.post("/v1/pictures", content=photo, params={"name": "a.png"}).json()["pictures"][0]["id"]
    server.client.get("/v1/about")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    sent = server.client.post("/v1/pictures", content=photo + b" ", params={"name": "b.png"})
    made = server.client.post("/v1/run/median", json={"values": {"x": kept}})
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    again = server.client.post("/v1/run/median", json={"values": {"x": kept}})
    left = [*Path(sys.argv[2]).rglob(".danqing-*"), *server.service.incoming.iterdir()]
    told = {name: [answer.status_code, answer.json()["type"]] for name, answer in (("sent", sent), ("made", made))}
    print(json.dumps({**told, "again": again.status_code, "left": [str(each) for each in left]}))
"""


@pytest.mark.slow
def test_a_full_disk_is_said_and_survived(tmp_path: Path, photo: Path) -> None:
    """In a process of its own, whose files may not grow beyond some bytes."""
    place = str(Path(__file__).parent)
    command = [sys.executable, "-c", PROBE, place, str(tmp_path / "folder"), str(photo)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["sent"] == told["made"] == [507, "urn:danqing:problem:disk-full"]
    assert told["again"] == 200
    assert told["left"] == []


def test_a_job_that_cannot_be_written_down_is_none(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from danqing.faces.service.job_folder import JobFolder

    def full(self: JobFolder, facts: dict[str, Any]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = len(list(server.service.jobs.folder.glob("*")))
    monkeypatch.setattr(JobFolder, "ask", full)
    answer = server.client.post("/v1/jobs", json={"task": "data-check", "values": {"pictures": "digits"}})
    assert answer.status_code == 507
    assert len(list(server.service.jobs.folder.glob("*"))) == before


def test_what_was_left_from_before_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "incoming" / "half").mkdir(parents=True)
    (tmp_path / "incoming" / "half" / "0").write_bytes(b"half a picture")
    with running(tmp_path) as server:
        assert list(server.service.incoming.iterdir()) == []
    assert signal.getsignal(signal.SIGXFSZ) in (signal.SIG_DFL, signal.SIG_IGN)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 2000

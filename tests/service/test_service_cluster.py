"""A service that has its jobs' pictures worked on by a cluster: the same results."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving import Running, running

from danqing.core.errors import ParameterError
from danqing.tasks.serve import serve

STEPS = [{"task": "median", "values": {"radius": 1}}, {"task": "flip"}]


def test_a_place_that_there_is_not_is_refused_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="is no place to work"):
        serve(port=0, folder=tmp_path / "service", on="spark")
    assert not (tmp_path / "service").exists()


@pytest.mark.slow
def test_jobs_on_a_cluster_give_the_same_files(server: Running, photo: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    found = []
    with running(tmp_path / "clustered", on="ray") as clustered:
        for each in (server, clustered):
            bad = each.service.shelf.put(b"no picture", "bad.png")
            pictures = [each.send(photo), bad]
            ended = []
            for asked in ({"steps": STEPS, "pictures": pictures}, {"task": "flip", "values": {"x": pictures}}):
                answer = each.client.post("/v1/jobs", json=asked)
                assert answer.status_code == 201, answer.text
                ended.append(each.until(answer.json()["id"], "done", "failed"))
            found.append(ended)
    for here, there in zip(*found, strict=True):
        assert (here["state"], there["state"]) == ("done", "done"), there["error"]
        names = ("files", "numbers", "notes")
        assert {name: there["result"][name] for name in names} == {name: here["result"][name] for name in names}
        assert [each["name"] for each in there["result"]["failed"]] == [
            each["name"] for each in here["result"]["failed"]
        ]
        assert len(there["result"]["failed"]) == 1


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named(photo: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with running(tmp_path / "service", on="ray:127.0.0.1:1") as server:
        asked = {"task": "flip", "values": {"x": [server.send(photo)]}}
        ended = server.until(server.client.post("/v1/jobs", json=asked).json()["id"], "done", "failed")
        assert ended["state"] == "failed"
        assert "cannot be reached" in str(ended["error"])

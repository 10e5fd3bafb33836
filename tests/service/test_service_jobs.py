"""Jobs that survive: they are watched, stopped, killed, resumed and adopted, and nothing that is finished is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import PATIENCE, Running, running, wait_for

from danqing.core.pictures.reading import read
from danqing.faces.service.index import Index
from danqing.faces.service.job_folder import JobFolder
from danqing.faces.service.job_queue import Queue
from danqing.faces.service.job_turns import Turns

TRAINING = {
    "task": "train-mlpgan",
    "values": {"data": "digits", "budget": "3m", "every": "64pictures"},
    "title": "digits",
}


def submit(server: Running, **asked: Any) -> dict[str, Any]:
    answer = server.client.post("/v1/jobs", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_a_chain_over_pictures_is_a_job(server: Running, photo: Path) -> None:
    pictures = [server.send(photo), server.send(photo)]
    bad = server.service.shelf.put(b"no picture", "bad.png")
    steps = [{"task": "median", "values": {"radius": 1}}, {"task": "flip"}]
    job = submit(server, pictures=[*pictures, bad], steps=steps, title="all of them")
    done = server.until(job["id"], "done", "failed")
    assert done["state"] == "done", done["error"]
    expected = server.client.post("/v1/run", json={"picture": pictures[0], "steps": steps}).json()["result"]["files"][0]
    assert [each["id"] for each in done["result"]["files"]] == [expected["id"]] * 2
    assert [each["name"] for each in done["result"]["failed"]] == ["bad.png"]
    assert done["result"]["failed"][0]["problem"]["parameter"] == "bad.png"
    item = server.client.get(f"/v1/gallery/{job['id']}").json()
    assert item["title"] == "all of them"
    names = [each["name"] for each in server.client.get(f"/v1/jobs/{job['id']}/files").json()["files"]]
    assert f"files/{expected['name']}" in names
    assert (
        read(server.client.get(f"/v1/jobs/{job['id']}/files/files/{expected['name']}").content).pixels.shape[-1] == 64
    )
    assert server.client.get(f"/v1/jobs/{job['id']}/files/../job.json").status_code in (404, 422)
    events = list(lines(server, job["id"]))
    assert events[0]["event"] == "state"
    assert json.loads(events[-1]["data"])["state"] == "done"
    later = list(lines(server, job["id"], after=events[2]["id"]))
    assert later == events[3:]
    assert server.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert server.client.get(f"/v1/jobs/{job['id']}").status_code == 404


def lines(server: Running, job: str, after: str = "") -> list[dict[str, str]]:
    """The events of a job, to their end."""
    found: list[dict[str, str]] = []
    headers = {"Last-Event-ID": after} if after else {}
    with server.client.stream("GET", f"/v1/jobs/{job}/events", headers=headers) as answer:
        block: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                block[name] = value
            elif block:
                found.append(block)
                block = {}
    return found


def test_what_cannot_be_done_is_refused_before_it_waits(server: Running, photo: Path) -> None:
    for asked, parameter in (
        ({"task": "train-dcgan", "values": {}}, "data"),
        ({"task": "train-dcgan", "values": {"data": "0" * 64}}, "data"),
        ({"task": "train-dcgan", "values": {"data": "/etc"}}, "data"),
        ({"task": "train-dcgan", "values": {"data": "digits", "out": "/tmp/x"}}, "out"),
        ({"task": "train-dcgan", "values": {"data": "digits", "from_": "/etc/passwd"}}, "from_"),
        ({"task": "median", "values": {"x": ["0" * 64]}}, "x"),
        ({"task": "nothing"}, "nothing"),
        ({"steps": [{"task": "median"}], "pictures": []}, "pictures"),
    ):
        answer = server.client.post("/v1/jobs", json=asked)
        assert answer.status_code in (404, 422), answer.text
        assert answer.json()["parameter"] == parameter


@pytest.mark.slow
def test_a_training_is_paused_and_resumed_and_its_weights_are_there(server: Running) -> None:
    job = submit(server, **TRAINING)["id"]
    wait_for(lambda: len(server.client.get(f"/v1/jobs/{job}/log").json()["rows"]) > 1)
    assert server.client.post(f"/v1/jobs/{job}/pause").json()["state"] == "stopping"
    paused = server.until(job, "paused")
    assert "resume" in paused["can"]
    before = server.client.get(f"/v1/jobs/{job}/log").json()["rows"]
    seconds = f"{int(before[-1]['seconds']) + 2}s"
    answer = server.client.post(f"/v1/jobs/{job}/resume", json={"budget": seconds})
    assert answer.status_code == 200
    done = server.until(job, "done", "failed")
    assert done["state"] == "done", done["error"]
    after = server.client.get(f"/v1/jobs/{job}/log").json()["rows"]
    assert after[: len(before) - 1] == before[: len(before) - 1]  # it went on, and did not begin anew
    model = done["run"]["model"]
    assert model in {each["id"] for each in server.client.get("/v1/models?fits=generate.weights").json()["models"]}
    painted = server.client.post(
        "/v1/run/generate", json={"values": {"weights": model, "count": 2, "seed": "7"}}
    ).json()
    assert len(painted["files"]) == 2
    assert server.client.get(f"/v1/jobs/{job}/preview").headers["content-type"] == "image/png"
    assert server.client.get(f"/v1/models/{model}/file").status_code == 200
    statuses = sorted(server.client.delete(f"/v1/models/{model}").status_code for _ in range(2))
    assert statuses == [204, 404]
    gone = server.client.post("/v1/run/generate", json={"values": {"weights": model}})
    assert (gone.status_code, gone.json()["parameter"]) == (422, "weights")


@pytest.mark.slow
def test_a_training_is_paused_while_its_codec_learns_and_goes_on_to_the_flow(server: Running) -> None:
    values = {"data": "digits", "budget": "3072pictures", "every": "50%", "codec": "new", "width": 16, "blocks": 1}
    job = submit(server, task="train-flow", values=values)["id"]
    folder = JobFolder(server.service.folder / "jobs" / job)
    wait_for(lambda: (folder.run / "codec" / "log.jsonl").exists())
    server.client.post(f"/v1/jobs/{job}/pause")
    paused = server.until(job, "paused", "done", "failed")
    assert (paused["state"], "resume" in paused["can"]) == ("paused", True), paused["error"]
    assert not (folder.run / "config.json").exists()  # the flow has not begun
    assert server.client.post(f"/v1/jobs/{job}/resume").status_code == 200
    done = server.until(job, "done", "failed")
    assert done["state"] == "done", done["error"]
    known = server.client.get(f"/v1/models/{done['run']['model']}").json()
    assert [each["how"] for each in known["card"]["lineage"]] == ["codec"]
    assert known["card"]["training"]["pictures_seen"] == 2304  # three quarters


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_a_cancelled_one_ends(server: Running) -> None:
    job = submit(server, **TRAINING)["id"]
    folder = JobFolder(server.service.folder / "jobs" / job)
    wait_for(lambda: any((folder.run / "checkpoints").glob("*.safetensors")))
    first = folder.worker()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: folder.worker() != first and folder.is_alive())
    assert server.client.get(f"/v1/jobs/{job}").json()["attempts"] == 2
    server.client.post(f"/v1/jobs/{job}/cancel")
    cancelled = server.until(job, "cancelled")
    assert not folder.is_alive()
    assert cancelled["error"] is None


def test_a_job_stands_back_behind_other_sessions_too(tmp_path: Path) -> None:
    """Where Linux shares processors between sessions first, a worker's own nice counts within its session only."""
    group = Path("/proc/self/autogroup")
    before = group.read_text() if group.exists() else ""
    with running(tmp_path, nice=7, cancel_grace=0.2) as server:
        job = submit(server, **TRAINING)["id"]
        folder = JobFolder(tmp_path / "jobs" / job)
        wait_for(lambda: any((folder.run / "checkpoints").glob("*.safetensors")))
        worker = folder.worker() or 0
        assert os.getpriority(os.PRIO_PROCESS, worker) == os.getpriority(os.PRIO_PROCESS, 0) + 7
        if group.exists():
            told = Path(f"/proc/{worker}/autogroup").read_text()
            assert told.endswith("nice 7\n")
            assert group.read_text() == before  # the server's session, which may be in no group, is left alone
            assert told.split()[:1] != before.split()[:1]
        server.client.post(f"/v1/jobs/{job}/cancel")
        server.until(job, "cancelled")


def test_a_worker_that_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    with running(tmp_path, cancel_grace=0.2) as server:
        job = submit(server, **TRAINING)["id"]
        folder = JobFolder(tmp_path / "jobs" / job)
        wait_for(lambda: folder.worker() is not None and folder.is_alive())
        os.kill(folder.worker() or 0, signal.SIGSTOP)
        server.client.post(f"/v1/jobs/{job}/cancel")
        server.until(job, "cancelled")
        assert not folder.is_alive()


def test_a_full_queue_says_when_to_ask_again_and_clients_take_turns(tmp_path: Path) -> None:
    with running(tmp_path, limits={"jobs_queued": 3}) as server:
        first = submit(server, **TRAINING)["id"]
        wait_for(lambda: server.client.get(f"/v1/jobs/{first}").json()["state"] == "running")
        ids = []
        for client in ("a", "a", "b"):
            answer = server.client.post("/v1/jobs", json=TRAINING, headers={"Danqing-Client": client})
            ids.append(answer.json()["id"])
        full = server.client.post("/v1/jobs", json=TRAINING)
        assert full.status_code == 429
        assert int(full.headers["retry-after"]) > 0
        order = sorted(ids, key=lambda each: server.client.get(f"/v1/jobs/{each}").json()["position"])
        assert order == [ids[0], ids[2], ids[1]]
        for each in (*ids, first):
            server.client.post(f"/v1/jobs/{each}/cancel")
        for each in (*ids, first):
            server.until(each, "cancelled")


def test_a_damaged_index_is_set_aside_and_made_anew(tmp_path: Path, photo: Path) -> None:
    with running(tmp_path) as server:
        name = server.send(photo)
        kept = server.client.post("/v1/run/flip", json={"values": {"x": name}, "keep": True}).json()["gallery"]
        job = submit(server, **TRAINING)["id"]
        server.client.post(f"/v1/jobs/{job}/cancel")
        server.until(job, "cancelled")
        refused = server.client.post(f"/v1/jobs/{job}/resume", json={"budget": "long"})
        assert (refused.status_code, refused.json()["parameter"]) == (422, "budget")
    (tmp_path / "index.sqlite").write_bytes(b"no base at all" * 1000)
    with running(tmp_path) as server:
        (warning,) = server.client.get("/v1/about").json()["warnings"]
        (aside,) = tmp_path.glob("index.sqlite.damaged-*")
        assert aside.name in warning
        assert [each["id"] for each in server.client.get("/v1/jobs").json()["jobs"]] == [job]
        assert [each["id"] for each in server.client.get("/v1/gallery").json()["items"]] == [kept]


def test_an_index_that_breaks_while_it_is_used_is_made_anew(tmp_path: Path) -> None:
    said: list[str] = []
    rows = [("a", 1, "median", "kept", ""), ("b", 2, "flip", "kept", "")]
    index = Index(tmp_path / "index.sqlite", {"gallery": lambda: rows}, lambda name, why: said.append(name))
    index._base.close()  # type: ignore[union-attr]
    (tmp_path / "index.sqlite").write_bytes(b"\0" * 5000)
    index._base = None
    assert [row[0] for row in index.rows("gallery")] == ["b", "a"]
    assert index.next_number("gallery") == 3
    assert len(said) == 1


def test_order_does_not_ask_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(tmp_path / "index.sqlite", {}, lambda name, why: None)
    queue = Queue(
        tmp_path / "jobs", index, {"cancel": 1.0, "pause": 1.0}, 9, lambda job, state: None, lambda job: None, print
    )
    names = []
    for moment in ("2030-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2001-01-01T00:00:00Z"):
        monkeypatch.setattr("danqing.faces.service.job_list.now", lambda moment=moment: moment)
        names.append(queue.submit({"task": "median", "client": "a"}).id)
    assert [job.id for job in queue.all()] == names[::-1]
    assert [queue.told(job)["position"] for job in reversed(queue.all())] == [0, 1, 2]


def test_clients_take_turns_whoever_asked_first() -> None:
    turns = Turns()
    for number, client in enumerate("aaabca"):
        turns.append((f"job{number}", number, "median", "queued", client))
    assert [row[0] for row in turns.order()] == ["job0", "job3", "job4", "job1", "job2", "job5"]
    turns.begun(turns.order()[0])
    turns.leave("job3")
    assert [row[0] for row in turns.order()] == ["job4", "job1", "job2", "job5"]
    assert len(turns) == 4


def test_who_only_looks_does_not_wait_for_a_training(tmp_path: Path) -> None:
    """What a training would take, or what is wrong with pictures, is not told when another training has ended."""
    with running(tmp_path, cancel_grace=0.2) as server:
        look = {"task": "train-mlpgan", "values": {**TRAINING["values"], "dry_run": True}}
        jobs = [server.client.post("/v1/jobs", json=each).json()["id"] for each in (TRAINING, TRAINING, look, look)]
        wait_for(lambda: server.service.jobs.working == 2)
        states = [server.client.get(f"/v1/jobs/{each}").json() for each in jobs]
        assert [each["state"] for each in states] == ["running", "queued", "running", "queued"]
        assert [each["position"] for each in states] == [0, 0, 0, 0]
        for each in reversed(jobs):
            server.client.post(f"/v1/jobs/{each}/cancel")
    with running(tmp_path) as server:  # the end of the service came within the grace, and cancelled is cancelled
        assert [server.until(each, "cancelled")["state"] for each in jobs] == ["cancelled"] * 4


@pytest.mark.slow
def test_a_killed_server_leaves_its_workers_and_the_next_adopts_them(tmp_path: Path, photo: Path) -> None:
    command = [sys.executable, "-m", "danqing", "serve", "--port", "0", "--folder", str(tmp_path / "s")]
    asked = {**TRAINING, "values": {**TRAINING["values"], "budget": "25s"}}
    process, client = started(command)
    job = client.post("/v1/jobs", json=asked).json()["id"]
    folder = JobFolder(tmp_path / "s" / "jobs" / job)
    wait_for(lambda: folder.progress().get("share", 0) > 0 and (folder.run / "log.jsonl").is_file())
    worker = folder.worker()
    process.kill()
    process.wait()
    assert folder.is_alive()
    process, client = started(command)
    try:
        assert client.get(f"/v1/jobs/{job}").json()["state"] == "running"
        assert folder.worker() == worker
        wait_for(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "done")
        assert client.get(f"/v1/jobs/{job}").json()["attempts"] == 1
        assert client.get(f"/v1/jobs/{job}/result").status_code == 200
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


@pytest.mark.slow
def test_a_result_that_was_finished_while_no_server_ran_is_not_lost(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "danqing", "serve", "--port", "0", "--folder", str(tmp_path / "s")]
    process, client = started(command)
    asked = {**TRAINING, "values": {**TRAINING["values"], "budget": "3s"}}
    job = client.post("/v1/jobs", json=asked).json()["id"]
    folder = JobFolder(tmp_path / "s" / "jobs" / job)
    wait_for(folder.is_alive)
    process.kill()
    process.wait()
    wait_for(lambda: not folder.is_alive() and bool(folder.end()))
    process, client = started(command)
    try:
        told = client.get(f"/v1/jobs/{job}").json()
        assert (told["state"], told["attempts"]) == ("done", 1)
        assert told["run"]["model"] in {each["id"] for each in client.get("/v1/models").json()["models"]}
    finally:
        process.terminate()
        process.wait(PATIENCE)


def started(command: list[str]) -> tuple[subprocess.Popen[str], httpx.Client]:
    """A service in a process of its own, and a client of it."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    url = ""
    while "http://" not in url:
        url = process.stderr.readline()
        assert url, "it ended before it listened"
    address = next(word for word in url.split() if word.startswith("http"))
    threading.Thread(target=process.stderr.read, daemon=True).start()
    return process, httpx.Client(base_url=address, timeout=PATIENCE)

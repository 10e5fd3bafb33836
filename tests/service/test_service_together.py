"""Several clients at once: what one has deleted is gone for the other, whatever was about to be done with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from serving import Running, running

from danqing.core.learned.families import family_named
from danqing.core.learned.weights import save
from danqing.faces.service.routes_jobs import submitted


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained painter."""
    file = tmp_path_factory.mktemp("weights") / "painter.safetensors"
    save(family_named("mlpgan")(size=16, channels=1), file)
    return file


def sent(server: Running, weights: Path) -> str:
    answer = server.client.post("/v1/models", content=weights.read_bytes(), params={"name": weights.name})
    return str(answer.json()["id"])


def test_of_those_who_delete_the_same_one_does(server: Running, weights: Path, photo: Path) -> None:
    x = server.send(photo)
    kept = server.client.post("/v1/run/flip", json={"values": {"x": x}, "keep": True}).json()["gallery"]
    for place in (f"/v1/models/{sent(server, weights)}", f"/v1/gallery/{kept}"):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(server.client.delete, [place] * 8))
        assert sorted(each.status_code for each in answers) == [204, *[404] * 7]
        assert server.client.get(place).status_code == 404


def test_work_with_a_model_that_was_deleted_names_the_field(server: Running, weights: Path) -> None:
    model = sent(server, weights)
    server.client.delete(f"/v1/models/{model}")
    asked = {"task": "generate", "values": {"weights": model, "count": 1}}
    for path, body in (("/v1/jobs", asked), ("/v1/run/generate", {"values": asked["values"]})):
        answer = server.client.post(path, json=body)
        assert (answer.status_code, answer.json()["parameter"]) == (422, "weights")
        assert "nothing is kept" in answer.json()["detail"]


@pytest.mark.slow
def test_a_job_whose_model_is_deleted_while_it_waits_says_so(tmp_path: Path, weights: Path) -> None:
    with running(tmp_path) as server:
        model = sent(server, weights)
        facts = {"task": "generate", "values": {"weights": model, "count": 1}, "saving": None}
        with server.service.jobs._lock:  # so that it cannot begin before
            job = submitted(server.service, facts, "", "somebody")
            server.service.models.delete(model)
        error = server.until(job.id, "done", "failed")["error"]
        assert (error["status"], error["parameter"]) == (422, "weights")
        assert "nothing is kept" in error["detail"]

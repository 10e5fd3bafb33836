"""The OpenAPI document holds: what fits it is met, what does not is refused, by the judgement of schemathesis."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema_rs import validator_for
from serving import PATIENCE, Running, running

from danqing.faces.service import openapi

UNSAID = (
    "/v1/run",
    "/v1/pictures",
    "/v1/files",
    "/v1/models",
    "/v1/datasets",
    "/v1/replay",
    "/v1/gallery",
    "/v1/live/wishes",
)
SKIPPED = ("/v1/events", "/v1/live/events", "/events")  # streams that do not end


@pytest.fixture(scope="module")
def document(server: Running) -> dict[str, object]:
    return server.client.get("/v1/openapi.json").json()  # type: ignore[no-any-return]


def test_examples_fit_their_schemas(server: Running, document: dict[str, dict[str, dict[str, object]]]) -> None:
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/run/"):
            continue
        content = operations["post"]["requestBody"]["content"]["application/json"]  # type: ignore[index]
        schema = {**content["schema"], "components": document["components"]}
        validator_for(schema).validate(content["example"])
        assert openapi.example_of(path.removeprefix("/v1/run/")) == content["example"]["values"]


def ask(server: Running, path: str, method: str, examples: int, patience: float = PATIENCE) -> None:
    schema = schemathesis.openapi.from_dict(server.client.get("/v1/openapi.json").json())
    operation = schema[path][method]

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        # what is in a file, which hashes are there, and which values go together, no schema can say
        unsaid = [schemathesis.checks.CHECKS.get_one("positive_data_acceptance")] if path.startswith(UNSAID) else []
        case.call_and_validate(base_url=server.url, timeout=patience, excluded_checks=unsaid)

    check()


@pytest.mark.parametrize(
    "path", ["/v1/run/median", "/v1/run", "/v1/gallery", "/v1/pictures/{id}/preview", "/v1/session"]
)
def test_what_is_asked_at_random_is_answered_as_the_document_says(server: Running, path: str) -> None:
    document = server.client.get("/v1/openapi.json").json()
    for method in document["paths"][path]:
        ask(server, path, method, 4)


@pytest.mark.slow
def test_every_endpoint_answers_as_the_document_says(tmp_path: Path) -> None:
    patience = 3600.0  # s, whatever the processor
    with running(tmp_path, limits={"seconds": patience}) as server:
        document = server.client.get("/v1/openapi.json").json()
        for path, operations in document["paths"].items():
            for method in operations:
                if not path.endswith(SKIPPED) and (method, path) != ("post", "/v1/jobs"):
                    ask(server, path, method, 20, patience)


def test_the_document_knows_every_route(server: Running, tmp_path: Path) -> None:
    document = server.client.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    for path in (
        "/v1/pictures",
        "/v1/jobs",
        "/v1/jobs/{id}/events",
        "/v1/models",
        "/v1/datasets",
        "/v1/gallery",
        "/metrics",
    ):
        assert path in document["paths"]

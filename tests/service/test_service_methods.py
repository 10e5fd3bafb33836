"""A place answers to its methods, to HEAD as to GET, and says of any other what it answers to."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from serving import Running, running
from starlette.routing import Route
from websockets.sync.client import connect

from danqing.faces.service.app import ROUTERS
from danqing.faces.service.phrases import UNKNOWN

CJK = re.compile(r"[\u4e00-\u9fff]")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/v1/run/median", "POST"), ("GET", "/v1/replay", "POST"), ("DELETE", "/v1/run", "POST"),
     ("PUT", "/v1/pictures", "POST"), ("HEAD", "/v1/run/median", "POST"), ("POST", "/v1/tasks", "GET, HEAD"),
     ("PATCH", "/v1/gallery", "GET, HEAD, POST"), ("PUT", "/v1/session", "DELETE, POST"),
     ("POST", "/v1/openapi.json", "GET, HEAD"), ("PROPFIND", "/v1/about", "GET, HEAD"), ("OPTIONS", "/v1/run", "POST"),
     ("POST", "/nothing.html", "GET, HEAD")],
)  # fmt: skip
def test_another_method_is_told_the_true_ones(server: Running, method: str, path: str, allowed: str) -> None:
    english, chinese = (server.client.request(method, path, params={"lang": each}) for each in ("en", "zh"))
    assert english.status_code == chinese.status_code == 405
    assert english.headers["allow"] == allowed
    assert english.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        told, other = english.json(), chinese.json()
        assert (told["detail"], told["remedy"]) == (f"{method} is not understood here", f"Ask with {allowed}")
        assert told["message_id"] == other["message_id"] != UNKNOWN
        assert all(CJK.search(other[name]) for name in ("title", "detail", "remedy"))


@pytest.mark.parametrize("method", METHODS)
def test_where_nothing_is_every_method_says_so(server: Running, method: str) -> None:
    answer = server.client.request(method, "/v1/nothing?lang=zh")
    assert (answer.status_code, "allow" in answer.headers) == (404, False)
    if method != "HEAD":
        assert CJK.search(answer.json()["remedy"])


def test_without_a_page_there_is_the_api_alone(tmp_path: Path) -> None:
    with running(tmp_path / "data", tmp_path / "no page") as bare:
        assert bare.client.post("/nothing.html").status_code == 404
        assert bare.client.get("/v1/run/median").headers["allow"] == "POST"


def test_no_place_answers_to_what_it_does_not_name(server: Running) -> None:
    """What ``Allow`` names is what has an endpoint, for every path of the API."""
    known: dict[str, set[str]] = {}
    for router in ROUTERS:
        for each in router.routes:
            if isinstance(each, Route):
                known.setdefault(re.sub(r"\{[^}]*\}", "x", each.path), set()).update(each.methods or ())
    for path, methods in known.items():
        answer = server.client.request("PUT", path)
        assert answer.status_code == 405, path
        named = set(answer.headers["allow"].split(", "))
        assert methods <= named, path
        assert ("HEAD" in named) == ("GET" in named), path


def alike(one: httpx.Response, other: httpx.Response) -> None:
    same = ("content-type", "cache-control", "etag", "content-disposition")
    assert one.status_code == other.status_code
    assert {name: one.headers.get(name) for name in same} == {name: other.headers.get(name) for name in same}
    assert one.content == b""


@pytest.mark.parametrize(
    "path", ["/v1/tasks", "/v1/tasks/median", "/v1/tasks/nothing", "/v1/about", "/healthz", "/metrics", "/v1/gallery",
             "/v1/models", "/v1/models/digits/file", "/v1/gallery?limit=0", "/v1/openapi.json", "/v1/pictures/x"],
)  # fmt: skip
def test_a_head_is_that_of_the_answer(server: Running, path: str) -> None:
    alike(server.client.head(path), server.client.get(path))


def test_the_head_of_what_never_ends_ends(server: Running) -> None:
    for path in ("/v1/events", "/v1/live/events?session=abcdefgh"):
        answer = server.client.head(path)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert server.client.post("/v1/live/wishes?session=abcdefgh", json={}).status_code == 409  # nobody listens
    with connect(f"ws://127.0.0.1:{server.port}/v1/live") as line:
        line.send('{"type": "ping"}')
        assert line.recv() == '{"type":"pong"}'

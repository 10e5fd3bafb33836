"""Who may ask what: hosts, origins, tokens, sizes, names that lead elsewhere, and files that are not what they say."""

from __future__ import annotations

import io
import json
import random
import socket
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import PATIENCE, Running, running, wait_for

from danqing.core.errors import OutputError, ParameterError
from danqing.faces.service.app import application
from danqing.faces.service.server import _listening
from danqing.faces.service.settings import Settings, token_for

TOKEN = "correct horse battery staple"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("guarded")
    limits = {
        "upload_bytes": 200_000,
        "pixels": 1_000_000,
        "count": 4,
        "dataset_bytes": 300_000,
        "wrong_tokens_per_minute": 1000,
    }
    with running(folder, token=TOKEN, limits=limits) as made:
        yield made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/gallery", "/v1/jobs", "/metrics", "/v1/openapi.json"])
def test_without_the_token_nothing_is_told(guarded: Running, path: str) -> None:
    for headers in (
        {},
        bearer("wrong"),
        bearer(TOKEN + " "[:0] + "x"),
        {"Authorization": TOKEN},
        {"Cookie": "danqing=x"},
    ):
        answer = guarded.client.get(path, headers={**headers, "Danqing-Client": path})
        assert answer.status_code in (401, 429), headers
        assert answer.headers["content-type"] == "application/problem+json"


def test_many_wrong_tokens_are_slowed_down(tmp_path: Path) -> None:
    with running(tmp_path, token=TOKEN, limits={"wrong_tokens_per_minute": 3}) as server:
        got = [server.client.get("/v1/tasks", headers=bearer("wrong")).status_code for _ in range(5)]
        assert got == [401, 401, 401, 429, 429]
        assert server.client.get("/v1/jobs", headers=bearer(TOKEN)).status_code == 200


def test_wrong_tokens_are_counted_where_one_signs_in(tmp_path: Path) -> None:
    with running(tmp_path, token=TOKEN, limits={"wrong_tokens_per_minute": 3}) as server:
        got = [server.client.post("/v1/session", json={"token": f"wrong {n}"}).status_code for n in range(5)]
        assert got == [401, 401, 401, 429, 429]
        assert server.client.get("/v1/tasks", headers=bearer("wrong")).status_code == 429
        assert server.client.post("/v1/session", json={"token": TOKEN}).status_code == 204


def test_with_the_token_or_its_cookie_all_is(guarded: Running) -> None:
    assert guarded.client.get("/v1/jobs", headers=bearer(TOKEN)).status_code == 200
    assert guarded.client.get("/v1/jobs", params={"token": TOKEN}).status_code == 200
    with httpx.Client(base_url=guarded.url) as page:
        assert page.post("/v1/session", json={"token": "wrong, and long enough"}).status_code == 401
        signed = page.post("/v1/session", json={"token": TOKEN})
        assert signed.status_code == 204
        assert TOKEN not in signed.headers["set-cookie"]
        assert "HttpOnly" in signed.headers["set-cookie"]
        assert "samesite=strict" in signed.headers["set-cookie"].lower()
        assert page.get("/v1/jobs").status_code == 200
        page.delete("/v1/session")
        assert page.get("/v1/jobs").status_code == 401
    assert guarded.client.get("/healthz").status_code == 200
    assert "limits" not in guarded.client.get("/v1/about").json()


def test_elsewhere_a_token_is_never_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DANQING_TOKEN", raising=False)
    assert token_for("127.0.0.1", None) == token_for("localhost", None) == token_for("::1", None) == ""
    assert len(token_for("0.0.0.0", None)) >= 16
    assert token_for("0.0.0.0", None) != token_for("0.0.0.0", None)
    with pytest.raises(ParameterError, match="too short"):
        token_for("0.0.0.0", "secret")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[::1"])
def test_other_names_of_the_host_are_refused(server: Running, host: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(f"GET /v1/about HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = raw.makefile("rb").readline()
    assert b" 403 " in answer or b" 400 " in answer


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
     {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}],
)  # fmt: skip
def test_pages_of_another_origin_may_not_ask(server: Running, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/v1/tasks"), ("POST", "/v1/run/median"), ("OPTIONS", "/v1/tasks")):
        answer = server.client.request(method, path, headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert server.client.get("/v1/about", headers={"Origin": server.url}).status_code == 200


def test_an_origin_that_was_named_may(tmp_path: Path) -> None:
    with running(tmp_path, origins=("https://friend.example",)) as server:
        headers = {"Origin": "https://friend.example"}
        answer = server.client.get("/v1/about", headers=headers)
        assert answer.headers["access-control-allow-origin"] == headers["Origin"]
        assert server.client.options("/v1/tasks", headers=headers).status_code == 204


def test_every_answer_forbids_what_no_page_of_ours_needs(server: Running) -> None:
    for path in ("/v1/about", "/v1/nothing", "/nothing"):
        headers = server.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-request-id"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/pictures/..%2f..%2fetc%2fpasswd",
        "/v1/pictures/%2e%2e",
        "/v1/jobs/..",
        "/v1/jobs/..%2f..%2fservice.json/files/x",
        "/v1/gallery/..%2fservice",
        "/v1/models/..%2f..%2fservice",
        "/v1/datasets/..%2f..%2fetc",
        "/v1/datasets/digits/pictures/..%2fx",
        "/..%2f..%2f..%2fetc/passwd",
        "/%00",
        "/v1/pictures/" + "a" * 5000,
    ],
)
def test_no_name_leads_elsewhere(server: Running, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode())
        answer = raw.makefile("rb").read()
    assert int(answer.split()[1]) in (400, 404, 409, 422)
    assert b"root:" not in answer
    assert b'"format"' not in answer


def test_names_of_uploads_are_names_alone(server: Running, photo: Path) -> None:
    for name in (
        "../../../etc/cron.d/x.png",
        "C:\\x.png",
        "a\0b.png",
        "/" * 300 + ".png",
        "x" * 1000 + ".png",
        "..",
        "\r\nX: y.png",
    ):
        answer = server.client.post("/v1/pictures", content=photo.read_bytes(), params={"name": name})
        assert answer.status_code == 201
        assert "/" not in answer.json()["pictures"][0]["name"]
    whole = server.client.get(answer.json()["pictures"][0]["url"], params={"download": "1"})
    assert "x" not in {name.lower() for name in whole.headers}


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and holds hardly anything."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 100, b"MZ" * 50, b"<html>", b"\x89PNG\r\n\x1a\n", bomb(50_000, 50_000), bomb(1000, 1000)]
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(guarded: Running, content: bytes) -> None:
    answer = guarded.client.post("/v1/pictures", content=content, params={"name": "photo.png"}, headers=bearer(TOKEN))
    assert answer.status_code in (400, 422), answer.text
    assert not any(guarded.service.incoming.iterdir())


def test_too_many_bytes_are_refused_before_and_while_they_come(guarded: Running) -> None:
    big = b"\xff" * 300_000
    assert guarded.client.post("/v1/pictures", content=big, headers=bearer(TOKEN)).status_code == 413

    def blocks() -> Iterator[bytes]:
        for _ in range(30):
            yield big[:10_000]

    try:
        answer = guarded.client.post("/v1/pictures", content=blocks(), headers=bearer(TOKEN))
        assert answer.status_code == 413
    except httpx.WriteError:  # it closed the door at once
        pass
    wait_for(lambda: not any(guarded.service.incoming.iterdir()))


def test_a_zip_bomb_is_never_unpacked(guarded: Running) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(2):
            archive.writestr(f"../../{number}.png", b"")
            archive.writestr(f"{number}.png", b"\0" * 50_000_000)
    answer = guarded.client.post(
        "/v1/datasets", content=stream.getvalue(), params={"name": "b.zip"}, headers=bearer(TOKEN)
    )
    assert answer.status_code == 201
    told = answer.json()
    assert told["pictures"] == 2
    picture = guarded.client.get(f"/v1/datasets/{told['id']}/pictures/0.png", headers=bearer(TOKEN))
    assert picture.status_code == 422
    guarded.client.post(f"/v1/jobs/{told['check']['id']}/cancel", headers=bearer(TOKEN))
    assert guarded.client.delete(f"/v1/datasets/{told['id']}", headers=bearer(TOKEN)).status_code == 204


@pytest.mark.parametrize("content", [b"PK\x05\x06" + b"\0" * 18, b"no zip", b"PK\x03\x04" * 100])
def test_what_is_no_zip_of_pictures_is_refused(guarded: Running, content: bytes) -> None:
    answer = guarded.client.post("/v1/datasets", content=content, headers=bearer(TOKEN))
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:  # an empty zip is one
        assert answer.json()["pictures"] == 0
        guarded.client.post(f"/v1/jobs/{answer.json()['check']['id']}/cancel", headers=bearer(TOKEN))


def test_weights_that_are_none_are_refused(guarded: Running) -> None:
    for content in (b"\x80\x02pickle", b"PK\x03\x04", struct.pack("<Q", 2) + b"{}", b"\xff" * 64):
        answer = guarded.client.post(
            "/v1/models", content=content, params={"name": "w.safetensors"}, headers=bearer(TOKEN)
        )
        assert (answer.status_code, answer.json()["parameter"]) == (422, "w.safetensors")


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_bad_bodies_are_refused(server: Running, count: int) -> None:
    """Cut, turned, repeated, and of other shapes."""
    rng = random.Random(0)
    good = json.dumps({"values": {"x": "0" * 64, "radius": 1}, "saving": {"depth": 8}, "keep": False}).encode()
    shapes = [
        b"[]",
        b"null",
        b"1e999",
        b'{"values": []}',
        b'{"values": {"radius": 1e400}}',
        b"[" * 5000,
        b'{"saving": 3}',
        b"\xff\xfe",
    ]
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        for number in range(count):
            body = bytearray(rng.choice([good, *shapes]))
            for _ in range(rng.randrange(4)):
                if body:
                    at = rng.randrange(len(body))
                    body[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
            kinds = ["application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""]
            answer = client.post("/v1/run/median", content=bytes(body), headers={"content-type": rng.choice(kinds)})
            assert 400 <= answer.status_code < 500, (number, body, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


NESTED = json.loads("[" * 40 + "]" * 40)
ODD: list[Any] = [[1], [], {}, {"x": 1}, "abc", "", 3, 0, -1, 1.5, True, False, [["x"]], [{"x": 1}], NESTED,
                  {"x": [NESTED]}, 10**300, "9" * 5000, "\0", "x" * 100_000]  # fmt: skip


def test_bodies_of_another_shape_are_no_errors_of_the_service(tmp_path: Path) -> None:
    """Each member of each body is given lists, objects, numbers and texts where others are meant; it names itself."""
    picture = "0" * 64
    bodies: dict[str, dict[str, Any]] = {
        "/v1/run/median": {"values": {"x": picture}, "saving": {}, "keep": False},
        "/v1/run": {"picture": picture, "steps": [{"task": "flip"}], "saving": {}, "keep": False},
        "/v1/replay": {"picture": picture},
        "/v1/jobs": {"task": "median", "values": {"x": [picture]}, "saving": {}, "title": ""},
        "/v1/jobs?chain": {"pictures": [picture], "steps": [{"task": "flip"}], "saving": {}, "title": ""},
        "/v1/jobs/none/resume": {"budget": "1m"},
        "/v1/gallery": {"files": [picture], "title": ""},
        "/v1/gallery/zip": {"items": ["none"]},
        "/v1/datasets/none/check": {"family": None},
        "/v1/session": {"token": "none"},
    }
    with running(tmp_path, limits={"json_bytes": 1 << 20}) as server:
        for path, body in bodies.items():
            for member in body:
                for odd in ODD:
                    answer = server.client.post(path, json={**body, member: odd})
                    assert answer.status_code < 500, (path, member, odd, answer.text)
            for text in (
                "[" * 100_000,
                "{",
                "null",
                "[]",
                '{"title": "\\ud800"}',
                '{"x": ' + "[" * 900 + "]" * 900 + "}",
            ):
                answer = server.client.post(path, content=text)
                assert answer.status_code in (400, 422), (path, text[:20], answer.text)
        for member in ("values", "saving"):
            for odd in ([1], [], "abc", "", 0, False):
                for path in ("/v1/run/median", "/v1/jobs"):
                    told = server.client.post(path, json={**bodies[path], member: odd}).json()
                    assert (told["parameter"], told["detail"]) == (member, "is not a JSON object"), (path, odd)


def test_a_client_that_goes_away_in_mid_upload_leaves_nothing(server: Running) -> None:
    for kind in ("image/png", "multipart/form-data; boundary=x"):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            head = f"POST /v1/pictures HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 99999\r\n"
            part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            raw.sendall(f"{head}Content-Type: {kind}\r\n\r\n".encode() + part + b"\1" * 5000)
        wait_for(lambda: not any(server.service.incoming.iterdir()))
    assert server.client.get("/healthz").status_code == 200


def test_a_port_or_a_folder_in_use_is_said(server: Running) -> None:
    with pytest.raises(OutputError, match="cannot be listened on"):
        _listening("127.0.0.1", server.port)
    with pytest.raises(OutputError, match="another service"):
        application(Settings(folder=server.service.folder))


def test_a_folder_of_a_newer_danqing_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "service.json").write_text('{"format": 99}')
    with pytest.raises(OutputError, match="newer danqing"):
        application(Settings(folder=tmp_path))
    assert (tmp_path / "service.json").read_text() == '{"format": 99}'


def test_requests_of_one_address_are_counted_whatever_name_it_gives_itself(tmp_path: Path) -> None:
    with running(tmp_path, limits={"requests_per_minute": 5}) as server:
        got = [server.client.get("/healthz", headers={"Danqing-Client": "a"}) for _ in range(7)]
        assert [each.status_code for each in got] == [200] * 5 + [429] * 2
        assert got[-1].headers["retry-after"] == "60"
        for headers in ({"Danqing-Client": "b"}, bearer("another")):
            assert server.client.get("/healthz", headers=headers).status_code == 429

"""The service: live looks, requests under load, memory, and the same beside a training

A service in a process of its own, asked over HTTP and WebSocket from this one, on the same cores. A look is one wish
and its picture, one after the other; a slider moves `vignette` over a picture of 64×64, painting is `generate` with an
untrained `dcgan` of 64×64 in colour. Under load each client asks anew when it has its answer; no work is asked for
twice. The training is a `dcgan` of 28×28 on digits, a job of the same service.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import torch
from websockets.asyncio.client import connect

from danqing.core.learned.families import family_named
from danqing.core.learned.weights import save
from danqing.core.pictures.writing import write

LOOKS = 60
CLIENTS = (1, 8, 32)
NUMBERS = itertools.count(1)  # of requests, so that none is asked for twice

Ask = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


@contextmanager
def service(folder: Path) -> Iterator[tuple[str, int]]:
    """A service in a process of its own: its address, and its process."""
    command = [sys.executable, "-P", "-m", "danqing", "serve", "--port", "0", "--folder", str(folder / "service")]
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen(command, stderr=log, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
        try:
            while "http://" not in (text := (folder / "log").read_text()):
                time.sleep(0.05)
            url = next(word for word in text.split() if word.startswith("http://"))
            while httpx.get(f"{url}/readyz").status_code != 200:
                time.sleep(0.1)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def send(url: str, folder: Path) -> dict[str, str]:
    """A photograph of 512x512 and a painter of 64x64, sent; their ids."""
    from skimage import data

    pixels = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None].float() / 255
    small = write(pixels[..., ::8, ::8].contiguous(), folder / "small.png", force=True)
    photo = write(pixels, folder / "photo.png", force=True)
    painter = folder / "painter.safetensors"
    save(family_named("dcgan")(size=64, channels=3), painter)
    ids = {
        file.stem: httpx.post(f"{url}/v1/pictures", params={"name": file.name}, content=file.read_bytes()).json()
        for file in (small, photo)
    }
    answer = httpx.post(f"{url}/v1/models", params={"name": painter.name}, content=painter.read_bytes(), timeout=60)
    kept = {name: told["pictures"][0]["id"] for name, told in ids.items()}
    return {**kept, "painter": answer.json()["id"]}


async def looks(url: str, wish: Callable[[int], dict[str, Any]]) -> dict[str, float]:
    """Milliseconds from a wish to its picture, one after the other."""
    times = []
    async with connect(url.replace("http", "ws") + "/v1/live", max_size=None) as line:
        for number in range(LOOKS + 5):
            began = time.perf_counter()
            await line.send(json.dumps({"id": number, **wish(number)}))
            while (facts := json.loads(await line.recv()))["type"] == "progress":
                continue
            assert facts["type"] == "result", facts
            await line.recv()
            times.append((time.perf_counter() - began) * 1000)
    return quantiles(times[5:])


async def load(url: str, clients: int, seconds: float, ask: Ask) -> dict[str, float]:
    """Requests of several clients for a while, each asking anew when it has its answer."""
    times: list[float] = []
    errors = 0
    until = time.perf_counter() + seconds

    async def one(client: httpx.AsyncClient) -> None:
        nonlocal errors
        while time.perf_counter() < until:
            began = time.perf_counter()
            answer = await ask(client, next(NUMBERS))
            times.append((time.perf_counter() - began) * 1000)
            errors += answer.status_code != 200

    limits = httpx.Limits(max_connections=clients)
    began = time.perf_counter()
    async with httpx.AsyncClient(base_url=url, timeout=300, limits=limits) as client:
        await asyncio.gather(*(one(client) for _ in range(clients)))
    took = time.perf_counter() - began
    facts = {"clients": clients, "requests": len(times), "errors": errors, "per_second": round(len(times) / took, 2)}
    return {**facts, **quantiles(times)}


def quantiles(times: list[float]) -> dict[str, float]:
    """Median and upper quantiles, in milliseconds."""
    if len(times) < 2:
        return {"p50": round(times[0], 1)} if times else {}
    cut = statistics.quantiles(times, n=100, method="inclusive")
    return {f"p{at}": round(cut[at - 1], 1) for at in (50, 90, 95, 99)}


def megabytes(process: int) -> float:
    """What a process holds in memory."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def figures(seconds: float, many: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as scratch, service(Path(scratch)) as (url, process):
        ids = send(url, Path(scratch))
        found: dict[str, Any] = {"load_before": os.getloadavg()[0], "seconds": seconds}

        def denoise(client: httpx.AsyncClient, at: int) -> Awaitable[httpx.Response]:
            values = {"x": ids["photo"], "sigma": 5 + at / 1000}
            return client.post("/v1/run/denoise", json={"values": values}, headers={"Accept": "image/*"})

        def generate(client: httpx.AsyncClient, at: int) -> Awaitable[httpx.Response]:
            values = {"weights": ids["painter"], "count": 1, "seed": str(at)}
            return client.post("/v1/run/generate", json={"values": values}, headers={"Accept": "image/*"})

        def small(client: httpx.AsyncClient, at: int) -> Awaitable[httpx.Response]:
            values = {"x": ids["small"], "strength": (at % 1000) / 1000}
            return client.post("/v1/run/vignette", json={"values": values}, headers={"Accept": "image/*"})

        def slider(at: int) -> dict[str, Any]:
            return {"task": "vignette", "values": {"x": ids["small"], "strength": at % 100 / 100}}

        def paint(at: int) -> dict[str, Any]:
            return {"task": "generate", "values": {"weights": ids["painter"], "count": 1, "seed": str(at)}}

        found["slider 64x64 (ms)"] = asyncio.run(looks(url, slider))
        found["painting 64x64 (ms)"] = asyncio.run(looks(url, paint))
        found["denoise 512x512"] = [asyncio.run(load(url, each, seconds, denoise)) for each in CLIENTS]
        found["generate 64x64"] = [asyncio.run(load(url, each, seconds, generate)) for each in CLIENTS]
        asyncio.run(load(url, 4, 5, small))
        before = megabytes(process)
        began = time.perf_counter()
        count = 0
        while count < many:
            count += int(asyncio.run(load(url, 4, 5, small))["requests"])
        after, took = round(megabytes(process)), round(time.perf_counter() - began)
        found["memory"] = {"requests": count, "before_mb": round(before), "after_mb": after, "seconds": took}
        incoming = Path(scratch) / "service" / "incoming"
        found["memory"]["temporary_files_left"] = len(list(incoming.iterdir()))
        training = {"task": "train-dcgan", "values": {"data": "digits", "budget": "10m"}}
        job = httpx.post(f"{url}/v1/jobs", json=training).json()["id"]
        while not httpx.get(f"{url}/v1/jobs/{job}/log").json()["rows"]:
            time.sleep(1)
        found["beside a training"] = {
            "slider 64x64 (ms)": asyncio.run(looks(url, slider)),
            "painting 64x64 (ms)": asyncio.run(looks(url, paint)),
            "generate 64x64": [asyncio.run(load(url, 8, seconds, generate))],
        }
        httpx.post(f"{url}/v1/jobs/{job}/cancel")
        found["load_after"] = os.getloadavg()[0]
        return found


def run() -> dict[str, Any]:
    """Measure all of it."""
    seconds, many = float(os.environ.get("SECONDS_EACH", "60")), int(os.environ.get("REQUESTS", "2000"))
    return figures(seconds, many)


def table(result: dict[str, Any]) -> str:
    """The figures as tables."""
    beside = result["beside a training"]
    looks_ = ["| | p50 ms | p90 ms | p99 ms |", "|---|---|---|---|"]
    for words, each in (
        ("slider, 64×64", result["slider 64x64 (ms)"]),
        ("slider, beside a training", beside["slider 64x64 (ms)"]),
        ("painting, 64×64", result["painting 64x64 (ms)"]),
        ("painting, beside a training", beside["painting 64x64 (ms)"]),
    ):
        looks_.append(f"| {words} | {each['p50']} | {each['p90']} | {each['p99']} |")
    loads = ["| | clients | requests/s | p50 ms | p95 ms | p99 ms | errors |", "|---|---|---|---|---|---|---|"]
    for words, rows in (
        ("denoise 512×512", result["denoise 512x512"]),
        ("generate 64×64", result["generate 64x64"]),
        ("generate, beside a training", beside["generate 64x64"]),
    ):
        for each in rows:
            facts = [each.get(name, "") for name in ("clients", "per_second", "p50", "p95", "p99", "errors")]
            loads.append(f"| {words} | {' | '.join(map(str, facts))} |")
    memory = result["memory"]
    words = (
        f"{memory['requests']} requests took the service from {memory['before_mb']} to {memory['after_mb']} MB and "
        f"left {memory['temporary_files_left']} temporary files. Each load lasted {result['seconds']:g} s. The "
        f"machine was shared: its load was {result['load_before']:.1f} before and {result['load_after']:.1f} after."
    )
    return "\n".join([*looks_, "", *loads, "", words])

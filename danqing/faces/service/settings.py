"""What a service is started with: where it listens and keeps things, who may ask, and how much at once."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from danqing.core.errors import ParameterError

PORT = 7860


@dataclass(frozen=True)
class Limits:
    """How much one request, or one client, may ask for.

    Attributes:
        upload_bytes: of a picture or of weights.
        dataset_bytes: of a zip of pictures.
        json_bytes: of any other body.
        pixels: of a picture.
        count: pictures that are painted at once.
        batch: pictures that one request names.
        steps: of a chain.
        seconds: that a request may compute; what takes longer is a job.
        requests_per_minute: of one address.
        wrong_tokens_per_minute: of one address.
        waiting: requests that wait to be computed.
        jobs_queued: jobs that wait.
    """

    upload_bytes: int = 512 << 20
    dataset_bytes: int = 8 << 30
    json_bytes: int = 4 << 20
    pixels: int = 180_000_000
    count: int = 1024
    batch: int = 4096
    steps: int = 32
    seconds: float = 120.0
    requests_per_minute: int = 60_000
    wrong_tokens_per_minute: int = 20
    waiting: int = 256
    jobs_queued: int = 64

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Settings:
    """How a service is run.

    Attributes:
        folder: where pictures, results, jobs and models are kept; of this service alone.
        host: the address to listen on.
        port: 0 takes any that is free.
        token: what clients must send; empty: none, on this machine alone.
        pictures: folders whose sub-folders are offered as sets of pictures.
        hosts: names, beside its own, that the service is called by.
        origins: pages elsewhere that may ask it.
        cancel_grace: seconds that a cancelled job has to end by itself.
        pause_grace: seconds that a paused one has, to save its state.
        nice: how far jobs stand back behind what is asked for at once, as of ``nice``.
        on: where jobs have pictures worked on, as :func:`danqing.core.runs.cluster.place_named` reads it; empty: here.
    """

    folder: Path = field(default_factory=lambda: user_data_path("danqing", appauthor=False) / "service")
    host: str = "127.0.0.1"
    port: int = PORT
    token: str = ""
    pictures: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    cancel_grace: float = 1.5
    pause_grace: float = 60.0
    nice: int = 10
    on: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def sets(self) -> dict[str, Path]:
        """The sets of pictures in folders of this machine, by the name that stands for each."""
        found: dict[str, Path] = {}
        for folder in self.pictures:
            inner = [each for each in sorted(folder.iterdir()) if each.is_dir() and each.name[0] != "."]
            for each in inner or [folder]:
                found.setdefault(f"folder-{each.name}", each)
        return found


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def token_for(host: str, given: str | None) -> str:
    """The token of a service that listens there: the one given, or that of the environment, or a new one.

    Raises:
        ParameterError: for a token that can be guessed.
    """
    token = given or os.environ.get("DANQING_TOKEN", "")
    if token and len(token) < 16:
        raise ParameterError("is too short to be safe", where="token", remedy="Take 16 characters or more")
    return token or ("" if is_loopback(host) else secrets.token_urlsafe(24))


__all__ = ["PORT", "Limits", "Settings", "is_loopback", "token_for"]

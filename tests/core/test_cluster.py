"""Work on a cluster: the same files as without, whatever becomes of a worker."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from danqing.core.errors import DanqingError, DataError, ModelFileError, ParameterError, PictureError, UserError
from danqing.core.learned.families import family_named
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.core.runs.cluster import Cluster, Worker, place_named
from danqing.core.runs.folders import Folders
from danqing.core.runs.order import Order, Outcome
from danqing.core.runs.parcel import Parcel
from danqing.core.runs.run import Result, run
from danqing.faces.cli import cli

SIDE = 96


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for seed in range(6):
        rng = torch.Generator().manual_seed(seed)
        smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 5, 6, generator=rng), (SIDE, SIDE + 7))
        write(smooth, folder / ("deep" if seed % 2 else "") / f"{seed}.{'jpg' if seed % 3 else 'png'}")
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def orders(name: str, photos: Path, out: Path, **values: Any) -> list[Order]:
    return Folders([photos], out_dir=out).orders(operator_named(name), values)


def work(name: str, photos: Path, out: Path, place: Cluster | None = None, **values: Any) -> Result:
    return finish(run(operator_named(name), values, Folders([photos], out_dir=out), place))


def contents(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def told(outcomes: list[Outcome], out: Path) -> list[tuple[Any, ...]]:
    """Outcomes without the folder they went to."""
    return [
        (each.source, each.state, [file.relative_to(out) for file in each.files], str(each.error), each.notes)
        for each in outcomes
    ]


def test_an_order_travels_without_its_weights(photos: Path, tmp_path: Path) -> None:
    order = orders("denoise", photos, tmp_path / "out", sigma=20.0)[0]
    parcel = Parcel.of(order)
    assert not any(isinstance(value, torch.nn.Module) for value in parcel.values.values())
    first, second = parcel.opened(), parcel.opened()
    models = [name for name, value in order.call.values.items() if isinstance(value, torch.nn.Module)]
    for name in models:
        assert first.call.values[name] is second.call.values[name]  # loaded once in a process
    assert (first.inputs, first.target, first.saving) == (order.inputs, order.target, order.saving)
    assert first.step(first.target, None) == order.step(order.target, None)  # type: ignore[arg-type]


def test_a_relative_path_is_whole_on_its_way(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parcel = Parcel.of(orders("median", Path("photos"), Path("out"))[0])
    monkeypatch.chdir("/")
    assert parcel.opened().inputs["x"].is_file()
    assert parcel.target is not None
    assert parcel.target.parent == tmp_path / "out"


def test_a_worker_does_what_this_process_does(photos: Path, tmp_path: Path) -> None:
    here = work("median", photos, tmp_path / "here")
    made = [Worker().fill(Parcel.of(each), False) for each in orders("median", photos, tmp_path / "there")]
    assert told(made, tmp_path / "there") == told(here.outcomes, tmp_path / "here")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert [each.state for each in made].count("failed") == 1
    again = [Worker().fill(Parcel.of(each), False) for each in orders("median", photos, tmp_path / "there")]
    assert [each.state for each in again].count("skipped") == 6


def test_a_stopped_worker_keeps_nothing(photos: Path, tmp_path: Path) -> None:
    worker = Worker()
    worker.stop()
    outcome = worker.fill(Parcel.of(orders("median", photos, tmp_path / "out")[0]), False)
    assert outcome.state == "failed"
    assert contents(tmp_path / "out") == {}


def test_what_a_worker_does_not_see_is_named(photos: Path, tmp_path: Path) -> None:
    parcel = Parcel.of(orders("median", photos, tmp_path / "out")[0])
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(DataError, match=r"is not seen by a worker.*every machine") as caught:
        parcel.opened()
    assert caught.value.where == str(tmp_path / "out")


def test_other_weights_under_the_same_path_are_refused(photos: Path, tmp_path: Path) -> None:
    parcel = Parcel.of(orders("denoise", photos, tmp_path / "out")[0])
    others = {"weights": ("denoise-tiny", "0" * 64)}
    with pytest.raises(ModelFileError, match="is another file where a worker sees it"):
        replace(parcel, weights=others).opened()


def test_another_danqing_is_refused(photos: Path, tmp_path: Path) -> None:
    parcel = replace(Parcel.of(orders("median", photos, tmp_path / "out")[0]), danqing="0.0.1")
    with pytest.raises(DanqingError, match=r"and 0\.0\.1 was asked"):
        parcel.opened()


def test_a_model_in_memory_does_not_travel() -> None:
    model = family_named("vae")(size=16, channels=1, classes=0, dim=3, width=4)  # type: ignore[call-arg]
    order = Folders(out="grid.png").orders(operator_named("generate"), {"weights": model})[0]
    with pytest.raises(ParameterError, match="is a model in memory"):
        Parcel.of(order)


@pytest.mark.parametrize("on", ["spark", "ray:", "ray://", "Ray", "rays:auto"])
def test_a_place_that_there_is_not(on: str) -> None:
    with pytest.raises(ParameterError, match="is no place to work"), place_named(on):
        pass


def test_a_place_that_there_is_not_leaves_with_code_2(photos: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["median", str(photos), "--out-dir", str(tmp_path / "out"), "--on", "spark"])
    assert result.exit_code == 2
    assert "'spark' is no place to work" in result.output
    assert "--on" in result.output
    assert not (tmp_path / "out").exists()


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"Ray is not installed\. pip install 'danqing\[cluster\]'"), place_named("ray"):
        pass


def test_no_place_is_this_process() -> None:
    with place_named(None) as place:
        assert place is None


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    pytest.importorskip("ray")
    made = Cluster(cores=2)
    yield made
    made.close()


def test_a_cluster_makes_the_same_files(cluster: Cluster, photos: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    expected, made = work("denoise", photos, here), work("denoise", photos, there, cluster)
    assert contents(there) == contents(here)
    assert told(made.outcomes, there) == told(expected.outcomes, here)
    assert isinstance(made.of("failed")[0].error, PictureError)
    again = work("denoise", photos, there, cluster)
    assert [each.state for each in again.outcomes] == ["failed" if each.error else "skipped" for each in made.outcomes]


@pytest.mark.slow
def test_one_picture_raises_its_own_error(cluster: Cluster, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        finish(run(operator_named("median"), {}, Folders([photos / "bad.png"], out_dir=tmp_path / "out"), cluster))


@pytest.mark.slow
def test_numbers_come_back(cluster: Cluster, photos: Path) -> None:
    store = Folders([photos / "0.png"])
    expected = finish(run(operator_named("noise_level"), {}, store))
    made = finish(run(operator_named("noise_level"), {}, store, cluster))
    assert made.outcomes[0].numbers == expected.outcomes[0].numbers
    assert made.made is not None
    assert expected.made is not None
    assert made.made.words() == expected.made.words()


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_repeats_nothing(cluster: Cluster, photos: Path, tmp_path: Path) -> None:
    import ray

    here, there = tmp_path / "here", tmp_path / "there"
    expected = work("bm3d", photos, here)
    job, killed, kept = run(operator_named("bm3d"), {}, Folders([photos], out_dir=there), cluster), set(), {}
    while True:
        try:
            progress = next(job)
        except StopIteration as end:
            made = end.value
            break
        if progress.done >= 2 and not killed:
            kept = {file: file.stat().st_mtime_ns for file in there.rglob("[!.]*") if file.is_file()}
            for worker in cluster.workers:
                pid = ray.get(worker.where.remote())[1]
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
    assert killed
    assert kept
    assert contents(there) == contents(here)
    assert [each.state == "failed" for each in made.outcomes] == [each.state == "failed" for each in expected.outcomes]
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert not killed & {ray.get(worker.where.remote())[1] for worker in cluster.workers}


@pytest.mark.slow
def test_stopping_ends_the_workers(cluster: Cluster, photos: Path, tmp_path: Path) -> None:
    job = run(operator_named("bm3d"), {}, Folders([photos], out_dir=tmp_path / "out"), cluster)
    while next(job).done < 1:
        pass
    job.close()
    for file in (tmp_path / "out").rglob("[!.]*"):
        assert file.is_dir() or file.stat().st_size > 0
    assert len(work("bm3d", photos, tmp_path / "out", cluster).of("failed")) == 1  # and it goes on later

"""Worker processes give the numbers of one process, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

import fusionzoo
from fusionzoo import bench, compare, datasets, engines, grid, image, metrics, store
from fusionzoo.core import FusionZooError, Sample
from fusionzoo.corruption import Corruption
from fusionzoo.engines.job import Job, Tool, checked
from fusionzoo.engines.local import Local
from fusionzoo.measure import Outcome
from fusionzoo.plan import Due, Grid

NAMES = [f"{i:02}" for i in range(12)]


@pytest.fixture
def root(tmp_path: Path, draw: Callable) -> Path:
    """Data root with twelve pairs that are laid out like TNO."""
    write_pairs(tmp_path / "data", draw, NAMES, 48, 64)
    return tmp_path / "data"


def write_pairs(data: Path, draw: Callable, names: list[str], height: int, width: int) -> None:
    for seed, name in enumerate(names):
        for role, shift in (("visible", 0), ("infrared", 100)):
            path = data / "TNO" / role / f"{name}.png"
            image.write(path, draw(height, width, 1, seed + shift))


def cells(root: Path, out: Path, **changes: object) -> Grid:
    name, entry, listing = grid.open_dataset("tno", root)
    methods = [fusionzoo.load(method, device="cpu") for method in ("average", "laplacian")]
    chosen = metrics.select("EN,SSIM,SF")
    return replace(bench.Grid(name, entry, listing, methods, chosen, out, data=root), **changes)


def numbers(out: Path) -> dict[str, str]:
    """Every result file without what is measured in seconds."""
    found = {}
    for path in sorted(out.glob("*/*.json")):
        lines = path.read_text().splitlines()
        found[path.name] = "\n".join(line for line in lines if not line.startswith(' "seconds"'))
    return found


def interfering(
    engine: Local, act: Callable[[Local], None], after: int
) -> Callable[[Grid, Due], Iterator[Outcome]]:
    """The engine's `compute`, and an act between two of its outcomes."""

    def compute(cells: Grid, due: Due) -> Iterator[Outcome]:
        for count, outcome in enumerate(engine.compute(cells, due), 1):
            yield outcome
            if count == after:
                act(engine)

    return compute


def kill_one(engine: Local) -> None:
    os.kill(engine.processes()[0], signal.SIGKILL)


def test_workers_give_the_numbers_of_one_process_even_if_one_is_killed(
    tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noisy = {"corruption": Corruption("noise", 2)}
    bench.run(cells(root, tmp_path / "one"))
    bench.run(cells(root, tmp_path / "one", **noisy))
    with engines.engine("local", workers=2, threads=1) as machine:
        bench.run(cells(root, tmp_path / "two"), compute=machine.compute)
        before = machine.processes()
        assert not caplog.records
        compute = interfering(machine, kill_one, after=3)
        bench.run(cells(root, tmp_path / "two", **noisy), compute=compute)
        assert before[1] in machine.processes(), "workers serve one grid after the other"
        assert before[0] not in machine.processes()
    assert "killed by SIGKILL" in caplog.text
    assert len(numbers(tmp_path / "one")) == 2
    for folder in ("tno", "tno~noise-2"):
        for path in (tmp_path / "one" / folder).glob("*.png"):
            assert path.read_bytes() == (tmp_path / "two" / folder / path.name).read_bytes()
    assert numbers(tmp_path / "two") == numbers(tmp_path / "one")
    assert compare.differences(tmp_path / "one", tmp_path / "two") == []
    for process in before:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@dataclass(frozen=True)
class Deadly:
    """Ends the process that loads one picture, until it has ended as many as it may."""

    picture: str
    deaths: int
    counter: Path
    condition: str = "deadly-1"
    key: str = "deadly"

    def __call__(self, sample: Sample) -> dict[str, torch.Tensor]:
        if sample.name == self.picture and len(list(self.counter.iterdir())) < self.deaths:
            (self.counter / str(os.getpid())).touch()
            os._exit(7)
        return {}


@pytest.mark.parametrize(("deaths", "survives"), [(2, True), (99, False)])
def test_a_picture_that_kills_its_worker(
    tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture, deaths: int, survives: bool
) -> None:
    (tmp_path / "counter").mkdir()
    deadly = cells(
        root, tmp_path / "out", corruption=Deadly(NAMES[4], deaths, tmp_path / "counter")
    )
    with engines.engine("local", workers=2, threads=1) as machine:
        if survives:
            found = bench.run(deadly, compute=machine.compute)
            assert [len(result.records) for result in found] == [12, 12]
            assert not any(result.failed for result in found)
        else:
            with pytest.raises(FusionZooError, match="worker for 04 died 4 times"):
                bench.run(deadly, compute=machine.compute)
            known = store.known_records(deadly.cell(deadly.predictors[0]))
            assert set(known) >= set(NAMES[:4])
            assert NAMES[4] not in known
    assert caplog.text.count("exit code 7") == (2 if survives else 3)


@dataclass(frozen=True)
class Faulty:
    """A bug, or an error that the user must mend."""

    bug: bool
    condition: str = "faulty-1"
    key: str = "faulty"

    def __call__(self, sample: Sample) -> dict[str, torch.Tensor]:
        if self.bug:
            raise ZeroDivisionError("the bug")
        return {"visible": sample.images["visible"] * float("nan")}


def test_errors_on_a_worker_are_seen(tmp_path: Path, root: Path) -> None:
    with engines.engine("local", workers=2, threads=1) as machine:
        found = bench.run(
            cells(root, tmp_path / "a", corruption=Faulty(False)), compute=machine.compute
        )
        assert [len(result.failed) for result in found] == [12, 12]
        assert "NaN" in found[0].failed[0].error
        with pytest.raises(RuntimeError, match="ZeroDivisionError: the bug"):
            bench.run(cells(root, tmp_path / "b", corruption=Faulty(True)), compute=machine.compute)
        assert machine.processes() == []


def test_workers_check_data_weights_and_version(tmp_path: Path, root: Path, draw: Callable) -> None:
    here = cells(root, tmp_path)
    job = Job.of(here)
    assert hash(job) == hash(Job.of(here))
    rebuilt = job.build()
    assert [p.key for p in rebuilt.predictors] == [p.key for p in here.predictors]
    item = here.listing.items[0]
    right = {0: here.key(here.predictors[0], item)}
    assert list(checked(rebuilt, [(item.name, right)])) == [(item.name, right)]
    with pytest.raises(FusionZooError, match="tno 00 has other content"):
        list(checked(rebuilt, [(item.name, {0: "another"})]))
    with pytest.raises(FusionZooError, match="install the same version"):
        replace(job, version="0").build()
    other = replace(job.tools[0], key="another")
    with pytest.raises(FusionZooError, match="average has other weights"):
        replace(job, tools=(other,)).build()
    image.write(root / "TNO" / "visible" / "99.png", draw(48, 64))
    image.write(root / "TNO" / "infrared" / "99.png", draw(48, 64))
    with pytest.raises(FusionZooError, match="other pictures here"):
        job.build()


def test_methods_are_rebuilt_with_their_settings() -> None:
    for method in (
        fusionzoo.load("sage", device="cpu", tile=256, stretch=True),
        fusionzoo.load("tc_moa", device="cpu", task="mef").turned(alpha=0.5),
        fusionzoo.load("mitnet+sage", device="cpu"),
    ):
        again = Tool.of(method).load()
        assert (again.key, again.label, again.tile) == (method.key, method.label, method.tile)
        assert again.method.inputs == method.method.inputs


def test_a_dataset_without_a_name_is_for_this_process(tmp_path: Path, pairs: Path) -> None:
    entry = datasets.folder(visible=pairs / "visible", infrared=pairs / "infrared")
    own = bench.Grid("own", entry, entry.listing(None, "all"), [], metrics.select("EN"), tmp_path)
    with pytest.raises(FusionZooError, match="'own' is not in the catalogue"):
        Job.of(own)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "slurm"}, "use local or ray"),
        ({"name": "local", "address": "auto"}, "--address is of"),
        ({"name": "ray", "workers": 2}, "--workers is of"),
    ],
)
def test_settings_of_the_other_engine_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(FusionZooError, match=message):
        engines.engine(**settings)


def children(process: int) -> list[int]:
    """Processes that were started by a process."""
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def alive(process: int) -> bool:
    """Whether it runs; one that has ended but was not waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_no_process_and_another_engine_goes_on(
    tmp_path: Path, root: Path, draw: Callable, stop: signal.Signals
) -> None:
    # Work for seconds: a busy machine may deliver the signal late.
    write_pairs(root, draw, [f"large{i:02}" for i in range(40)], 480, 640)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "fusionzoo.cli", "bench", "--methods", "average,laplacian",
               "--datasets", "tno", "--data", str(root), "--metrics", "EN,SSIM,SF", "--out",
               str(out), "--workers", "2", "--threads", "1"]  # fmt: skip
    started = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    partial = out / "tno" / "average.partial.jsonl"
    while not partial.exists():
        assert started.poll() is None, "finished before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    workers = children(started.pid)
    if stop == signal.SIGINT:
        os.killpg(started.pid, stop)  # as a terminal does
    else:
        os.kill(started.pid, stop)
    _, told = started.communicate(timeout=60)
    while any(alive(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(workers) >= 2
    assert b"Traceback" not in told
    if stop == signal.SIGINT:
        assert started.returncode == 130
        assert b"the same command goes on" in told
    kept = store.known_records(out / "tno" / "average.json")
    assert kept
    bench.run(cells(root, out))
    bench.run(cells(root, tmp_path / "whole"))
    assert compare.differences(out, tmp_path / "whole") == []
    final = {r.image: r.seconds for r in store.read(out / "tno" / "average.json").records}
    assert {name: final[name] for name in kept} == {n: r.seconds for n, r in kept.items()}

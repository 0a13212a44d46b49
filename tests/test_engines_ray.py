"""A Ray cluster of two nodes on this machine gives the numbers of one process, whatever dies."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import fusionzoo
from fusionzoo import bench, compare, engines, grid, image, metrics
from fusionzoo.core import FusionZooError, Sample
from fusionzoo.engines.job import Job
from fusionzoo.measure import Outcome, measure
from fusionzoo.plan import Due, Grid

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
ABSENT = "Ray is not installed: pip install 'fusionzoo[ray]'"
HERE = Path(__file__).parent
NAMES = [f"{i:02}" for i in range(16)]
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "node_ip_address": "127.0.0.1"}
CHECKS = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000,
          "health_check_timeout_ms": 10000, "health_check_failure_threshold": 5}  # fmt: skip
"""A node that is gone is missed after five seconds, a slow one only after fifty."""


@dataclass(frozen=True)
class Slow:
    """Half of the visible light, after a while: so that there is a middle to kill in."""

    seconds: float = 0.2
    condition: str = "slow-1"
    key: str = "slow"

    def __call__(self, sample: Sample) -> dict[str, torch.Tensor]:
        time.sleep(self.seconds)
        return {"visible": sample.images["visible"] / 2}


def soon(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether something comes true within that time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Two nodes with one processor each, bound to the loopback address, without dashboard."""
    # Read when Ray is imported: it keeps 127.0.0.1 from being replaced by an outer address.
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", f"{HERE.parent}{os.pathsep}{HERE}")
    pytest.importorskip("ray", reason=ABSENT)
    from ray.cluster_utils import Cluster

    head = NODE | {"include_dashboard": False, "_system_config": CHECKS}
    started = Cluster(initialize_head=True, head_node_args=head)
    try:
        second = started.add_node(**NODE)
        started.wait_for_nodes()
        yield SimpleNamespace(address=started.address, all=started, second=second)
    finally:
        started.shutdown()


@pytest.fixture
def root(tmp_path: Path, draw: Callable) -> Path:
    """Data root with sixteen pairs that are laid out like TNO."""
    for seed, name in enumerate(NAMES):
        for role, shift in (("visible", 0), ("infrared", 100)):
            path = tmp_path / "data" / "TNO" / role / f"{name}.png"
            image.write(path, draw(48, 64, 1, seed + shift))
    return tmp_path / "data"


def cells(root: Path, out: Path, **changes: object) -> Grid:
    name, entry, listing = grid.open_dataset("tno", root)
    methods = [fusionzoo.load(method, device="cpu") for method in ("average", "laplacian")]
    chosen = metrics.select("EN,SSIM,SF,Qabf")
    return replace(bench.Grid(name, entry, listing, methods, chosen, out, data=root), **changes)


def busy_worker() -> int | None:
    """Process id of a Ray worker that is at our work, if one is just now."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::work"):
                return int(path.parent.name)
        except OSError:
            continue
    return None


class StoppedError(Exception):
    """What stops the run in one process."""


def test_a_cluster_that_loses_a_worker_and_a_node_gives_the_numbers_of_one_process(
    tmp_path: Path, root: Path, cluster: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    bench.run(cells(root, one))
    bench.run(cells(root, one, corruption=Slow(0)))
    told: list[str] = []
    killed: list[int] = []

    def begun(cells: Grid, due: Due) -> Iterator[Outcome]:
        for outcome in measure(cells, due):
            if len(told) == 2:
                raise StoppedError
            told.append(outcome.image)
            yield outcome

    with pytest.raises(StoppedError):
        bench.run(cells(root, many, corruption=Slow()), compute=begun)

    def interfering(cells: Grid, due: Due) -> Iterator[Outcome]:
        for outcome in machine.compute(cells, due):
            told.append(outcome.image)
            yield outcome
            # On a slow machine all that was handed out may be done while this process waits.
            if len(told) >= 5 and not killed and (worker := busy_worker()):
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
            elif killed and len(told) >= 8 and len(killed) == 1:
                cluster.all.remove_node(cluster.second, allow_graceful=False)
                killed.append(0)

    with engines.engine("ray", address=cluster.address) as machine:
        import ray

        assert [node["Resources"]["CPU"] for node in ray.nodes()] == [1, 1]
        assert {node["NodeManagerAddress"] for node in ray.nodes()} == {"127.0.0.1"}
        assert machine.device("auto") == "cpu"
        bench.run(cells(root, many), compute=machine.compute)
        bench.run(cells(root, many, corruption=Slow()), compute=interfering)
        # A node that had no task at the time may be missed only after the run has ended.
        assert soon(lambda: sum(node["Alive"] for node in ray.nodes()) == 1)

        with monkeypatch.context() as later:
            later.setattr(fusionzoo, "__version__", "9.9")
            with pytest.raises(FusionZooError, match=r"on a worker: .*install the same version"):
                bench.run(cells(root, tmp_path / "other"), compute=machine.compute)
        gpu = Job.of(cells(root, many, device="cuda"))
        assert machine.resources(gpu)["num_gpus"] == 1
        with pytest.raises(FusionZooError, match=r"has 1 processors and 0 GPUs; a task needs 1"):
            machine.slots(gpu)
    assert len(killed) == 2, "a worker and a node were lost"
    assert sorted(told) == NAMES, "nothing is lost, nothing is done twice"
    assert compare.differences(one, many) == []
    for path in one.rglob("*.png"):
        assert path.read_bytes() == (many / path.relative_to(one)).read_bytes()


@pytest.mark.skipif(find_spec("ray") is None, reason=ABSENT)
def test_nobody_at_the_address_is_said_at_once() -> None:
    with pytest.raises(FusionZooError, match=r"no Ray cluster at 127.0.0.1:1 .*refused"):
        engines.engine("ray", address="127.0.0.1:1")


def test_without_ray_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(FusionZooError, match=r"pip install 'fusionzoo\[ray\]'"):
        engines.engine("ray")

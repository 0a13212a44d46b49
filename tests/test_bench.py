"""The grid resumes at every picture, notices what changed, and never mixes."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

import fusionzoo
from fusionzoo import bench, datasets, grid, metrics, predictor, report, store
from fusionzoo.core import FusionZooError, Method, Sample, hash_of
from fusionzoo.predictor import Predictor


def small(out: Path, pairs: Path, names: str = "average,max", wanted: str = "EN,SSIM"):
    entry = datasets.folder(visible=pairs / "visible", infrared=pairs / "infrared")
    predictors = [fusionzoo.load(name, device="cpu") for name in names.split(",")]
    listing = entry.listing(None, "all")
    return bench.Grid("own", entry, listing, predictors, metrics.select(wanted), out)


class Counting:
    """A predictor's network that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, visible: torch.Tensor, infrared: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return (visible + infrared) / 2


def counted(cells: bench.Grid, **changes: object) -> tuple[bench.Grid, Counting]:
    network = Counting()
    entry = Method(network=lambda: network, inputs=("visible", "infrared"), **changes)
    return replace(cells, predictors=[Predictor("counting", entry, network)]), network


def test_results_hold_values_and_provenance(tmp_path: Path, pairs: Path) -> None:
    cells = small(tmp_path, pairs)
    found = bench.run(cells)
    assert [result.label for result in found] == ["average", "max"]
    plain = json.loads((tmp_path / "own" / "average.json").read_text())
    assert plain["schema"] == store.SCHEMA
    assert plain["images"] == ["a", "b", "c"]
    assert plain["provenance"]["list_hash"] == store.list_hash("abc")
    assert plain["provenance"]["torch"] == torch.__version__
    assert set(plain["metrics"]["SSIM"]["terms"]) == {"infrared", "visible"}
    assert plain["provenance"]["threads"] == torch.get_num_threads()
    assert plain["directions"] == {"EN": True, "SSIM": True}


def test_threads_of_workers_are_told_and_stay_when_nothing_is_computed(
    tmp_path: Path, pairs: Path
) -> None:
    cells = replace(small(tmp_path, pairs), threads=7)
    for grid_again in (cells, replace(cells, threads=2)):
        assert [r.provenance["threads"] for r in bench.run(grid_again)] == [7, 7]
    # A file of a version that did not note them is not given those of today.
    (path,) = tmp_path.rglob("max.json")
    plain = json.loads(path.read_text())
    del plain["provenance"]["threads"]
    path.write_text(json.dumps(plain))
    found = {r.method: r.provenance["threads"] for r in bench.run(replace(cells, threads=2))}
    assert found["max"] is None


def test_nothing_finished_is_recomputed(tmp_path: Path, pairs: Path) -> None:
    cells, network = counted(small(tmp_path, pairs))
    before = bench.run(cells)
    assert network.calls == 3
    again, network = counted(cells)
    assert [r.scores for r in bench.run(again)] == [r.scores for r in before]
    assert network.calls == 0


@pytest.mark.parametrize("change", ["input", "code", "metric", "new metric"])
def test_what_changed_is_computed_again(tmp_path: Path, pairs: Path, draw, change: str) -> None:
    cells, _ = counted(small(tmp_path, pairs))
    bench.run(cells)
    changes, expected = {}, 3
    if change == "input":
        from fusionzoo import image

        image.write(pairs / "visible" / "b.png", draw(40, 56, 3, 50))
        expected = 1
    elif change == "code":
        changes["code_version"] = 2
    elif change == "metric":
        first = replace(cells.metrics[0], version=99)
        cells = replace(cells, metrics=[first, *cells.metrics[1:]])
    else:
        cells = replace(cells, metrics=metrics.select("EN,SSIM,SD"))
    again, network = counted(cells, **changes)
    bench.run(again)
    assert network.calls == expected


def test_a_network_that_fails_on_one_picture_spares_the_others(tmp_path: Path, pairs: Path) -> None:
    class Failing(Counting):
        def __call__(self, visible: torch.Tensor, infrared: torch.Tensor) -> torch.Tensor:
            fused = super().__call__(visible, infrared)
            return fused * float("nan") if self.calls == 2 else fused

    cells = small(tmp_path, pairs)
    entry = Method(network=Failing, inputs=("visible", "infrared"))
    cells = replace(cells, predictors=[Predictor("failing", entry, Failing())])
    (result,) = bench.run(cells)
    assert [record.image for record in result.failed] == ["b"]
    assert "NaN" in result.failed[0].error
    assert result.counted["EN"] == 2


@dataclass(frozen=True)
class Darker:
    """Half of the visible light, and a little noise that is the picture's own."""

    strength: float = 0.5
    condition: str = "darker-1"

    @property
    def key(self) -> str:
        return hash_of(self.condition, self.strength)

    def __call__(self, sample: Sample) -> dict[str, torch.Tensor]:
        seed = int(hash_of(sample.name), 16) % 2**31
        noise = torch.rand(
            sample.images["visible"].shape, generator=torch.Generator().manual_seed(seed)
        )
        return {"visible": sample.images["visible"] * self.strength + noise / 100}


def test_methods_see_damaged_sources_and_metrics_clean_ones(tmp_path: Path, pairs: Path) -> None:
    plain = small(tmp_path, pairs, "visible", "SSIM")
    damaged = replace(plain, corruption=Darker())
    (clean,), (worse,) = bench.run(plain), bench.run(damaged)
    assert worse.condition == "darker-1"
    assert worse.scores["SSIM"] < clean.scores["SSIM"]
    assert (tmp_path / "own~darker-1" / "visible.json").exists()
    assert clean.records[0].observations["SSIM"].terms["visible"] == 1
    assert worse.records[0].observations["SSIM"].terms["visible"] < 1
    (again,) = bench.run(replace(damaged, out=tmp_path / "again"))
    assert [r.observations for r in again.records] == [r.observations for r in worse.records]
    (other,) = bench.run(replace(damaged, corruption=Darker(0.4)))
    assert other.scores["SSIM"] != worse.scores["SSIM"]


def test_what_is_measured_is_kept_when_other_metrics_are_asked_for(
    tmp_path: Path, pairs: Path
) -> None:
    first = bench.run(small(tmp_path, pairs, wanted="EN,SSIM"))
    second = bench.run(small(tmp_path, pairs, wanted="SD"))
    assert set(second[0].scores) == {"EN", "SSIM", "SD"}
    assert second[0].scores["EN"] == first[0].scores["EN"]
    assert second[0].records[1].observations["SSIM"] == first[0].records[1].observations["SSIM"]
    third = bench.run(small(tmp_path, pairs, wanted="EN"))
    assert third[0].scores == second[0].scores


def test_looking_again_leaves_the_file_as_it_is(tmp_path: Path, pairs: Path, monkeypatch) -> None:
    bench.run(small(tmp_path, pairs))
    before = (tmp_path / "own" / "average.json").read_bytes()
    monkeypatch.setattr(torch, "__version__", "0.0")
    bench.run(small(tmp_path, pairs))
    assert (tmp_path / "own" / "average.json").read_bytes() == before


@pytest.mark.parametrize("damage", ["half", "older", "nonsense"])
def test_results_that_cannot_be_read_are_set_aside(
    tmp_path: Path, pairs: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    before = bench.run(small(tmp_path, pairs))
    path = tmp_path / "own" / "max.json"
    whole = path.read_text()
    broken = {
        "half": whole[: len(whole) // 2],
        "older": whole.replace(f'"schema": {store.SCHEMA}', '"schema": 1'),
        "nonsense": '"text"',
    }[damage]
    for number in (1, 2):
        path.write_text(broken)
        after = bench.run(small(tmp_path, pairs))
        assert [r.scores for r in after] == [r.scores for r in before]
        assert f"set aside as max.json.aside{number}" in caplog.text
        assert path.with_name(f"max.json.aside{number}").read_text() == broken
    assert len(store.find(tmp_path)[0]) == 2


def test_tables_refuse_to_mix_conventions(tmp_path: Path, pairs: Path) -> None:
    found = bench.run(small(tmp_path, pairs))
    mixed = [found[0], replace(found[1], convention="other")]
    with pytest.raises(FusionZooError, match="2 metric conventions"):
        report.comparison(mixed, metrics.select("EN"), {})


def test_weights_that_saw_the_dataset_are_marked(tmp_path: Path, pairs: Path) -> None:
    found = bench.run(small(tmp_path, pairs))
    guilty = replace(found[0], provenance={**found[0].provenance, "trained_on": ["own:train"]})
    table = report.comparison([guilty, found[1]], metrics.select("EN"), {"own": "all"})
    assert [row.keys for row in table.rows] == [("average‡", "-", "own"), ("max", "-", "own")]
    assert "‡" in table.caption


def test_weights_that_saw_the_scenes_in_another_dataset_are_marked(
    tmp_path: Path, pairs: Path
) -> None:
    found = bench.run(small(tmp_path, pairs))[0]
    for seen, shown, marked in (
        ("msrs:train", "mfnet", True),
        ("msrs:train", "msrs_haze", True),
        ("reside_in:train", "sots", True),
        ("msrs:train", "fmb", False),
        ("roadscene:train_allowed", "own", False),
    ):
        provenance = {**found.provenance, "trained_on": [seen]}
        cell = replace(found, dataset=shown, provenance=provenance)
        assert cell.trained_here == marked, (seen, shown)


def test_datasets_that_share_scenes_name_each_other() -> None:
    for name in datasets.names():
        for other in datasets.find(name).shares:
            assert name in datasets.find(other).shares, (name, other)


def test_a_limit_has_its_own_cells(tmp_path: Path) -> None:
    ((name, entry, listing),), _ = grid.chosen_datasets("demo", None, 2)
    cells = bench.Grid(name, entry, listing, [predictor.load("average")], [], tmp_path)
    assert len(listing.items) == 2
    assert cells.cell(cells.predictors[0]).parent.name == "demo-test-first2"


def test_all_names_what_it_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    found, absent = grid.chosen_datasets("all", Path("nowhere"))
    assert [name for name, _, _ in found] == ["demo"]
    assert any(line.startswith("dataset tno") for line in absent)
    ready, unready = grid.chosen_methods("all", "cpu")
    assert "average" in {p.name for p in ready}
    assert any(line.startswith("method sage") for line in unready)


def command(out: Path) -> list[str]:
    return [sys.executable, "-m", "fusionzoo.cli", "bench", "--methods", "average,laplacian",
            "--datasets", "demo", "--metrics", "core,edges", "--out", str(out)]  # fmt: skip


def values(out: Path) -> dict[str, object]:
    """Everything in the result files but the times."""
    found = {}
    for path in sorted((out / "demo").glob("*.json")):
        plain = json.loads(path.read_text())
        plain.pop("seconds")
        found[path.name] = plain
    return found


def test_killed_in_the_middle_it_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(command(whole), check=True, capture_output=True)
    started = subprocess.Popen(
        command(broken), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    partial = broken / "demo" / "laplacian.partial.jsonl"
    deadline = time.monotonic() + 120
    while not (partial.exists() and partial.read_text().count('"image"') >= 3):
        assert started.poll() is None, "finished before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not (broken / "demo" / "laplacian.json").exists()
    seconds = {
        r.image: r.seconds for r in store.known_records(partial.parent / "laplacian.json").values()
    }
    assert 3 <= len(seconds) < 12
    subprocess.run(command(broken), check=True, capture_output=True)
    assert values(broken) == values(whole)
    final = {r.image: r.seconds for r in store.read(broken / "demo" / "laplacian.json").records}
    assert {name: final[name] for name in seconds} == seconds
    assert (broken / "sheets" / "demo.png").stat().st_size > 10_000
    assert (broken / "table.tex").exists()

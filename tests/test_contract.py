"""What every entry of the catalogues owes its users; new entries are tested by being there."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

from fusionzoo import catalog, datasets, metrics, predictor, weights
from fusionzoo.core import Benchmark, Dataset, Method, Metric

ROOT = Path(__file__).parent.parent
METHODS = catalog.names("fusionzoo.methods")
COPIES = ("visible", "infrared", "under", "over", "near", "far")
PLAIN = ("average", "max", "laplacian", "guided_filter", "false_colour", "mertens", "focus_measure")
BASELINES = (*PLAIN, *COPIES)
FORMS = [(n, task) for n in METHODS for task in catalog.find("fusionzoo.methods", n).forms]
PUBLISHED = tuple(f"trans4pass_{size}" for size in ("t", "s", "plus_t", "plus_s"))
CARDS = dict.fromkeys(BASELINES, "baselines") | dict.fromkeys(PUBLISHED, "trans4pass")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_states_its_facts(name: str) -> None:
    entry: Method = catalog.find("fusionzoo.methods", name)
    assert isinstance(entry, Method)
    assert entry.paper
    assert entry.license
    assert catalog.summary("fusionzoo.methods", name)
    assert (ROOT / "methods" / f"{CARDS.get(name, name)}.md").exists()
    for form in entry.forms.values():
        assert form.task == entry.task
        for spec in form.weights.values():
            assert spec.license
            assert spec.source
            assert spec.sha256 is None or len(spec.sha256) == 64


@pytest.mark.parametrize("name", METHODS)
def test_a_network_builds(name: str) -> None:
    network = predictor.build(catalog.find("fusionzoo.methods", name))
    assert callable(network)


@pytest.mark.parametrize("size", [(64, 64), (57, 83)])
@pytest.mark.parametrize(("name", "task"), FORMS)
def test_a_method_runs_and_repeats(name: str, task: str, size: tuple[int, int]) -> None:
    entry: Method = catalog.find("fusionzoo.methods", name).form(task)
    if not weights.at_hand(entry):
        pytest.skip(f"{name} ships no weights")
    ready = predictor.load(name, device="cpu", task=task)
    generator = torch.Generator().manual_seed(0)
    channels = {role: 1 if role == "infrared" else 3 for role in entry.inputs}
    images = {r: torch.rand(2, c, *size, generator=generator) for r, c in channels.items()}
    fused = ready(**images)
    assert fused.shape[0] == 2
    assert fused.shape[-2:] == size
    assert fused.dtype == torch.float32
    assert 0 <= fused.min() <= fused.max() <= 1
    assert torch.equal(fused, ready(**images))
    alone = ready(**{role: picture[0] for role, picture in images.items()})
    torch.testing.assert_close(alone, fused[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", datasets.names())
def test_a_dataset_states_its_facts(name: str) -> None:
    entry: Dataset = datasets.find(name)
    assert isinstance(entry, Dataset)
    assert entry.splits
    assert entry.source
    assert entry.terms
    if entry.classes:
        assert len(entry.classes.names) == len(entry.classes.palette)
        assert entry.classes.source


@pytest.mark.parametrize("name", metrics.names())
def test_a_metric_states_its_facts(name: str) -> None:
    entry: Metric = metrics.find(name)
    assert isinstance(entry, Metric)
    assert entry.paper
    assert f"[{entry.symbol}]({name}.md)" in (ROOT / "metrics" / "README.md").read_text("utf-8")
    assert f"../metrics/{name}.md" in (ROOT / "docs" / "metrics.md").read_text("utf-8")
    card = (ROOT / "metrics" / f"{name}.md").read_text("utf-8")
    assert card.startswith(f"# {entry.symbol}: ")
    assert f"| better | {'higher' if entry.higher_is_better else 'lower'} |" in card
    assert f"| smallest side | {entry.minimum_side} pixel" in card
    for heading in ("What it rewards", "Conventions", "References"):
        assert f"\n## {heading}\n" in card
    assert entry.summarize([]) is None


@pytest.mark.parametrize("name", metrics.CONVENTIONS)
def test_a_convention_is_listed_and_names_what_exists(name: str) -> None:
    rule = metrics.find_convention(name)
    assert f"| `{name}` |" in (ROOT / "metrics" / "README.md").read_text("utf-8")
    for symbol, definition in (rule.metrics or {}).items():
        options = inspect.signature(metrics.find(definition.of or symbol).observe).parameters
        assert set(definition.options) <= set(options), symbol


@pytest.mark.parametrize("metric", metrics.select("all"), ids=lambda metric: metric.symbol)
def test_small_pictures_never_raise(metric: Metric) -> None:
    if metric.reference == "labels":
        pytest.skip("compares label maps")
    for size in ((1, 1), (2, 3), (10, 200)):
        planes = [metrics.Plane(np.random.default_rng(s).integers(0, 256, size, np.uint8))
                  for s in range(3)]  # fmt: skip
        roles = {"infrared": planes[1], "visible": planes[2], "target": planes[1]}
        seen = metrics.observe([metric], planes[0], **roles)
        one = seen[metric.symbol]
        assert (one.status == "ok") == (one.value is not None)


@pytest.mark.parametrize("name", catalog.names("fusionzoo.benchmarks"))
def test_a_benchmark_names_what_exists(name: str) -> None:
    entry: Benchmark = catalog.find("fusionzoo.benchmarks", name)
    assert isinstance(entry, Benchmark)
    for dataset in entry.datasets:
        datasets.parse(dataset)
    assert metrics.select(",".join(entry.metrics))

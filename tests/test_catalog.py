"""The folder is the registry; other distributions join in; faults name whose they are."""

import subprocess
import sys
from pathlib import Path

import pytest

from fusionzoo import catalog
from fusionzoo.core import Method, PluginError, UnknownNameError

METHODS = "fusionzoo.methods"
GOOD = """
from fusionzoo.core import Method

def darker(visible, infrared):
    return visible.minimum(infrared)

ENTRY = Method(network=lambda: darker, inputs=("visible", "infrared"), paper="none")
"""


def distribution(folder: Path, name: str, entry: str, source: str, kind: str = "methods") -> None:
    """A distribution as an installer would leave it: a module and its metadata."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[fusionzoo.{kind}]\n{entry} = {module}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_names_are_the_modules_of_the_folder() -> None:
    names = catalog.names(METHODS)
    assert names == sorted(names)
    assert {"average", "sage"} <= set(names)
    assert not any(name.startswith("_") for name in names)


@pytest.mark.parametrize("name", ["guided_filter", "guided-filter", "Guided-Filter"])
def test_hyphens_and_capitals_do_not_matter(name: str) -> None:
    assert isinstance(catalog.find(METHODS, name), Method)


@pytest.mark.parametrize(
    ("name", "message"), [("avrage", "did you mean average"), ("zzzz", "known are average")]
)
def test_unknown_names(name: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        catalog.find(METHODS, name)


def test_another_distributions_method_is_found_and_runs(site: Path) -> None:
    import torch

    import fusionzoo

    distribution(site, "dark-fusion", "darker", GOOD)
    assert "darker" in catalog.names(METHODS)
    assert catalog.summary(METHODS, "darker") == "from distribution dark-fusion"
    fused = fusionzoo.load("darker")(
        visible=torch.ones(1, 4, 4), infrared=torch.full((1, 4, 4), 0.25)
    )
    assert torch.equal(fused, torch.full((1, 4, 4), 0.25))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('no licence key')", "no licence key"),
        ("ENTRY = 3", r"is a int; expected a module with ENTRY = Method"),
        ("import not_there_at_all", "not_there_at_all"),
    ],
)
def test_a_broken_plugin_fails_when_asked_for(
    site: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str
) -> None:
    monkeypatch.delitem(sys.modules, "faulty", raising=False)
    distribution(site, "faulty", "faulty", source)
    assert "faulty" in catalog.names(METHODS)
    assert isinstance(catalog.find(METHODS, "average"), Method)
    with pytest.raises(PluginError, match=f"distribution 'faulty'.*{message}"):
        catalog.find(METHODS, "faulty")


METRIC = """
from fusionzoo.core import Metric, Observation
from fusionzoo.metrics._summary import mean

def level(fused):
    return Observation(float(fused.levels.mean()))

ENTRY = Metric(symbol="{symbol}", title="Mean level", observe=level, summarize=mean, paper="none",
               reference="none", higher_is_better=True, range=(0, 255), minimum_side=1)
"""


def test_a_broken_metric_plugin_disables_no_other(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fusionzoo import metrics

    monkeypatch.delitem(sys.modules, "broken_metric", raising=False)
    distribution(site, "broken-metric", "broken_metric", "import not_there_at_all", "metrics")
    assert metrics.find("EN").title == "Entropy"
    assert "SSIM" in {metric.symbol for metric in metrics.select("all")}
    with pytest.raises(PluginError, match="not_there_at_all"):
        metrics.find("broken_metric")


@pytest.mark.parametrize("symbol", ["EN", "en", "entropy"])
def test_a_metric_plugin_cannot_take_a_symbol(
    site: Path, monkeypatch: pytest.MonkeyPatch, symbol: str
) -> None:
    from fusionzoo import metrics

    monkeypatch.delitem(sys.modules, "greedy_metric", raising=False)
    taken = METRIC.format(symbol=symbol)
    distribution(site, "greedy-metric", "greedy_metric", taken, "metrics")
    assert metrics.find("EN").title == "Entropy"
    assert [m.title for m in metrics.select("EN")] == ["Entropy"]
    if symbol.upper() == "EN":
        with pytest.raises(PluginError, match="give it a symbol of its own"):
            metrics.find("greedy_metric")


def test_a_plugins_name_may_have_capitals_and_hyphens(site: Path) -> None:
    import fusionzoo

    distribution(site, "dark-fusion", "Dark-Fusion", GOOD)
    for name in ("Dark-Fusion", "dark-fusion", "dark_fusion"):
        assert fusionzoo.load(name).name == "Dark-Fusion"


def test_two_claimants_are_both_named(site: Path) -> None:
    distribution(site, "one-dist", "claimed", GOOD)
    distribution(site, "other-dist", "claimed", GOOD)
    with pytest.raises(PluginError, match="one-dist and other-dist"):
        catalog.find(METHODS, "claimed")


def test_a_plugin_cannot_replace_a_built_in(site: Path) -> None:
    distribution(site, "greedy", "average", GOOD)
    with pytest.raises(PluginError, match="fusionzoo and greedy"):
        catalog.find(METHODS, "average")


def test_one_new_file_and_one_distribution_reach_every_command(tmp_path: Path, pairs: Path) -> None:
    """In a copy of the package, so that the file really is new to a fresh interpreter."""
    import shutil

    import fusionzoo

    copy, site = tmp_path / "copy", tmp_path / "site"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(fusionzoo.__file__).parent, copy / "fusionzoo", ignore=ignored)
    (copy / "fusionzoo" / "methods" / "brand_new.py").write_text('"""Brand new."""\n' + GOOD)
    site.mkdir()
    distribution(site, "dark-fusion", "darker", GOOD)

    def run(*arguments: str) -> str:
        code = f"import sys; sys.path[:0] = [{str(copy)!r}, {str(site)!r}]; " + (
            f"from fusionzoo import cli; sys.argv = ['fusionzoo', *{arguments!r}]; cli.main()"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = run("list", "methods")
    assert "brand_new" in listed
    assert "darker" in listed
    sources = ("--visible", str(pairs / "visible"), "--infrared", str(pairs / "infrared"))
    for name in ("brand_new", "darker"):
        assert "3 pictures" in run("run", name, *sources)
    names = "brand_new,darker,average"
    table = run(
        "bench", "--methods", names, "--datasets", "demo", "--limit", "1", "--metrics", "EN"
    )
    assert "brand_new" in table
    assert "darker" in table

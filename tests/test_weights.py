"""Weights load strictly, verified, and never by running code."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fusionzoo import image, weights
from fusionzoo.core import Method, Weights, WeightsError


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 1, 1))


def renamed(tensors):
    return {key.removeprefix("old."): value for key, value in tensors.items()}


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """A torch checkpoint under foreign key names, all ones."""
    path = tmp_path / "published" / "theirs.pt"
    path.parent.mkdir()
    ones = {f"old.{k}": torch.ones_like(v) for k, v in network().state_dict().items()}
    torch.save(ones, path)
    return path


def entry(path: Path, **changes) -> Method:
    facts = {
        "source": "the authors' page", "sha256": image.digest(path), "license": "MIT",
        "trained_on": ("m3fd",), "size": path.stat().st_size, "convert": renamed,
    }  # fmt: skip
    return Method(network=network, inputs=(), weights={"official": Weights(**(facts | changes))})


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSIONZOO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FUSIONZOO_WEIGHTS", raising=False)


def test_a_tag_is_found_by_hash_in_the_users_folder(
    official: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUSIONZOO_WEIGHTS", str(official.parent))
    official.rename(official.with_name("renamed.pth"))
    net = network()
    loaded = weights.load("net", entry(official.with_name("renamed.pth")), net)
    assert loaded.tag == "official"
    assert loaded.trained_on == ("m3fd",)
    assert all(torch.equal(v, torch.ones_like(v)) for v in net.state_dict().values())


def test_a_file_is_recognised_as_the_published_one(official: Path) -> None:
    loaded = weights.load("net", entry(official), network(), official)
    assert (loaded.tag, loaded.license) == ("official", "MIT")


def test_ones_own_safetensors_load_without_conversion(tmp_path: Path, official: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(network().state_dict(), path)
    loaded = weights.load("net", entry(official), network(), path)
    assert (loaded.tag, loaded.license, loaded.trained_on) == ("mine", "unknown", ())


def test_missing_weights_say_what_to_type(official: Path) -> None:
    with pytest.raises(WeightsError, match=r"authors' page.*--weights FILE.*FUSIONZOO_WEIGHTS"):
        weights.load("net", entry(official), network())
    assert not weights.at_hand(entry(official))


def test_near_tags_are_shown(official: Path) -> None:
    with pytest.raises(WeightsError, match="did you mean 'official'"):
        weights.load("net", entry(official), network(), "oficial")


def test_truncated_checkpoint(official: Path) -> None:
    method = entry(official)
    official.write_bytes(official.read_bytes()[:-300])
    with pytest.raises(WeightsError, match="damaged"):
        weights.load("net", method, network(), official)


class Evil:
    """Would create a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("saved_by", ["pickle", "torch"])
def test_code_in_a_pickle_is_refused_and_not_run(
    tmp_path: Path, official: Path, saved_by: str
) -> None:
    bait, path = tmp_path / "was_run", tmp_path / "evil.pt"
    if saved_by == "torch":
        torch.save({"weight": Evil(bait)}, path)
    else:
        path.write_bytes(pickle.dumps(Evil(bait)))
    with pytest.raises(WeightsError, match="refused"):
        weights.load("net", entry(official), network(), path)
    assert not bait.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t | {"extra": torch.ones(1)}, "unknown keys"),
        (lambda t: {k: v for k, v in t.items() if k != "0.bias"}, r"1 keys missing \(0.bias"),
        (lambda t: t | {"0.bias": torch.ones(7)}, r"shapes differ \(0.bias: \(7,\) for \(3,\)"),
    ],
)
def test_weights_of_another_network(tmp_path: Path, official: Path, change, message: str) -> None:
    path = tmp_path / "other.safetensors"
    save_file(change(network().state_dict()), path)
    with pytest.raises(WeightsError, match=message):
        weights.load("net", entry(official), network(), path)


def test_a_shipped_file_that_was_altered(official: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method = entry(official, sha256="0" * 64, file="anything")
    monkeypatch.setattr(weights, "_shipped", lambda _spec: official)
    with pytest.raises(WeightsError, match="not the published file"):
        weights.load("net", method, network())


def test_hub_addresses_need_three_parts(official: Path) -> None:
    with pytest.raises(WeightsError, match="hf://owner/repository/file"):
        weights.load("net", entry(official), network(), "hf://owner/file")

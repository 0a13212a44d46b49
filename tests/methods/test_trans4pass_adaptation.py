"""Adaptation: its formulas, the prototype bank's rules, pseudo labels, and the three stages."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fusionzoo import image, methods, predictor, pseudo
from fusionzoo.core import DataError, FusionZooError, Item, Sample
from fusionzoo.methods.trans4pass import adaptation, recipe_adaptation
from fusionzoo.methods.trans4pass.adaptation import PrototypeBank, feature_loss
from fusionzoo.methods.trans4pass.network import Trans4PASS
from fusionzoo.methods.trans4pass.recipe_adaptation import (
    AdaptationSettings,
    Recipe,
    learning_rate,
)

CPU = torch.device("cpu")


def test_the_discriminator_has_the_published_size() -> None:
    network = adaptation.Discriminator(19)
    assert sum(p.numel() for p in network.parameters()) == 2_781_121
    assert network(torch.zeros(1, 19, 64, 96)).shape == (1, 1, 2, 3)


def test_feature_loss_follows_its_formula() -> None:
    torch.manual_seed(0)
    feature = torch.randn(1, 5, 2, 3, dtype=torch.float64) * 4
    labels = torch.tensor([[[0, 1, 255], [2, 2, 0]]])
    bank = torch.randn(3, 5, dtype=torch.float64) * 4
    soft, hard = 0.0, 0.0
    for i in range(2):
        for j in range(3):
            f = feature[0, :, i, j]
            t = f if labels[0, i, j] == 255 else bank[labels[0, i, j]]
            p, q = (t / 20).softmax(0), (f / 20).softmax(0)
            soft += float((p * (p.log() - q.log())).sum())
            hard -= float(f.log_softmax(0)[t.argmax()])
    # The authors' reduction: a mean over pixels and channels, not over pixels.
    expected = 0.9 * 400 * soft / feature.numel() + 0.1 * hard / 6
    assert float(feature_loss(feature, labels, bank)) == pytest.approx(expected, rel=1e-9)


def test_features_are_drawn_to_their_prototypes() -> None:
    torch.manual_seed(0)
    bank = 10 * torch.eye(3, 8)
    feature = torch.randn(1, 8, 4, 4).requires_grad_()
    labels = torch.randint(0, 3, (1, 4, 4))
    optimiser = torch.optim.Adam([feature], 0.3)
    for _ in range(200):
        optimiser.zero_grad()
        feature_loss(feature, labels, bank).backward()
        optimiser.step()
    assert torch.equal(feature.argmax(1), labels)


def observed(bank: PrototypeBank) -> None:
    feature = torch.tensor([1.0, 3.0, 5.0, 100.0]).view(1, 1, 2, 2).repeat(1, 2, 1, 1)
    labels = torch.tensor([[[0, 0], [1, 1]]])
    guess = torch.tensor([[[0, 0], [1, 0]]])
    bank.collect(feature, labels, guess)
    bank.move()


def test_the_bank_moves_to_class_means_of_correct_pixels() -> None:
    bank = PrototypeBank(torch.full((3, 2), 10.0), "class_mean", 0.9)
    observed(bank)
    expected = torch.tensor([[9.2, 9.2], [9.5, 9.5], [10.0, 10.0]])
    torch.testing.assert_close(bank.prototypes, expected)
    assert float(bank.counts.sum()) == 0


def test_the_official_bank_moves_to_one_number_and_forgets_absent_classes() -> None:
    bank = PrototypeBank(torch.full((3, 2), 10.0), "official", 0.9)
    observed(bank)
    expected = torch.tensor([[9.35, 9.35], [9.35, 9.35], [9.0, 9.0]])
    torch.testing.assert_close(bank.prototypes, expected)
    assert float(bank.counts.sum()) == 3
    still = PrototypeBank(torch.full((3, 2), 10.0), "fixed", 0.9)
    observed(still)
    assert float(still.prototypes.std()) == 0


def test_official_groups_repeat_parameters_as_published() -> None:
    facts = json.loads(
        (Path(__file__).parent.parent / "golden/trans4pass/model_facts.json").read_text()
    )["trans4passplus_T"]["dup_mult"]
    network = Trans4PASS("t", 19, True)
    names = {id(p): name for name, p in network.named_parameters()}
    listed = recipe_adaptation.listed_parameters(network, "official")
    times = dict.fromkeys(names.values(), 0)
    for parameter in listed:
        times[names[id(parameter)]] += 1
    for name in ("encoder.patch_embed1.proj.weight", "encoder.patch_embed1.offset_conv.bias"):
        assert times[name] == facts[name]
    assert max(times.values()) == facts["max"]
    assert np.mean(list(times.values())) == pytest.approx(facts["mean"])
    assert times["dede_head.pred.weight"] == facts["pred"]
    assert len(recipe_adaptation.listed_parameters(network, "unique")) == len(names)


def scenes(count: int, role: str, labelled: bool) -> list[Item]:
    """Pictures whose brightness is their label."""

    def load(seed: int) -> Sample:
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.repeat(rng.integers(1, 4, (4, 6)), 16, 0), 16, 1)
        picture = torch.from_numpy(labels / 4 + rng.normal(0, 0.02, labels.shape)).float()
        target = torch.from_numpy(labels) if labelled else None
        return Sample(f"{role}{seed}", {role: picture.clamp(0, 1).expand(3, -1, -1)}, target)

    return [Item(f"{role}{i}", (lambda i=i: load(i)), lambda: "") for i in range(count)]


@pytest.fixture
def ready() -> predictor.Predictor:
    torch.manual_seed(0)
    network = Trans4PASS("nano", 15).eval()
    return predictor.Predictor("trans4pass", methods.find("trans4pass"), network)


def test_pseudo_labels_keep_the_surer_half_of_each_class(
    tmp_path: Path, ready: predictor.Predictor
) -> None:
    items = scenes(3, "panorama", labelled=False)
    limits = pseudo.label(ready, items, tmp_path, (0.5, 1.0))
    maps = [image.read(tmp_path / f"{item.name}.png") for item in items]
    raw = [image.read(tmp_path / "raw" / f"{item.name}.png") for item in items]
    assert set(limits) == set(np.unique(raw).tolist())
    assert all(limit <= 0.9 for limit in limits.values())
    for one in limits:
        shares = (np.equal(maps, one).sum() + 1e-9) / (np.equal(raw, one).sum() + 1e-9)
        assert 0.5 <= shares <= 1
    assert all((m[m != 255] == r[m != 255]).all() for m, r in zip(maps, raw, strict=True))
    chances = pseudo.averaged(ready, items[0].load(), (1.0,))
    torch.testing.assert_close(chances, ready.fuse(items[0].load())[0], rtol=1e-4, atol=1e-5)
    with pytest.raises(FusionZooError, match="other weights or scales"):
        pseudo.label(ready, items, tmp_path, (1.0,))


def adapted(tmp_path: Path, ready: predictor.Predictor, stage: str, **changes: object) -> Recipe:
    from safetensors.torch import save_file

    save_file(dict(ready.network.state_dict()), tmp_path / "start.safetensors")
    if stage in ("self_training", "mpa"):
        target = scenes(2, "panorama", labelled=False)
        pseudo.label(ready, target, tmp_path / "pseudo", (1.0,))
        source = _predictable(ready, scenes(2, "visible", labelled=True))
        pseudo.prototypes(ready, source, target, tmp_path / "pseudo")
        changes["pseudo"] = str(tmp_path / "pseudo")
    settings = AdaptationSettings(
        stage=stage, steps=4, input_height=64, input_width=64, bank_every=1, smallest_scale=1.0,
        largest_scale=1.0, start=str(tmp_path / "start.safetensors"), disturbance=0.0,
        discriminator_width=4, **changes,
    )  # fmt: skip
    torch.manual_seed(1)
    return Recipe(settings, CPU)


def _predictable(ready: predictor.Predictor, items: list[Item]) -> list[Item]:
    """The same pictures, labelled by what the network says of them."""

    def load(item: Item) -> Sample:
        sample = item.load()
        return Sample(sample.name, sample.images, ready.fuse(sample)[0].argmax(0))

    return [Item(i.name, (lambda i=i: load(i)), lambda: "") for i in items]


def batch_of(recipe: Recipe, chosen: slice = slice(None)) -> dict[str, Tensor]:
    batch: dict[str, Tensor] = {}
    for prefix, items in (
        ("", scenes(2, "visible", labelled=True)),
        ("target/", scenes(2, "panorama", labelled=False)),
    ):
        planes = [
            recipe.augment(recipe.prepare(item.load()), torch.Generator().manual_seed(i))
            for i, item in list(enumerate(items))[chosen]
        ]
        batch |= {prefix + key: torch.stack([p[key] for p in planes]) for key in planes[0]}
    return batch


EXPECTED = {
    "source": {"source"},
    "warm_up": {"source", "adversarial", "discriminator"},
    "self_training": {"source", "pseudo"},
    "mpa": {"source", "pseudo", "adversarial", "discriminator", "source_feature",
            "target_feature"},
}  # fmt: skip


@pytest.mark.parametrize("stage", EXPECTED)
def test_each_stage_has_its_losses_and_learns(
    stage: str, tmp_path: Path, ready: predictor.Predictor
) -> None:
    recipe = adapted(tmp_path, ready, stage, learning_rate=1e-3)
    batch = batch_of(recipe)
    before = {k: v.clone() for k, v in recipe.network.state_dict().items()}
    logs = [recipe.update(batch, step) for step in range(3)]
    assert set(logs[0]) == EXPECTED[stage]
    assert logs[-1]["source"] < logs[0]["source"]
    assert not torch.equal(before["dede_head.pred.weight"], recipe.network.dede_head.pred.weight)
    assert set(recipe.pictures(batch)) == {"picture", "labels", "prediction"}
    assert {k: v.shape for k, v in recipe.weights().items()} == {
        k: v.shape for k, v in before.items()
    }


def test_the_control_takes_no_panoramas(tmp_path: Path, ready: predictor.Predictor) -> None:
    recipe = adapted(tmp_path, ready, "source")
    assert recipe.streams == {}
    batch = {name: plane for name, plane in batch_of(recipe).items() if "/" not in name}
    assert set(recipe.update(batch, 0)) == {"source"}
    assert recipe.pictures(batch)["picture"] is batch["picture"]


def test_the_rate_rises_then_falls() -> None:
    plain = AdaptationSettings(steps=100, learning_rate=1.0, rise=0)
    assert [learning_rate(plain, step) for step in (0, 50)] == [1.0, pytest.approx(0.5**0.9)]
    risen = AdaptationSettings(steps=100, learning_rate=1.0, rise=4)
    assert [learning_rate(risen, step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert learning_rate(risen, 50) == learning_rate(plain, 50)


@pytest.mark.parametrize(("statistics", "moves"), [("fixed", False), ("batch", True)])
def test_running_statistics_move_only_where_asked(
    statistics: str, moves: bool, tmp_path: Path, ready: predictor.Predictor
) -> None:
    recipe = adapted(tmp_path, ready, "warm_up", statistics=statistics)
    name = "dede_head.head1.sdp.norm.running_mean"
    before = recipe.network.state_dict()[name].clone()
    recipe.update(batch_of(recipe), 0)
    assert torch.equal(before, recipe.network.state_dict()[name]) != moves


def test_target_labels_are_never_looked_at(tmp_path: Path, ready: predictor.Predictor) -> None:
    recipe = adapted(tmp_path, ready, "warm_up")
    planes = recipe.prepare(scenes(1, "panorama", labelled=True)[0].load())
    assert (planes["labels"] == 255).all()


def test_an_adaptation_resumes_exactly(tmp_path: Path, ready: predictor.Predictor) -> None:
    whole = adapted(tmp_path, ready, "mpa", optimiser="sgd", groups="official")
    batch = batch_of(whole)
    for step in range(2):
        whole.update(batch, step)
    saved = {name: _copied(part.state_dict()) for name, part in whole.state().items()}
    whole.update(batch, 2)
    again = adapted(tmp_path, ready, "mpa", optimiser="sgd", groups="official")
    for name, part in again.state().items():
        part.load_state_dict(saved[name])
    again.update(batch, 2)
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[key]), key
    assert torch.equal(whole.bank.prototypes, again.bank.prototypes)


def _copied(state: dict) -> dict:
    import copy

    return copy.deepcopy(state)


def test_what_is_missing_is_named(tmp_path: Path, ready: predictor.Predictor) -> None:
    with pytest.raises(ValueError, match="fusionzoo pseudo-label"):
        AdaptationSettings(stage="mpa")
    recipe = adapted(tmp_path, ready, "mpa")
    other = scenes(4, "panorama", labelled=False)[3]
    with pytest.raises(DataError, match=r"panorama3\.png is missing"):
        recipe.prepare(other.load())
    check: Callable[[], object] = lambda: recipe.prepare(  # noqa: E731
        scenes(1, "visible", labelled=False)[0].load()
    )
    with pytest.raises(DataError, match="has no labels"):
        check()

"""ReFusion's training: the meta-gradient against finite differences, resuming, two processes."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from fusionzoo.core import FusionZooError, Sample
from fusionzoo.methods.refusion.meta import MetaStep, Pair, meta_gradient, outer_loss
from fusionzoo.methods.refusion.network import Fusion, Proposal, Reconstruction
from fusionzoo.methods.refusion.recipe import Recipe
from fusionzoo.methods.refusion.settings import Settings
from fusionzoo.train.settings import build

STEP = MetaStep(rate=0.05, gradient_factor=0.5)
Networks = tuple[Fusion, Reconstruction, Proposal]


def pair(seed: int, side: int = 8) -> Pair:
    generator = torch.Generator().manual_seed(seed)
    sources = torch.rand(2, 2, side, side, generator=generator, dtype=torch.float64)
    first, second = sources[:, :1], sources[:, 1:]
    return Pair(first, second, sources)


@pytest.fixture(scope="module")
def networks() -> Networks:
    torch.manual_seed(0)
    return Fusion().double(), Reconstruction().double(), Proposal().double()


def entries(slopes: list[Tensor], networks: Networks) -> dict[str, tuple[int, float]]:
    """For some parameters of P, from stem to head: position and value of the largest slope."""
    names = [name for name, _ in networks[2].named_parameters()]
    wanted = [n for n in names if n.endswith(("stem1.weight", "head.0.weight", "head.2.weight"))]
    found = {}
    for name in wanted:
        slope = slopes[names.index(name)].flatten()
        place = int(slope.abs().argmax())
        found[name] = place, float(slope[place])
    return found


@torch.no_grad()
def nudge(proposal: Proposal, name: str, place: int, amount: float) -> None:
    dict(proposal.named_parameters())[name].view(-1)[place] += amount


def difference(networks: Networks, name: str, place: int, step: MetaStep) -> float:
    """Five-point finite difference of the outer loss for one entry of P."""
    spacing, total = 1e-4, 0.0
    for offset, factor in ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)):
        nudge(networks[2], name, place, offset * spacing)
        outer, _ = outer_loss(*networks, pair(1), pair(2), step)
        nudge(networks[2], name, place, -offset * spacing)
        total += factor * outer.item() / spacing
    return total


@pytest.mark.parametrize("kind", ["second_order", "first_order"])
def test_the_meta_gradient_is_the_slope_of_the_outer_loss(networks: Networks, kind: str) -> None:
    step = replace(STEP, kind=kind)
    slopes, _, _ = meta_gradient(*networks, pair(1), pair(2), step)
    for name, (place, slope) in entries(slopes, networks).items():
        found = difference(networks, name, place, step)
        assert slope == pytest.approx(found, rel=1e-4), name


def cosine(one: list[Tensor], other: list[Tensor]) -> float:
    left, right = (torch.cat([t.flatten() for t in tensors]) for tensors in (one, other))
    return float(torch.nn.functional.cosine_similarity(left, right, dim=0))


def test_every_parameter_of_the_proposal_is_reached(networks: Networks) -> None:
    slopes, _, _ = meta_gradient(*networks, pair(1), pair(2), STEP)
    assert all(slope.abs().max() > 0 for slope in slopes)
    assert all(p.grad is None for network in networks for p in network.parameters())


def test_without_the_second_order_the_gradient_is_another(networks: Networks) -> None:
    exact, _, _ = meta_gradient(*networks, pair(1), pair(2), STEP)
    rough, _, _ = meta_gradient(*networks, pair(1), pair(2), replace(STEP, kind="first_order"))
    assert cosine(exact, rough) < 0.99


def test_the_released_gradient_is_the_direct_one(networks: Networks) -> None:
    """The leaked term is so much larger that the sum has nothing of the meta-gradient."""
    exact, _, _ = meta_gradient(*networks, pair(1), pair(2), STEP)
    leaky, _, _ = meta_gradient(*networks, pair(1), pair(2), replace(STEP, kind="as_released"))
    direct = [a - b for a, b in zip(leaky, exact, strict=True)]
    assert cosine(leaky, direct) > 0.9999
    assert cosine(leaky, exact) < 0.9
    ratio = max(float(t.abs().max()) for t in direct) / max(float(t.abs().max()) for t in exact)
    assert ratio > 100


def test_settings_refuse_what_cannot_be() -> None:
    assert build(Settings, ["task=mff", "batch=4"]).task == "mff"
    for wrong in ("batch=3", "meta_share=1", "epochs=0", "task=medical"):
        with pytest.raises(FusionZooError):
            build(Settings, [wrong])


def test_the_schedule() -> None:
    settings = Settings(steps=100, epochs=10, meta_start=0, meta_share=0.3, decay=0.5)
    late = replace(settings, meta_start=0.5)
    assert [step for step in range(100) if late.is_meta(step)][:4] == [50, 51, 52, 60]
    assert [settings.is_meta(step) for step in range(10)] == [True] * 3 + [False] * 7
    assert [settings.factor(step) for step in (0, 9, 10, 99)] == pytest.approx([0.1, 0.1, 0.2, 1])
    assert [settings.decayed(1.0, step) for step in (0, 19, 20, 99)] == [1, 1, 0.5, 0.0625]


def small(**changes: object) -> Settings:
    given = {
        "steps": 4,
        "epochs": 2,
        "meta_start": 0,
        "meta_share": 0.5,
        "height": 16,
        "width": 16,
        **changes,
    }
    return Settings(**given)


def sample() -> Sample:
    generator = torch.Generator().manual_seed(3)
    pictures = {"visible": torch.rand(3, 24, 24, generator=generator),
                "infrared": torch.rand(1, 24, 24, generator=generator)}  # fmt: skip
    return Sample("one", pictures)


@pytest.mark.parametrize("task", ["vif", "mef", "mff"])
def test_every_task_makes_pairs(task: str) -> None:
    recipe = Recipe(small(task=task), torch.device("cpu"))
    planes = recipe.prepare(sample())
    assert all(plane.dtype == torch.uint8 for plane in planes.values())
    made = [recipe.augment(planes, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    for name in ("first", "second"):
        assert made[0][name].shape == (1, 24, 24)
        assert 0 <= made[0][name].min() <= made[0][name].max() <= 1
        assert torch.equal(made[0][name], made[1][name])
    if task == "vif":
        assert torch.equal((made[0]["first"] * 255).byte(), planes["infrared"])
    if task == "mef":
        assert made[0]["first"].mean() < made[0]["second"].mean()
    if task == "mff":
        assert not torch.equal(made[0]["first"], made[0]["second"])


def batch(count: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    first, second = torch.rand(2, count, 1, 16, 16, generator=generator)
    swapped = torch.tensor([True, False] * (count // 2)).view(count, 1, 1, 1)
    return {"first": first, "second": second, "swapped": swapped}


def changed(recipe: Recipe, before: dict[str, dict[str, Tensor]]) -> set[str]:
    after = snapshot(recipe)
    return {
        name
        for name in after
        if any(not torch.equal(value, before[name][key]) for key, value in after[name].items())
    }


def snapshot(recipe: Recipe) -> dict[str, dict[str, Tensor]]:
    return {
        name: {k: v.clone() for k, v in recipe.state()[name].state_dict().items()}
        for name in ("fusion", "reconstruction", "proposal")
    }


@pytest.mark.parametrize("how", ["max_norm", "adam"])
def test_each_step_moves_its_networks_alone(how: str) -> None:
    torch.manual_seed(0)
    recipe = Recipe(small(proposal_step=how), torch.device("cpu"))
    before = snapshot(recipe)
    recipe.update(batch(2), 0)
    assert changed(recipe, before) == {"proposal"}
    if how == "max_norm":
        moved = max(
            float((v - before["proposal"][k]).abs().max())
            for k, v in recipe.proposal.state_dict().items()
        )
        assert moved == pytest.approx(recipe.settings.proposal_rate, rel=1e-3)
    before = snapshot(recipe)
    losses = recipe.update(batch(2), 1)
    assert changed(recipe, before) == {"fusion", "reconstruction"}
    assert set(losses) == {"fusion", "reconstruction", "decision"}


def test_a_fixed_loss_never_asks_the_proposal() -> None:
    recipe = Recipe(small(fixed_loss=True), torch.device("cpu"))
    before = snapshot(recipe)
    assert recipe.update(batch(2), 0) == {}
    assert changed(recipe, before) == set()
    recipe.update(batch(2), 1)
    assert changed(recipe, before) == {"fusion", "reconstruction"}
    assert all((weight == 0.5).all() for weight in recipe.proposed(*torch.rand(2, 1, 1, 4, 4)))


@pytest.mark.parametrize("swap", ["double", "random", "none"])
def test_swapped_pairs_keep_the_reconstruction_targets(swap: str) -> None:
    recipe = Recipe(small(swap=swap), torch.device("cpu"))
    given = batch(4)
    made = recipe._pair(given, swap == "double")
    expected = torch.cat([given["first"], given["second"]], 1)
    straight = (made.first == made.targets[:, :1]).flatten(1).all(1).tolist()
    if swap == "double":
        assert torch.equal(made.targets, expected.repeat_interleave(2, 0))
        assert straight == [True, False] * 4
    else:
        assert torch.equal(made.targets, expected)
        assert straight == ([False, True] * 2 if swap == "random" else [True] * 4)
    assert torch.equal(made.sources.sum(1), made.targets.sum(1))


def test_meta_gradients_of_a_large_batch_are_means_of_small_ones() -> None:
    """Then two processes with half a batch each take the same step."""
    torch.manual_seed(0)
    recipe = Recipe(small(batch=4, swap="random"), torch.device("cpu"))
    whole = recipe._pair(batch(4))
    step = MetaStep(0.01)
    nets = (recipe.fusion, recipe.reconstruction, recipe.proposal)
    parts = [
        meta_gradient(*nets, whole.part(k, k + 1), whole.part(k + 1, k + 2), step)[0]
        for k in (0, 2)
    ]
    total = [a + b for a, b in zip(*parts, strict=True)]
    largest = max(float(t.abs().max()) for t in total)
    before = snapshot(recipe)["proposal"]
    recipe.settings = replace(recipe.settings, inner_rate=0.01, gradient_ramp=False,
                              gradient_padding="zeros")  # fmt: skip
    recipe.update(batch(4), 0)
    rate = recipe.settings.proposal_rate
    for (name, parameter), slope in zip(recipe.proposal.named_parameters(), total, strict=True):
        expected = before[name] - rate * slope / largest
        torch.testing.assert_close(parameter.detach(), expected, rtol=1e-4, atol=1e-6)

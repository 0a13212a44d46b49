"""TC-MoA against golden numbers, and its parts against numbers computed by hand."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fusionzoo.core import WeightsError
from fusionzoo.methods.tc_moa import adapters, keys, losses
from fusionzoo.methods.tc_moa.adapters import Dial, Prompts
from fusionzoo.methods.tc_moa.backbone import positions, sine_cosine_table
from fusionzoo.methods.tc_moa.configuration import PRESETS, SIZES, TASKS, Size, Variant
from fusionzoo.methods.tc_moa.network import Fused, Network, task_shares

GOLDEN = Path(__file__).parent.parent / "golden" / "tcmoa"
NUMBERS = json.loads((GOLDEN / "golden.json").read_text())
FILLED = Size(64, 8, 4, 64, 4, 4)


def official_shapes(size: str) -> dict[str, list[int]]:
    text = (GOLDEN / f"state_dict_shapes_mae_vit_{size}_patch16.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


def official_filling() -> dict[str, Tensor]:
    """The recipe of golden.json, as a checkpoint of the released code."""
    found = {}
    for k, (name, shape) in enumerate(sorted(NUMBERS["filled_keys"].items())):
        count = math.prod(shape)
        wave = torch.sin(0.7 * torch.arange(count, dtype=torch.float64) + 1.3 * k)
        if len(shape) == 1:
            values = 1 + 0.1 * wave if name.endswith("weight") else 0.1 * wave
        else:
            values = wave / math.sqrt(count / shape[0])
        found[name] = values.reshape(shape).float()
    return found | {"Alpha_encoder": torch.full((2,), 0.5), "Alpha_decoder": torch.full((1,), 0.5)}


@pytest.fixture(scope="module")
def filled() -> Network:
    network = Network(FILLED, "official").eval()
    tensors = keys.from_released(official_filling())
    axis = torch.arange(64, dtype=torch.float64)
    source = torch.stack([0.02 * torch.sin(0.7 * axis + 1.3 * t) for t in range(6)])
    tensors |= {name: source.view(3, 2, 64).float() for name in tensors if "source" in name}
    network.load_state_dict(tensors)
    return network


def golden_pictures(height: int, width: int) -> tuple[Tensor, Tensor]:
    axes = (torch.arange(side, dtype=torch.float64) for side in (height, width))
    y, x = torch.meshgrid(*axes, indexing="ij")
    sin, cos = torch.sin, torch.cos
    a = [0.5 + 0.25 * sin(0.11 * x * i + 0.07 * y) + 0.2 * cos(0.05 * y * i - 0.13 * x)
         for i in (1, 2, 3)]  # fmt: skip
    b = [0.5 + 0.3 * sin(0.09 * y * i - 0.05 * x) + 0.15 * cos(0.21 * x + 0.04 * y * i)
         for i in (1, 2, 3)]  # fmt: skip
    return torch.stack(a)[None].float(), torch.stack(b)[None].float()


def close(found: Tensor, wanted: dict[str, object]) -> None:
    flat = found.flatten()
    for place, value in wanted["samples"].items():  # type: ignore[attr-defined]
        assert float(flat[int(place)]) == pytest.approx(value, abs=2e-5)
    assert float(found.mean()) == pytest.approx(wanted["mean"], abs=1e-5)


@pytest.mark.parametrize("case", NUMBERS["results"])
def test_golden_forward_and_losses(case: str, filled: Network) -> None:
    wanted = NUMBERS["results"][case]
    task = TASKS[int(case[4])]
    x, y = golden_pictures(*map(int, case.partition("_")[2].split("x")))
    with torch.no_grad():
        out = filled(x, y, task)
    close(out.encoded[0], wanted["encoder_x"])
    close(out.encoded[1], wanted["encoder_y"])
    close(out.enlarged, wanted["decoder_pixels_2x"])
    close(out.picture.clamp(0, 1), wanted["image_0_1"])
    close(out.encoder_prompts[0].x, wanted["prompt_x_enc0"])
    close(out.encoder_prompts[0].y, wanted["prompt_y_enc0"])
    close(out.encoder_prompts[1].x, wanted["prompt_x_enc1"])
    close(out.decoder_prompts[0].y, wanted["prompt_y_dec0"])
    assert float(out.balance) == pytest.approx(wanted["load_balance"], rel=1e-5)
    for epoch in (0, 5):
        total, found = losses.total(out, x, y, task, epoch, filled.variant)
        expected = wanted[f"losses_2025_epoch{epoch}"]
        assert float(total) == pytest.approx(expected["loss"], rel=2e-6)
        assert found["mir"] == pytest.approx(expected["prompt_loss"], rel=1e-5)
        structure = expected.get("MEF_SSIM_loss", expected.get("ssim_loss"))
        if structure is not None:
            assert found["structure"] == pytest.approx(structure, abs=2e-6)


@pytest.mark.parametrize(
    ("size", "trainable", "whole", "count"),
    [("base", 3_865_197, 115_772_525, 419), ("large", 11_345_544, 340_886_920, 659)],
)
def test_counts_and_names_are_the_released_ones(
    size: str, trainable: int, whole: int, count: int
) -> None:
    with torch.device("meta"):
        network = Network(size)
    parameters = {name: p.numel() for name, p in network.named_parameters()}
    sources = sum(n for name, n in parameters.items() if name.endswith(".source"))
    new = sum(n for name, n in parameters.items() if ".units." in name or ".relative." in name)
    assert new - sources == trainable
    dims = SIZES[size]
    tables = 197 * (dims.width + dims.decoder_width) + dims.width  # positions, class token
    assert sum(parameters.values()) - sources + tables == whole
    shapes = official_shapes(size)
    assert len(shapes) == count
    with torch.device("meta"):
        ours = keys.from_released({name: torch.empty(shape) for name, shape in shapes.items()
                                   if "source" not in name} )  # fmt: skip
    expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
    assert {name: tensor.shape for name, tensor in ours.items()} == expected


def test_names_of_2024_are_understood() -> None:
    old = {}
    for name, tensor in official_filling().items():
        name = name.replace("blocks_MoA", "blocks_SSF_rgb").replace("dimReduction", "SE_en_linear")
        name = name.replace(".MoA.", ".mlp.") if "SSF" in name else name
        name = name.replace("de_FusionLayer", "de_projAdapter")
        old[name.replace("FusionLayer", "en_projAdapter")] = tensor
    new = keys.from_released(official_filling())
    found = keys.from_released(old)
    assert set(found) == set(new)
    assert all(torch.equal(found[name], new[name]) for name in new)
    with pytest.raises(KeyError):
        keys.from_released({"unknown.weight": torch.zeros(1)})


def test_source_embeddings_are_the_same_at_every_load() -> None:
    first, second = (keys.from_released(official_filling()) for _ in range(2))
    name = "encoder.units.0.source"
    assert first[name].std() == pytest.approx(0.02, rel=0.15)
    assert torch.equal(first[name], second[name])
    assert not torch.equal(first[name], keys.from_released(official_filling(), seed=1)[name])


def hugging_face(name: str) -> list[str]:
    """`vit_mae` names of one of Meta's, three for a joined query, key and value."""
    decoder = name.startswith("decoder_")
    name = name.replace("decoder_blocks.", "decoder.decoder_layers.")
    name = name.replace("blocks.", "vit.encoder.layer.") if not decoder else name
    for old, new in (("norm1", "layernorm_before"), ("norm2", "layernorm_after"),
                     ("attn.proj", "attention.output.dense"), ("mlp.fc1", "intermediate.dense"),
                     ("mlp.fc2", "output.dense")):  # fmt: skip
        name = name.replace(old, new)
    if name.startswith("decoder_"):
        name = f"decoder.{name}"
    if name.startswith("norm."):
        name = f"vit.layer{name}"
    name = name.replace("patch_embed.proj", "vit.embeddings.patch_embeddings.projection")
    if "attn.qkv" in name:
        return [name.replace("attn.qkv", f"attention.attention.{p}") for p in
                ("query", "key", "value")]  # fmt: skip
    return [name]


def test_both_layouts_of_masked_autoencoders_give_one_backbone() -> None:
    own = ("blocks.", "decoder_blocks.", "norm.", "decoder_norm.", "patch_embed.", "decoder_embed.",
           "decoder_pred.")  # fmt: skip
    meta = {n: t for n, t in official_filling().items() if n.startswith(own)}
    other = {}
    for name, tensor in meta.items():
        names = hugging_face(name)
        other |= dict(zip(names, tensor.chunk(len(names)), strict=True))
    assert any("attention.attention.key" in name for name in other)
    first, second = keys.from_autoencoder(meta), keys.from_autoencoder(other)
    assert set(first) == set(second)
    assert all(torch.equal(first[name], second[name]) for name in first)
    wanted = {name for name in Network(FILLED).state_dict() if ".units." not in name}
    assert set(first) == {name for name in wanted if ".relative." not in name}


def test_top_two_gates_by_hand() -> None:
    gates = adapters.top_gates(torch.tensor([[1.0, 3.0, 2.0, 0.0]]))
    share = 1 / (1 + math.exp(-1))
    torch.testing.assert_close(gates, torch.tensor([[0, share, 1 - share, 0]]))


def test_a_fresh_router_uses_two_adapters_and_says_so() -> None:
    router = adapters.Routers(8).eval()
    with torch.no_grad():
        gates = router(torch.randn(50, 8), 0)
    assert sorted(gates.shares.sum(0).tolist()) == pytest.approx([0, 0, 25, 25])
    # cv^2 of (a, a, 0, 0) is 4/3, once for importance and once for load.
    assert float(gates.balance) == pytest.approx(1e-3 * 8 / 3, rel=1e-5)
    for size, value in (("base", 0.013333), ("large", 0.021333)):
        units = len(SIZES[size].units(SIZES[size].depth))
        units += len(SIZES[size].units(SIZES[size].decoder_depth))
        assert units * float(gates.balance) == pytest.approx(value, abs=1e-6)


def test_the_probability_of_being_kept_by_hand() -> None:
    clean = torch.tensor([[0.0, 0.0, 0.0, 0.0]])
    noisy = torch.tensor([[3.0, 1.0, 0.5, -1.0]])
    found = adapters.kept_probability(clean, noisy, torch.ones(1, 4))
    # Kept ones must beat the third largest (0.5), the others the second largest (1).
    below, above = (0.5 * (1 + math.erf(-value / math.sqrt(2))) for value in (0.5, 1.0))
    torch.testing.assert_close(found, torch.tensor([[below, below, above, above]]))


def test_training_routers_are_noisy_and_their_balance_is_differentiable() -> None:
    router = adapters.Routers(8).train()
    gates = router(torch.randn(200, 8), 1)
    assert (gates.shares.sum(0) > 20).all()
    gates.balance.backward()
    assert router.gate.grad is not None
    assert router.gate.grad[1].abs().sum() > 0
    assert router.gate.grad[0].abs().sum() == 0


def test_mixtures_by_hand() -> None:
    outputs = torch.tensor([[[0.0]], [[math.log(3.0)]], [[5.0]], [[7.0]]])
    shares = torch.tensor([[0.5, 0.5, 0.0, 0.0]])
    linear = adapters.mixture(outputs, shares, Variant(mixture="linear"))
    together = adapters.mixture(outputs, shares, Variant(mixture="logsumexp"))
    assert float(linear) == pytest.approx(0.5 * math.log(3))
    assert float(together) == pytest.approx(math.log(2))
    floor = adapters.mixture(
        outputs, torch.tensor([[1 - 5e-5, 5e-5, 0, 0]]), Variant(gate_floor=1e-4)
    )
    assert float(floor) == 0
    empty = adapters.mixture(outputs, torch.zeros(1, 4), Variant(mixture="logsumexp"))
    assert float(empty) == pytest.approx(math.log(2.2e-16))


def test_prompts_are_the_sigmoid_of_the_mean_of_each_half() -> None:
    unit = adapters.TaskMixture(32, Variant()).eval()
    with torch.no_grad():
        unit.adapters.up.zero_()
        unit.adapters.up_bias[:] = torch.tensor([0.0, 2.0, 1.0, 1.0, -1.0, -3.0, -1.0, -3.0])
        prompts, _ = unit.prompts(torch.randn(1, 2, 2, 32), torch.randn(1, 2, 2, 32), {0: 1.0})
    assert prompts.x.flatten().tolist() == pytest.approx([1 / (1 + math.exp(-1))] * 4)
    assert prompts.y.flatten().tolist() == pytest.approx([1 / (1 + math.exp(2))] * 4)


def test_the_dial_by_hand() -> None:
    prompts = Prompts(torch.tensor([0.7]), torch.tensor([0.4]))
    turned = Dial(alpha=2.0, beta=0.1).turn(prompts)
    assert float(turned.x) == pytest.approx(1.0)
    assert float(turned.y) == pytest.approx(0.2)
    assert Dial().turn(prompts) == prompts


@pytest.mark.parametrize(("mir", "value"), [("mse", 0.75 * 0.04 + 0.25 * 0.01), ("l1", 0.175)])
def test_mutual_information_regularisation_by_hand(mir: str, value: float) -> None:
    def prompts(x: float, y: float) -> Prompts:
        return Prompts(torch.full((1, 2, 2, 1), x), torch.full((1, 2, 2, 1), y))

    nothing = torch.zeros(1)
    fused = Fused(nothing, nothing, [prompts(0.7, 0.5), prompts(0.3, 0.5)], [prompts(0.6, 0.5)],
                  nothing, (nothing, nothing))  # fmt: skip
    found = losses.inconsistency(fused, Variant(mir=mir))
    assert float(found) == pytest.approx(value)


def test_restandardised_streams_keep_mean_and_deviation() -> None:
    unit = adapters.TaskMixture(16, Variant(), restandardise=True).eval()
    x, y = (torch.randn(2, 14, 14, 16) * 3 + 1 for _ in range(2))
    met = unit(x, y, {0: 1.0}, Dial())
    for new, old in ((met.x, x), (met.y, y)):
        torch.testing.assert_close(new.mean((1, 2, 3)), old.mean((1, 2, 3)))
        torch.testing.assert_close(new.std((1, 2, 3)), old.std((1, 2, 3)))


def test_positions_are_right_on_grids_that_are_not_square() -> None:
    table = sine_cosine_table(64)
    torch.testing.assert_close(positions(table, 14, 14)[0], table.permute(1, 2, 0))
    fixed, official = positions(table, 14, 28), positions(table, 14, 28, official=True)
    # The first half encodes the column: rows are equal. The released resize mixes them up.
    torch.testing.assert_close(fixed[0, 0, :, :32], fixed[0, 9, :, :32])
    assert float((fixed - official).abs().max()) == pytest.approx(1.98, abs=0.02)


def test_mixed_routers_stand_between_those_of_their_tasks(filled: Network) -> None:
    x, y = golden_pictures(112, 112)
    with torch.no_grad():
        one, other = (filled(x, y, task).encoder_prompts[0].x for task in ("vif", "mef"))
        mixed = filled(x, y, {"vif": 1.0, "mef": 3.0}).encoder_prompts[0].x
        alone = filled(x, y, {"vif": 2.0, "mef": 0.0}).encoder_prompts[0].x
    torch.testing.assert_close(alone, one)
    assert (mixed - other).abs().mean() < (one - other).abs().mean()
    assert task_shares({"vif": 1.0, "mef": 3.0}) == {0: 0.25, 1: 0.75}
    with pytest.raises(ValueError, match="expected shares"):
        task_shares({"hdr": 1.0})


def test_focus_composite_takes_sharp_patches() -> None:
    generator = torch.Generator().manual_seed(0)
    sharp = torch.rand(1, 3, 40, 48, generator=generator)
    x, y = sharp.clone(), sharp.clone()
    x[..., 16:32] = 0.5  # the second column of patches is out of focus in x
    y[..., :16] = 0.5
    found = losses.focus_composite(x, y)
    inside = [*range(16), *range(16, 32)]
    torch.testing.assert_close(found[..., inside], sharp[..., inside])


def test_a_perfect_picture_has_no_loss_but_the_regularisers() -> None:
    x = torch.rand(2, 3, 48, 48)
    nothing = torch.zeros(1)
    half = Prompts(torch.full((2, 3, 3, 1), 0.5), torch.full((2, 3, 3, 1), 0.5))
    fused = Fused(x, nothing, [half], [half], torch.zeros(()), (nothing, nothing))
    for task in TASKS:
        for preset in PRESETS.values():
            total, _ = losses.total(fused, x, x, task, 5, preset)
            assert float(total) == pytest.approx(0, abs=2e-3)


def test_a_backbone_of_another_size_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from fusionzoo.methods.tc_moa.recipe import load_backbone

    save_file(Network(FILLED).state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="does not fit"):
        load_backbone(Network("tiny"), str(tmp_path / "other.safetensors"))
    save_file({"x": torch.zeros(1)}, tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="no masked autoencoder"):
        load_backbone(Network("tiny"), str(tmp_path / "none.safetensors"))

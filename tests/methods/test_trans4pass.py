"""Trans4PASS: reference numbers of four sizes, key contracts, conversions, deformable operator."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from trans4pass_golden import filled, picture

from fusionzoo import catalog, weights
from fusionzoo.core import WeightsError
from fusionzoo.methods.trans4pass import losses
from fusionzoo.methods.trans4pass.deformable import (
    deformable_convolution,
    plain_deformable_convolution,
)
from fusionzoo.methods.trans4pass.network import (
    Trans4PASS,
    convert,
    imagenet_encoder,
    load_imagenet,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "trans4pass"
NUMBERS = json.loads((GOLDEN / "golden.json").read_text())
SIZES = {
    "trans4pass_T": ("t", False, 15_274_427, "trans4pass_t"),
    "trans4pass_S": ("s", False, 26_319_291, "trans4pass_s"),
    "trans4passplus_T": ("t", True, 15_217_339, "trans4pass_plus_t"),
    "trans4passplus_S": ("s", True, 26_262_203, "trans4pass_plus_s"),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_filled_network_equals_the_reference(name: str) -> None:
    size, plus, count, _ = SIZES[name]
    network = Trans4PASS(size, 19, plus)
    assert sum(p.numel() for p in network.parameters()) == count
    keys = json.loads((GOLDEN / f"{name}_state_dict_shapes.json").read_text())
    assert {k: list(v.shape) for k, v in network.state_dict().items()} == keys
    with torch.inference_mode():
        output = filled(network).outputs(picture())
    found = {f"c{i}": stage for i, stage in enumerate(output.stages, 1)}
    found |= {"head1": output.heads[0], "head4_up": output.heads[3], "logits": output.logits}
    for part, expected in NUMBERS[f"{name}_96x160"].items():
        flat = found[part].flatten()
        assert list(found[part].shape) == expected["shape"]
        assert float(flat.mean()) == pytest.approx(expected["mean"], abs=2e-6)
        assert float(flat.std()) == pytest.approx(expected["std"], rel=1e-4)
        for place, value in expected["samples"].items():
            assert float(flat[int(place)]) == pytest.approx(value, abs=2e-5), part


@pytest.mark.parametrize("name", SIZES)
def test_published_entries_build_the_published_networks(name: str) -> None:
    entry = catalog.find("fusionzoo.methods", SIZES[name][3])
    network = entry.network()
    assert sum(p.numel() for p in network.parameters()) == SIZES[name][2]
    settings = catalog.resolve(entry.recipe).Settings()
    assert (settings.size, settings.plus) == SIZES[name][:2]
    assert network.classes == len(entry.classes.names)


def test_authors_checkpoints_load_whatever_prefix_they_have(tmp_path: Path) -> None:
    entry = catalog.find("fusionzoo.methods", "trans4pass_plus_t")
    network = filled(entry.network())
    state = network.state_dict()
    rename = {"encoder.": "backbone.", "dede_head.": "decode_head."}
    for prefix in ("", "module."):
        theirs = {}
        for key, value in state.items():
            part, _, rest = key.partition(".")
            theirs[f"{prefix}{rename[part + '.']}{rest}"] = value
        assert set(convert(theirs)) == set(state)
        torch.save({"state_dict": theirs}, tmp_path / "theirs.pth")
        other = entry.network()
        loaded = weights.load("trans4pass_plus_t", entry, other, tmp_path / "theirs.pth")
        assert loaded.license == "unknown"
        assert all(torch.equal(v, state[k]) for k, v in other.state_dict().items())
    small = catalog.find("fusionzoo.methods", "trans4pass_s")
    with pytest.raises(WeightsError, match="shapes differ"):
        weights.load("trans4pass_s", small, Trans4PASS("t", 9, True), tmp_path / "theirs.pth")


def test_official_weights_are_named_with_their_terms() -> None:
    entry = catalog.find("fusionzoo.methods", "trans4pass_t")
    with pytest.raises(WeightsError, match=r"InSAI-Lab/Trans4PASS.*--weights FILE"):
        weights.load("trans4pass_t", entry, entry.network(), "official")


def hub_names(encoder: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder as the hub names it, key and value apart."""
    inside = {"norm1": "layer_norm_1", "norm2": "layer_norm_2", "attn.q": "attention.self.query",
              "attn.proj": "attention.output.dense", "attn.sr": "attention.self.sr",
              "attn.norm": "attention.self.layer_norm", "mlp.fc1": "mlp.dense1",
              "mlp.fc2": "mlp.dense2", "mlp.dwconv.dwconv": "mlp.dwconv.dwconv"}  # fmt: skip
    found = {}
    for key, value in encoder.items():
        head, rest = key.split(".", 1)
        stage = int(head[-1]) - 1
        if head.startswith("patch_embed"):
            name = f"patch_embeddings.{stage}.{rest.replace('norm', 'layer_norm')}"
        elif head.startswith("norm"):
            name = f"layer_norm.{stage}.{rest}"
        else:
            number, part = rest.split(".", 1)
            part, kind = part.rsplit(".", 1)
            stem = f"segformer.encoder.block.{stage}.{number}."
            if part == "attn.kv":
                first, second = value.chunk(2)
                found[f"{stem}attention.self.key.{kind}"] = first
                found[f"{stem}attention.self.value.{kind}"] = second
                continue
            found[f"{stem}{inside[part]}.{kind}"] = value
            continue
        found[f"segformer.encoder.{name}"] = value
    return found | {"classifier.weight": torch.zeros(2, 2)}


def test_imagenet_encoders_load_in_both_namings() -> None:
    source = filled(Trans4PASS("nano", 3)).encoder.state_dict()
    plain = {k: v for k, v in source.items() if "offset" not in k and "modulator" not in k}
    for tensors in ({**plain, "head.weight": torch.zeros(2, 2)}, hub_names(plain)):
        assert set(imagenet_encoder(tensors)) == set(plain)
        network = Trans4PASS("nano", 3)
        offsets = network.encoder.patch_embed1.offset_conv.weight.clone()
        load_imagenet(network, tensors)
        state = network.encoder.state_dict()
        assert all(torch.equal(state[k], v) for k, v in plain.items())
        assert torch.equal(state["patch_embed1.offset_conv.weight"], offsets)
    with pytest.raises(ValueError, match="another size"):
        load_imagenet(Trans4PASS("nano", 3), {k: v[..., :1] for k, v in plain.items()})
    with pytest.raises(KeyError, match="do not fit"):
        load_imagenet(Trans4PASS("nano", 3), dict(list(plain.items())[3:]))


def reference_convolution(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, bias: Tensor,
                          stride: int, padding: int) -> Tensor:  # fmt: skip
    """The definition, one tap and pixel at a time."""
    b, c, height, width = x.shape
    n, _, k, _ = weight.shape
    groups = mask.shape[1] // (k * k)
    y = bias.view(1, n, 1, 1).repeat(b, 1, *offset.shape[-2:]).clone()

    def read(s: int, channel: int, row: float, column: float) -> float:
        top, left, total = int(torch.floor(row)), int(torch.floor(column)), 0.0
        for i, j in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            if 0 <= i < height and 0 <= j < width:
                total = total + x[s, channel, i, j] * (1 - abs(row - i)) * (1 - abs(column - j))
        return total

    for s in range(b):
        for i in range(offset.shape[-2]):
            for j in range(offset.shape[-1]):
                for channel in range(c):
                    g = channel * groups // c
                    for tap in range(k * k):
                        at = g * k * k + tap
                        row = i * stride - padding + tap // k + offset[s, 2 * at, i, j]
                        column = j * stride - padding + tap % k + offset[s, 2 * at + 1, i, j]
                        value = read(s, channel, row, column) * mask[s, at, i, j]
                        y[s, :, i, j] += weight[:, channel, tap // k, tap % k] * value
    return y


@pytest.mark.parametrize(("groups", "stride", "kernel"), [(1, 1, 3), (2, 2, 3), (4, 1, 1)])
def test_deformable_convolution_equals_its_definition(
    groups: int, stride: int, kernel: int
) -> None:
    torch.manual_seed(groups)
    padding = kernel // 2
    x = torch.randn(2, 4, 6, 7, dtype=torch.float64)
    h, w = -(-6 // stride), -(-7 // stride)
    offset = 2 * torch.randn(2, 2 * groups * kernel**2, h, w, dtype=torch.float64)
    mask = torch.rand(2, groups * kernel**2, h, w, dtype=torch.float64)
    weight = torch.randn(3, 4, kernel, kernel, dtype=torch.float64)
    bias = torch.randn(3, dtype=torch.float64)
    found = plain_deformable_convolution(x, offset, mask, weight, bias, stride, padding)
    expected = reference_convolution(x, offset, mask, weight, bias, stride, padding)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_no_offset_is_an_ordinary_convolution() -> None:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(1, 8, 20, 30), torch.randn(5, 8, 3, 3), torch.randn(5)
    nothing, ones = torch.zeros(1, 18, 20, 30), torch.ones(1, 9, 20, 30)
    found = deformable_convolution(x, nothing, ones, weight, bias, padding=1)
    plain = functional.conv2d(x, weight, bias, padding=1)
    torch.testing.assert_close(found, plain, rtol=0, atol=5e-5)


def test_offset_layouts_differ_and_brief_precision_keeps_places() -> None:
    torch.manual_seed(0)
    official, meant = Trans4PASS("nano", 3), Trans4PASS("nano", 3, offset_layout="interleaved")
    filled(official)
    meant.load_state_dict(official.state_dict())
    meant.eval()
    x = picture()
    with torch.inference_mode():
        first, second = official(x), meant(x)
        brief = official.bfloat16()(x.bfloat16()).float()
    assert (first - second).abs().max() > 1e-3
    assert (brief - first).abs().max() < 0.1 * first.std()


def test_ignored_pixels_have_no_part_in_any_loss() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 6, 8, requires_grad=True)
    labels = torch.randint(0, 4, (2, 6, 8))
    labels[0] = losses.IGNORE
    for name in ("cross_entropy", "ohem", "focal", "focal_pixel"):
        value = losses.of(name, logits, labels)
        (slope,) = torch.autograd.grad(value, logits)
        assert slope[0].abs().max() == 0
        assert slope[1].abs().max() > 0
        alone = losses.of(name, logits, torch.full_like(labels, losses.IGNORE))
        assert float(alone.detach()) == 0
        alone.backward()


def test_losses_follow_their_formulas() -> None:
    logits = torch.tensor([2.0, 0.0, -1.0]).view(1, 3, 1, 1).repeat(1, 1, 1, 4)
    labels = torch.tensor([[[0, 0, 1, 2]]])
    chance = logits.softmax(1)[0, :, 0, 0]
    c = -torch.log(chance[[0, 0, 1, 2]])
    assert float(losses.of("cross_entropy", logits, labels)) == pytest.approx(float(c.mean()))
    # Class 0 has 0.84, which is above the threshold: it is learnt and left out.
    assert float(losses.of("ohem", logits, labels)) == pytest.approx(float(c[2:].mean()))
    weight = torch.tensor([1.0, 2.0, 3.0])
    weighted = (c * weight[[0, 0, 1, 2]]).sum() / 7
    assert float(losses.cross_entropy(logits, labels, weight)) == pytest.approx(float(weighted))
    batch = 0.5 * (1 - torch.exp(-c.mean())) ** 2 * c.mean()
    assert float(losses.of("focal", logits, labels)) == pytest.approx(float(batch))
    pixel = (0.5 * (1 - torch.exp(-c)) ** 2 * c).mean()
    assert float(losses.of("focal_pixel", logits, labels)) == pytest.approx(float(pixel))

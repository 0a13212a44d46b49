"""ReFusion's networks and losses: reference numbers, hand-computed cases, properties."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import fusionzoo
from fusionzoo import methods, predictor, weights
from fusionzoo.core import PAIRS
from fusionzoo.layers.folding import prepare_for_inference
from fusionzoo.methods.refusion.losses import fusion_loss, gradient, reconstruction_loss
from fusionzoo.methods.refusion.network import Fusion, Proposal, Reconstruction, convert

GOLDEN = Path(__file__).parent.parent / "golden" / "refusion"
FILL = json.loads((GOLDEN / "golden_fill.json").read_text())
SHAPES = json.loads((GOLDEN / "state_dict_shapes.json").read_text())


def filled() -> dict[str, Tensor]:
    """The deterministic state dict that the reference's note describes, in float32."""
    tensors = {}
    for number, (key, shape) in enumerate(FILL["keys"]):
        count = math.prod(shape)
        wave = torch.sin(0.37 * torch.arange(count, dtype=torch.float64) + 0.61 * number)
        if "temperature" in key or (len(shape) == 1 and key.endswith("weight")):
            values = 1 + 0.1 * wave
        elif len(shape) == 1:
            values = 0.02 * wave
        else:
            values = 0.7 * math.sqrt(2 * shape[0] / count) * wave
        tensors[key] = values.view(shape).float()
    return tensors


def with_aliases(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As the authors' files hold them: each convolution twice."""
    aliases = {key.replace(".weight", ".conv.weight"): value for key, value in tensors.items()
               if key.replace(".weight", ".conv.weight") in SHAPES}  # fmt: skip
    return {**tensors, **aliases}


def ramps(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    rows = torch.arange(40, dtype=torch.float64)[:, None]
    columns = torch.arange(56, dtype=torch.float64)[None]
    first, second = (
        0.5 + 0.5 * torch.sin(0.11 * rows * (k + 1) + 0.07 * columns * (k + 2)) for k in (0, 1)
    )
    return first.float().to(dtype)[None, None], second.float().to(dtype)[None, None]


def random_pair(height: int = 24, width: int = 20, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.rand(2, 1, 1, height, width, generator=generator)
    return first, second


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_fusion_gives_the_reference_numbers(dtype: torch.dtype, tolerance: float) -> None:
    network = Fusion().to(dtype)
    network.load_state_dict({k: v.to(dtype) for k, v in convert(filled()).items()})
    fused = network(*ramps(dtype))[0, 0].detach()
    expected = FILL["output_float32" if dtype == torch.float32 else "output_float64"]
    assert float(fused.mean()) == pytest.approx(expected["mean"], abs=tolerance)
    assert float(fused.std(unbiased=False)) == pytest.approx(expected["std"], abs=tolerance)
    for place, value in expected["v"].items():
        row, column = map(int, place.split(","))
        assert float(fused[row, column]) == pytest.approx(value, abs=tolerance)


def test_the_authors_keys_are_ours_after_conversion() -> None:
    found = convert({key: torch.zeros(shape) for key, shape in SHAPES.items()})
    expected = Fusion().state_dict()
    assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in expected.items()}
    assert len(SHAPES) == 140
    assert len(found) == 86


def test_a_file_of_the_authors_form_loads_strictly(tmp_path: Path) -> None:
    tensors = with_aliases(filled())
    assert set(tensors) == set(SHAPES)
    torch.save(tensors, tmp_path / "theirs.pth")
    ready = fusionzoo.load("refusion", weights=tmp_path / "theirs.pth", device="cpu")
    assert ready.label == "refusion@theirs"
    first, second = ramps(torch.float32)
    fused = ready.network(first, second)
    assert float(fused[0, 0, 13, 21]) == pytest.approx(0.5353057980537415, abs=1e-5)
    del tensors["project_out_1.weight"]
    torch.save(tensors, tmp_path / "broken.pth")
    with pytest.raises(fusionzoo.core.WeightsError):
        fusionzoo.load("refusion", weights=tmp_path / "broken.pth", device="cpu")


def test_parameter_counts() -> None:
    def count(network: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(Fusion()) == 59_856
    assert count(Reconstruction()) == 59_648
    proposal = Proposal()
    assert [count(proposal.intensity), count(proposal.gradient)] == [44_529, 44_529]


def test_proposed_weights_sum_to_one_at_full_size() -> None:
    torch.manual_seed(0)
    first, second = random_pair(23, 17)
    for weight in Proposal()(first, second):
        assert weight.shape == (1, 2, 23, 17)
        assert weight.min() > 0
        torch.testing.assert_close(weight.sum(1), torch.ones(1, 23, 17))


def test_a_symmetric_proposal_has_no_favourite_place() -> None:
    torch.manual_seed(0)
    proposal, pair = Proposal(symmetric=True), random_pair()
    for straight, swapped in zip(proposal(*pair), proposal(*pair[::-1]), strict=True):
        torch.testing.assert_close(straight, swapped.flip(1))
        torch.testing.assert_close(straight.sum(1), torch.ones(1, 24, 20))
    assert (straight - 0.5).abs().max() > 1e-4


def test_the_two_proposals_see_intensities_and_gradients() -> None:
    """A constant added to a picture moves W, but not V, except along a border of zeros."""
    torch.manual_seed(0)
    proposal = Proposal("replicate")
    first, second = random_pair()
    before, after = proposal(first, second), proposal(first + 0.5, second)
    assert (after[0] - before[0]).abs().max() > 1e-5
    torch.testing.assert_close(after[1], before[1], atol=1e-5, rtol=0)


def test_reconstruction_branches_stand_alone() -> None:
    torch.manual_seed(0)
    network, (fused, _) = Reconstruction(), random_pair(19, 21)
    before = network(fused)
    assert before.shape == (1, 2, 19, 21)
    assert 0 < before.min() < before.max() < 1
    with torch.no_grad():
        network.second[0].weight.mul_(2)
    after = network(fused)
    assert torch.equal(after[:, 0], before[:, 0])
    assert not torch.equal(after[:, 1], before[:, 1])


def test_gradient_of_a_step() -> None:
    step = torch.zeros(1, 1, 5, 6)
    step[..., 3:] = 0.5
    found = gradient(step, "replicate")[0, 0]
    assert torch.equal(found, torch.tensor([0, 0, 2.0, 2.0, 0, 0]).expand(5, 6))
    flat = torch.ones(1, 2, 4, 4)
    assert gradient(flat, "replicate").abs().max() == 0
    padded = gradient(flat, "zeros")
    assert padded[0, 0, 0].tolist() == [6, 4, 4, 6]  # |3| + |3| in a corner, 4 along an edge
    assert padded[0, 0, 1, 1] == 0


def test_fusion_loss_of_constant_pictures() -> None:
    fused = torch.full((1, 1, 4, 4), 0.5)
    sources = torch.tensor([0.1, 0.8]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    weight = torch.tensor([0.25, 0.75]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    # (0.25 * 0.4)^2 + (0.75 * 0.3)^2; no gradients anywhere.
    loss = fusion_loss(fused, sources, (weight, weight), padding="replicate")
    assert float(loss) == pytest.approx(0.01 + 0.050625)


def test_fusion_loss_of_gradients() -> None:
    step = torch.zeros(1, 1, 4, 4)
    step[..., 2:] = 0.5
    sources, fused = torch.cat([step, torch.zeros_like(step)], 1), torch.zeros(1, 1, 4, 4)
    ignored, taken = torch.zeros(1, 2, 4, 4), torch.ones(1, 2, 4, 4)
    # Half of the pixels have gradient 2 in the first source: mean of (2, 2, 0, 0)^2 is 2.
    loss = fusion_loss(fused, sources, (ignored, taken), 0.5, "replicate")
    assert float(loss) == pytest.approx(0.5 * 2.0)


def test_reconstruction_counts_the_worse_source() -> None:
    sources = torch.zeros(1, 2, 4, 4)
    restored = torch.tensor([0.1, 0.3]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    assert float(reconstruction_loss(restored, sources, "replicate")) == pytest.approx(0.09)
    swapped = restored.flip(1)
    assert float(reconstruction_loss(swapped, sources, "replicate")) == pytest.approx(0.09)


def test_forms_and_weights_of_every_task() -> None:
    entry = methods.find("refusion")
    assert list(entry.forms) == list(PAIRS)
    assert entry.inputs == ("infrared", "visible")
    assert entry.form("mef").inputs == ("under", "over")
    hashes = {form.weights["official"].sha256 for form in entry.forms.values()}
    assert len(hashes) == 4
    for form in entry.forms.values():
        assert form.stretch
        assert form.weights["official"].license == "unknown"
        assert not weights.at_hand(form, "official")


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (45, 33), (200, 90)])
@pytest.mark.parametrize("batch", [1, 2])
def test_the_inference_form_gives_the_same_numbers(size: tuple[int, int], batch: int) -> None:
    network = Fusion().eval()
    network.load_state_dict(convert(filled()))
    fast = prepare_for_inference(network)
    generator = torch.Generator().manual_seed(1)
    first, second = torch.rand(2, batch, 1, *size, generator=generator)
    with torch.inference_mode():
        torch.testing.assert_close(fast(first, second), network(first, second), rtol=0, atol=1e-6)


class LargestTensor(TorchDispatchMode):
    """Notes the size of the largest tensor that any operation gives."""

    largest = 0

    def __torch_dispatch__(self, operation, types, arguments=(), keywords=None):
        result = operation(*arguments, **(keywords or {}))
        for one in result if isinstance(result, tuple | list) else (result,):
            if isinstance(one, Tensor):
                self.largest = max(self.largest, one.numel())
        return result


def test_memory_grows_linearly_with_the_pixels() -> None:
    """The widest map has 128 channels; in strips it never exists whole."""
    network = Fusion().eval()
    fast = prepare_for_inference(network)
    with torch.inference_mode():
        for side in (32, 64, 128):
            plane = torch.rand(1, 1, side, side)
            with LargestTensor() as plain:
                network(plane, plane)
            assert plain.largest == 128 * side * side
        with LargestTensor() as strips:
            fast(torch.rand(1, 1, 512, 256), torch.rand(1, 1, 512, 256))
    assert strips.largest == 32 * 512 * 256


def predictor_of(task: str = "vif") -> predictor.Predictor:
    torch.manual_seed(0)
    network = Fusion().eval()
    network.load_state_dict(convert(filled()))
    return predictor.Predictor("refusion", methods.find("refusion").form(task), network)


@pytest.mark.parametrize("size", [(1, 1), (7, 1), (31, 45)])
def test_any_size_is_fused(size: tuple[int, int]) -> None:
    first, second = torch.rand(1, *size), torch.rand(3, *size)
    fused = predictor_of()(infrared=first, visible=second)
    assert fused.shape == (3, *size)


def test_swapped_inputs_give_another_picture_of_the_same_colours() -> None:
    ready = predictor_of("mef")
    generator = torch.Generator().manual_seed(0)
    under, over = torch.rand(2, 3, 24, 24, generator=generator)
    straight, swapped = ready(under=under, over=over), ready(under=over, over=under)
    assert not torch.equal(straight, swapped)
    assert (straight - swapped).abs().mean() < 0.3


def test_grey_pairs_stay_grey_and_one_colour_is_kept() -> None:
    ready = predictor_of("mff")
    grey, colour = torch.rand(1, 16, 16), torch.rand(3, 16, 16)
    assert ready(near=grey, far=grey.flip(-1)).shape == (1, 16, 16)
    assert ready(near=grey, far=colour).shape == (3, 16, 16)
    assert ready(near=colour, far=colour.flip(-1)).shape == (3, 16, 16)


def test_the_output_is_stretched_unless_told_otherwise() -> None:
    from dataclasses import replace

    ready = predictor_of("mff")
    first, second = random_pair()
    fused = ready(near=first[0], far=second[0])
    assert (float(fused.min()), float(fused.max())) == (0, 1)
    raw = replace(ready, stretch=False)(near=first[0], far=second[0])
    assert 0.1 < float(raw.min()) < float(raw.max()) < 0.9
    assert ready.key != replace(ready, stretch=False).key

"""SAGE's teacher and losses against the reference numbers."""

import pytest
import torch
from torch import nn

from fusionzoo.methods.sage import encoder, losses, network, teacher
from fusionzoo.methods.sage.attention import Streams
from tests.methods.sage_reference import (
    NUMBERS,
    check,
    key_list,
    patches,
    ramp,
    state_dict,
)

KEYS = key_list("teacher_state_dict")


@pytest.fixture(scope="module")
def taught() -> teacher.Taught:
    with torch.inference_mode():
        return filled_teacher().teach(ramp(0), ramp(1), patches(2, 5), patches(3, 6))


def filled_teacher() -> teacher.Teacher:
    built = teacher.Teacher()
    built.load_state_dict(teacher.convert(state_dict(KEYS)), strict=True)
    return built.eval()


def filled_student() -> network.Student:
    built = network.Student().eval()
    tensors = state_dict(key_list("student_state_dict"))
    built.load_state_dict(network.convert(tensors), strict=True)
    return built


def test_the_teacher_equals_the_reference(taught: teacher.Taught) -> None:
    check(taught.fused, NUMBERS["teacher_filled"]["out"])
    for found, expected in zip(taught.features, NUMBERS["teacher_filled"]["features"], strict=True):
        check(found, expected)


def test_a_stage_equals_the_reference() -> None:
    planes = [ramp(k, channels=64) - 0.5 for k in (1, 2, 3)]
    with torch.inference_mode():
        found = filled_teacher().attention[0](Streams(*planes))
    for plane, name in zip(found, ("img", "vi", "ir"), strict=True):
        check(plane, NUMBERS["spa_stage_filled"][name])


def test_the_parameters_are_the_released_ones_without_the_unused_convolution() -> None:
    count = sum(p.numel() for p in teacher.Teacher().parameters())
    unused = sum(
        torch.zeros(value["shape"]).numel()
        for key, value in KEYS.items()
        if key.startswith("compress_and_upsample.")
    )
    assert (count, unused) == (2_639_505, 147_520)
    assert count + unused == 2_787_025
    apart = sum(p.numel() for p in teacher.Teacher(shared_attention=False).parameters())
    assert apart - count == 4 * (5 * 91_456 + 4 * 73_792)


def test_unknown_keys_are_not_guessed() -> None:
    with pytest.raises(KeyError):
        teacher.convert({"module1.0.weight": torch.zeros(1)})


@pytest.mark.parametrize("size", [(16, 16), (33, 50)])
def test_odd_sizes_go_through(size: tuple[int, int]) -> None:
    masks = torch.ones(1, 4, *size)
    with torch.inference_mode():
        fused = filled_teacher()(ramp(0, *size), ramp(1, *size), masks, masks)
    assert fused.shape == (1, 1, *size)
    assert torch.isfinite(fused).all()


def test_gradient_loss_equals_the_reference() -> None:
    visible, infrared = ramp(0), ramp(1)
    expected = NUMBERS["grad_loss"]
    both = (visible, infrared)
    assert float(losses.gradient_loss(visible, both)) == pytest.approx(expected["G(vi;vi,ir)"])
    same = losses.gradient_loss(infrared, (visible, visible))
    assert float(same) == pytest.approx(expected["G(ir;vi,vi)"], rel=1e-5)
    mean = losses.gradient_loss((visible + infrared) / 2, both)
    assert float(mean) == pytest.approx(expected["G(0.5(vi+ir);vi,ir)"], rel=1e-5)


def test_gradient_loss_on_two_scales_is_their_mean() -> None:
    visible, infrared = ramp(0), ramp(1)
    halves = [nn.functional.avg_pool2d(plane, 2) for plane in (visible, infrared)]
    whole = losses.gradient_loss(visible, (infrared,))
    half = losses.gradient_loss(halves[0], (halves[1],))
    both = losses.gradient_loss(visible, (infrared,), scales=2)
    torch.testing.assert_close(both, (whole + half) / 2)


def test_feature_loss_equals_the_reference(taught: teacher.Taught) -> None:
    with torch.inference_mode():
        seen = filled_student().features(ramp(0), ramp(1))
        loss = losses.feature_loss(seen, taught.features)
    expected = NUMBERS["cosine_loss_student_filled_vs_teacher_filled"]
    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="module")
def sam() -> encoder.SamBlocks:
    built = encoder.SamBlocks()
    tensors = state_dict(key_list("contrast_sam_encoder_keys"))
    del tensors["pos_embed"]
    built.load_state_dict(tensors, strict=True)
    return built.eval().requires_grad_(False)


def test_sams_blocks_equal_the_reference(sam: encoder.SamBlocks) -> None:
    assert sum(p.numel() for p in sam.parameters()) == 14_773_248
    with torch.inference_mode():
        maps = sam(ramp(0, 64, 96))
    for found, name in zip(maps, ("feat0", "feat1"), strict=True):
        check(found, NUMBERS["contrast_filled"][name])


def test_contrast_loss_equals_the_reference(sam: encoder.SamBlocks) -> None:
    visible, infrared = ramp(0, 64, 96), ramp(1, 64, 96)
    fused, reference = (visible + infrared) / 2, 0.3 * visible + 0.7 * infrared
    masks = (patches(2, 5, 64, 96), patches(3, 6, 64, 96))
    with torch.inference_mode():
        found = losses.contrast_loss(sam, fused, reference, (visible, infrared), masks)
    expected = NUMBERS["contrast_filled"]
    assert float(found[0]) == pytest.approx(expected["DH3"], rel=1e-5)
    assert float(found[1]) == pytest.approx(expected["DH4"], rel=1e-5)

"""SAGE's training: whose turn it is, both variants, exact resuming, processes, bad input."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import fusionzoo
from fusionzoo import image, parallel
from fusionzoo.core import DataError, FusionZooError, Sample, WeightsError
from fusionzoo.methods.sage import encoder, segmentation
from fusionzoo.methods.sage.recipe import Recipe, Settings, TeacherRecipe
from fusionzoo.train import run
from fusionzoo.train.settings import build

ROOT = Path(__file__).parent.parent.parent
CPU = torch.device("cpu")
TINY = {"steps": 6, "pretraining": 2, "batch": 2, "height": 32, "width": 32}
SETTINGS = [f"{name}={value}" for name, value in TINY.items()]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def data(tmp_path: Path, draw) -> Path:
    """A RoadScene of four pairs."""
    for seed in range(4):
        folder = tmp_path / "data" / "RoadScene"
        image.write(folder / "crop_LR_visible" / f"{seed}.png", draw(40, 50, 3, seed))
        image.write(folder / "cropinfrared" / f"{seed}.png", draw(40, 50, 1, seed + 9))
    return tmp_path / "data"


def batch(count: int = 2, side: int = 32) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (count, 1, side, side)
    return {
        name: torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        for name in ("visible", "infrared", "masks")
    }


def recipe(**changes: object) -> Recipe:
    return Recipe(Settings(**{**TINY, **changes}), CPU)


def test_the_defaults_are_the_papers() -> None:
    settings = Settings()
    assert (settings.height, settings.width, settings.batch) == (192, 256, 4)
    assert (settings.learning_rate, settings.teacher_learning_rate) == (2e-3, 5e-4)
    weights = (settings.visible, settings.infrared, settings.reference, settings.gradient)
    assert weights == (9, 6, 12, 27)
    assert settings.contrast == pytest.approx(1 / 3000)
    assert settings.gradient_scales == 1


def test_the_teacher_begins_and_then_they_take_turns() -> None:
    turns = [recipe(steps=8).teachers_turn(step) for step in range(8)]
    assert turns == [True, True, False, True, False, True, False, True]
    rare = [recipe(teacher_every=3).teachers_turn(step) for step in range(8)]
    assert rare == [True, True, False, False, True, False, False, True]
    assert [recipe(teacher_every=0).teachers_turn(step) for step in (1, 2, 7)] == [
        True, False, False,
    ]  # fmt: skip


def moved(network: nn.Module, before: dict[str, Tensor]) -> set[str]:
    """Names of what changed: weights, statistics."""
    changed = {key for key, value in network.state_dict().items() if not value.equal(before[key])}
    return {"statistics" if "running" in key or "tracked" in key else "weights" for key in changed}


def copied(network: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in network.state_dict().items()}


@pytest.mark.parametrize("variant", ["paper", "official"])
def test_a_step_moves_its_own_network(variant: str) -> None:
    trained = recipe(variant=variant)
    before = copied(trained.student), copied(trained.teacher)
    logged = trained.update(batch(), 2)
    assert "student/contrast" in logged
    assert moved(trained.student, before[0]) == {"weights", "statistics"}
    assert moved(trained.teacher, before[1]) == set()
    before = copied(trained.student), copied(trained.teacher)
    logged = trained.update(batch(), 3)
    assert "teacher/imitation" in logged
    assert moved(trained.teacher, before[1]) == {"weights"}
    # The released code leaves the student's batch normalisation running in the teacher's steps.
    expected = {"statistics"} if variant == "official" else set()
    assert moved(trained.student, before[0]) == expected


def test_before_distillation_the_paper_compares_with_nothing() -> None:
    assert "teacher/imitation" not in recipe().update(batch(), 0)
    assert "teacher/imitation" in recipe(variant="official").update(batch(), 0)


def test_the_students_sum_is_that_of_the_formula() -> None:
    """Recomputed from torch's own parts, with masks and contrast apart."""
    trained = recipe(contrast=0)
    one = batch()
    visible, infrared = (one[name].float() / 255 for name in ("visible", "infrared"))
    with torch.no_grad():
        from fusionzoo.methods.sage.masks import unpack

        taught = trained.teacher.teach(visible, infrared, *unpack(one["masks"]))
        trained.student.train()
        features = trained.student.features(visible, infrared)
        fused = trained.student.head(features.x5)
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None]

    def edges(x: Tensor) -> Tensor:
        along, across = (nn.functional.conv2d(x, k, padding=1) for k in (kernel, kernel.mT))
        return along.abs() + across.abs()

    strongest = torch.maximum(edges(visible), edges(infrared))
    mse = nn.functional.mse_loss
    angles = [
        1 - torch.cosine_similarity(s.flatten(1), t.flatten(1)).mean()
        for s, t in zip(features, taught.features, strict=True)
    ]
    expected = 9 * mse(fused, visible) + 6 * mse(fused, infrared) + 12 * mse(fused, taught.fused)
    expected += 27 * (edges(fused) - strongest).abs().mean()
    expected += 9 * (edges(fused) - edges(taught.fused)).abs().mean() + 0.3 * sum(angles)
    assert trained.update(one, 2)["student"] == pytest.approx(float(expected), rel=1e-4)


def test_a_part_of_the_batch_is_enough_for_the_teacher() -> None:
    trained = recipe(batch=4, taught=1)
    seen = []
    original = trained.teacher.teach
    trained.teacher.teach = lambda *planes: seen.append(len(planes[0])) or original(*planes)
    trained.update(batch(4), 2)
    trained.update(batch(4), 3)
    assert seen == [1, 1]


def test_schedules_end_at_the_lowest_rate_or_half_way_as_released() -> None:
    rates = {}
    for variant in ("paper", "official"):
        trained = recipe(variant=variant, steps=8, pretraining=0, batch=1, contrast=0)
        for step in range(8):
            trained.update(batch(1, 16), step)
        rates[variant] = trained.optimisers[0].param_groups[0]["lr"]
    assert rates["paper"] == pytest.approx(1e-5)
    assert rates["official"] == pytest.approx((2e-3 + 1e-5) / 2)


def job(data: Path, out: str, *changes: str, **more: object) -> run.Job:
    given = {"dataset": "roadscene", "data": data, "device": "cpu", **more}
    return run.Job("sage", changes=(*SETTINGS, *changes), out=data.parent / out, **given)


def test_a_stopped_training_goes_on_bit_for_bit(data: Path) -> None:
    assert run.train(job(data, "whole")) == 6
    stop = int(np.random.default_rng().integers(1, 6))
    assert run.train(job(data, "parts", stop_after=stop)) == stop
    assert run.train(job(data, "parts")) == 6
    whole, parts = (
        torch.load(data.parent / out / "checkpoint.pt", weights_only=True)["state"]
        for out in ("whole", "parts")
    )
    for name in ("student", "teacher"):
        assert all(torch.equal(whole[name][key], parts[name][key]) for key in whole[name])
    exported = load_file(data.parent / "parts" / run.WEIGHTS)
    assert set(exported) == set(whole["student"])
    path = data.parent / "parts" / "teacher.safetensors"
    teacher = fusionzoo.load("sage_teacher", weights=str(path), device="cpu")
    assert teacher.label == "sage_teacher@teacher"
    fused = teacher(visible=torch.rand(3, 33, 50), infrared=torch.rand(1, 33, 50))
    assert fused.shape == (3, 33, 50)


def test_a_pretrained_teacher_is_loaded_strictly(data: Path, tmp_path: Path) -> None:
    first = TeacherRecipe(Settings(**TINY), CPU)
    assert first.teachers_turn(5)
    torch.save(first.weights(), tmp_path / "teacher.pt")
    other = recipe(seed=9, teacher_weights=str(tmp_path / "teacher.pt"))
    assert moved(other.teacher, copied(first.teacher)) == set()
    torch.save(first.student.state_dict(), tmp_path / "student.pt")
    with pytest.raises(WeightsError, match="was not made for Teacher"):
        recipe(teacher_weights=str(tmp_path / "student.pt"))


SCRIPT = """
import sys
from pathlib import Path
import torch
from fusionzoo.train import run
torch.set_num_threads(1)
out, data, batch, *settings = sys.argv[1:]
settings.append(f"batch={batch}")
run.train(run.Job("sage", "roadscene", settings, Path(out), Path(data), "cpu"))
"""


def test_two_processes_are_one_with_the_doubled_batch(data: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Small steps, because Adam turns rounding of vanishing gradients into whole steps.
    rates = ["learning_rate=5e-4", "teacher_learning_rate=1e-4"]
    changes = [text for text in SETTINGS if not text.startswith("batch")] + rates

    def start(size: int, out: str, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SCRIPT, str(data.parent / out), str(data), str(size)]
        return subprocess.Popen([*command, *changes], cwd=ROOT, env={**os.environ, **more})

    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [start(1, "two", RANK=str(r), LOCAL_RANK=str(r), **shared) for r in (0, 1)]
    running.append(start(2, "one"))
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    lines = [
        [json.loads(line) for line in (data.parent / out / "log.jsonl").read_text().splitlines()]
        for out in ("one", "two")
    ]
    assert len(lines[0]) == 6
    for one, two in zip(*lines, strict=True):
        names = set(one) - {"seconds", "waiting"}
        assert {name: one[name] for name in names} == pytest.approx(
            {name: two[name] for name in names}, rel=1e-3
        )


def test_settings_that_cannot_work_are_refused() -> None:
    for text, message in [
        ("height=8", "too small"),
        ("taught=9", "expected 1 to batch"),
        ("teacher_every=1", "at least 2"),
        ("variant=best", "paper or official"),
        ("contrats=1", "did you mean contrast"),
    ]:
        with pytest.raises(FusionZooError, match=message):
            build(Settings, [text])


def test_an_encoder_that_is_not_sam_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "encoder.pt"
    torch.save({"image_encoder.neck.0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"keys are missing.*random features is refused"):
        recipe(encoder=str(path))
    tensors = encoder.SamBlocks().state_dict()
    tensors["patch_embed.proj.bias"] = torch.zeros(1024)
    torch.save(tensors, path)
    with pytest.raises(WeightsError, match="another size of SAM"):
        recipe(encoder=str(path))
    with pytest.raises(WeightsError, match="not a file"):
        recipe(encoder=str(tmp_path / "none.pt"))


def test_metas_file_and_an_encoder_export_give_the_same_features(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tensors = encoder.SamBlocks().state_dict()
    torch.save(tensors, tmp_path / "export.pt")
    whole = {f"image_encoder.{key}": value for key, value in tensors.items()}
    torch.save({**whole, "mask_decoder.x": torch.zeros(1)}, tmp_path / "whole.pt")
    picture = torch.rand(1, 1, 32, 48)
    one, two = (encoder.load(tmp_path / f"{name}.pt")(picture) for name in ("export", "whole"))
    assert torch.equal(one[1], two[1])


def test_block_cosines_are_an_orthonormal_transform() -> None:
    cosines = encoder.load(None)
    picture = torch.rand(1, 1, 32, 32)
    first, second = cosines(picture)
    assert first.shape == (1, 64, 4, 4)
    assert second.shape == (1, 64, 2, 2)
    torch.testing.assert_close(first.square().sum(), picture.square().sum())
    torch.testing.assert_close(second[0, 0, 0, 0], picture[..., :16, :16].sum() / 16)


def small_segmenter() -> nn.Module:
    return nn.Conv2d(3, 5, 3, stride=2, padding=1)


SEGMENTER = f"{__name__}:small_segmenter"


def test_a_segmenter_judges_the_teacher_and_needs_labels() -> None:
    trained = recipe(segmenter=SEGMENTER)
    scene = Sample("a", {"visible": torch.rand(3, 40, 40), "infrared": torch.rand(1, 40, 40)})
    with pytest.raises(DataError, match="a has no label map"):
        trained.prepare(scene)
    labels = torch.randint(0, 5, (40, 40))
    planes = trained.prepare(Sample("a", scene.images, labels))
    assert torch.equal(planes["labels"][0].long(), labels)
    ready = {name: plane[None, :, :32, :32] for name, plane in planes.items()}
    assert trained.update(ready, 0)["teacher/segmentation"] > 0
    with pytest.raises(FusionZooError, match="cannot be built"):
        recipe(segmenter="fusionzoo:nothing")


def test_the_released_segmentation_loss_does_not_see_labels() -> None:
    judge, fused = small_segmenter(), torch.rand(1, 1, 16, 16)
    colour = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    some, other = (torch.full((1, 1, 16, 16), k, dtype=torch.uint8) for k in (1, 3))
    found = [segmentation.loss(judge, fused, colour, k, official=True) for k in (some, other)]
    assert torch.equal(*found)
    mended = [segmentation.loss(judge, fused, colour, k, official=False) for k in (some, other)]
    assert not torch.equal(*mended)
    ignored = torch.full((1, 1, 16, 16), 255, dtype=torch.uint8)
    assert segmentation.loss(judge, fused, colour, ignored, official=False) == 0


def test_processes_are_not_needed() -> None:
    x = torch.ones(3)
    assert parallel.total(x) is x


def test_the_teacher_finds_its_own_masks() -> None:
    from fusionzoo.methods.sage import masked, masks

    torch.manual_seed(0)
    network = masked.MaskedTeacher().eval()
    visible, infrared = torch.rand(2, 1, 32, 48), torch.rand(2, 1, 32, 48)
    visible[:, :, :20, :30] = 0.9
    provider = masks.Felzenszwalb()
    found = [
        masks.pack(*(provider.find("", "", image.to_levels(plane)) for plane in pair))
        for pair in zip(visible, infrared, strict=True)
    ]
    with torch.inference_mode():
        expected = network.teach(visible, infrared, *masks.unpack(torch.stack(found))).fused
        assert torch.equal(network(visible, infrared), expected)


def test_a_teacher_is_never_made_up() -> None:
    with pytest.raises(WeightsError, match=r"sage_teacher needs.*methods/sage\.md"):
        fusionzoo.load("sage_teacher", device="cpu")

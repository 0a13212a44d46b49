"""Segmenters through the predictor and the command: probabilities, label maps, areas, panoramas."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from fusionzoo import classes, datasets, fuse, image, methods, predictor, segmentation, tiling
from fusionzoo.cli import cli
from fusionzoo.core import ImageError, UnknownNameError


def by_brightness(picture: Tensor) -> Tensor:
    """Logits (B, 15, H, W): class 9 where it is bright, 1 where not; class 0 is never to win."""
    bright = picture.mean(1, keepdim=True)
    logits = torch.zeros(len(picture), 15, *picture.shape[-2:])
    logits[:, 0] = 50
    logits[:, 9:10], logits[:, 1:2] = 10 * bright, 10 * (1 - bright)
    return logits


@pytest.fixture
def ready() -> predictor.Predictor:
    return predictor.Predictor("trans4pass", methods.find("trans4pass"), by_brightness)


def test_a_segmenter_gives_probabilities_and_never_the_ignored_class(
    ready: predictor.Predictor,
) -> None:
    chances = ready(visible=torch.rand(2, 3, 40, 50))
    assert chances.shape == (2, 15, 40, 50)
    torch.testing.assert_close(chances.sum(1), torch.ones(2, 40, 50))
    assert chances[:, 0].max() == 0


@pytest.mark.parametrize("role", ["visible", "panorama", "infrared"])
def test_it_takes_one_picture_of_any_role_it_knows(role: str, ready: predictor.Predictor) -> None:
    assert ready(**{role: torch.rand(1, 40, 50)}).shape == (15, 40, 50)


def test_it_says_what_it_takes(ready: predictor.Predictor) -> None:
    with pytest.raises(ImageError, match="takes visible; got hazy"):
        ready(hazy=torch.rand(3, 40, 50))
    with pytest.raises(ImageError, match="takes visible; got nothing"):
        ready()


def test_run_writes_label_maps_overlays_and_areas(
    tmp_path: Path, ready: predictor.Predictor
) -> None:
    levels = np.zeros((40, 60, 3), np.uint8)
    levels[:, 45:] = 255
    image.write(tmp_path / "in" / "one.png", levels)
    items = datasets.folder(panorama=tmp_path / "in").listing(None, "all").items
    out, seen = tmp_path / "out", []
    fuse.fuse(ready, items, out, seen.append)
    ids = image.read(out / "one.png")
    assert ids.ndim == 2
    assert (ids[:, :45] == 1).all()
    assert (ids[:, 45:] == 9).all()
    overlay = image.read(out / "overlay" / "one.png")
    np.testing.assert_array_equal(overlay[5, 5], np.round(np.array([179, 228, 228]) / 2))
    segmentation.write_areas(out, ["one", "absent"], classes.FMB)
    head, line = (out / "areas.csv").read_text().splitlines()
    shares = dict(zip(head.split(","), line.split(","), strict=True))
    assert (shares["image"], shares["Road"], shares["Car"]) == ("one", "0.750000", "0.250000")
    fuse.fuse(ready, items, out, seen.append)
    assert [outcome.state for outcome in seen] == ["made", "kept"]


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    image.write(tmp_path / "p.png", np.zeros((40, 60, 3), np.uint8))
    found = CliRunner().invoke(cli, ["run", "trans4pass_s", "--panorama", str(tmp_path / "p.png")])
    assert "InSAI-Lab/Trans4PASS" in str(found.exception)
    found = CliRunner().invoke(cli, ["run", "average", "--panorama", str(tmp_path / "p.png")])
    assert "needs infrared, visible" in str(found.exception)


def test_wrapping_makes_both_ends_neighbours() -> None:
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 4, 5, padding=2)
    panorama = torch.rand(1, 3, 20, 50)
    with torch.inference_mode():
        whole = tiling.run_wrapped(network, [panorama], 8)
        turned = tiling.run_wrapped(network, [panorama.roll(13, -1)], 8)
        plain = network(panorama)
    assert whole.shape == plain.shape
    torch.testing.assert_close(turned, whole.roll(13, -1))
    torch.testing.assert_close(whole[..., 3:-3], plain[..., 3:-3])
    assert (whole - plain).abs()[..., :2].max() > 1e-3
    assert tiling.wrapped(panorama, 80).shape[-1] == 150


def test_a_predictor_wraps_on_request(ready: predictor.Predictor) -> None:
    entry = methods.find("trans4pass")
    torch.manual_seed(0)
    blur = torch.nn.Conv2d(3, 15, 9, padding=4).requires_grad_(False)
    panorama = torch.rand(3, 40, 64)
    free, open_ended = (
        predictor.Predictor("trans4pass", entry, blur, wrap=wrap) for wrap in (16, 0)
    )
    turned = free(panorama=panorama.roll(20, -1)).roll(-20, -1)
    torch.testing.assert_close(turned, free(panorama=panorama))
    assert (open_ended(panorama=panorama) - turned).abs().max() > 1e-3
    assert free.key != open_ended.key


def test_class_tables_map_onto_each_other() -> None:
    thirteen = classes.find("outdoor13").names
    nineteen = classes.find("cityscapes19").names
    merged = classes.mapping("cityscapes19", "outdoor13")
    assert len(merged) == 19
    assert thirteen[merged[nineteen.index("rider")]] == "person"
    assert thirteen[merged[nineteen.index("bus")]] == "car"
    assert merged[nineteen.index("train")] == classes.IGNORE
    synthetic = classes.mapping("synpass22", "outdoor13")
    names = classes.find("synpass22").names
    assert thirteen[synthetic[names.index("RoadLine")]] == "road"
    assert synthetic[0] == classes.IGNORE
    with pytest.raises(UnknownNameError, match="unknown class table 'ade'"):
        classes.find("ade")
    with pytest.raises(UnknownNameError, match="no map of classes from fmb"):
        classes.mapping("fmb", "outdoor13")
    for table in classes.TABLES.values():
        assert len(table.names) == len(table.palette) == len(set(table.palette))
        for weight in table.weights.values():
            assert len(weight) == len(table.names)
    for (source, target), ids in classes.MAPS.items():
        assert len(ids) == len(classes.find(source).names)
        assert max(i for i in ids if i != classes.IGNORE) < len(classes.find(target).names)

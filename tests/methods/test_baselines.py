"""Baselines on cases small enough to compute by hand, and on the reference table."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import fusionzoo
from fusionzoo import bench, datasets, metrics, store
from fusionzoo.layers import guided
from fusionzoo.methods import guided_filter, laplacian

TABLE = json.loads((Path(__file__).parent.parent / "golden" / "baselines.json").read_text())


def test_average_and_maximum() -> None:
    visible, infrared = torch.tensor([[[0.2, 0.8]]]), torch.tensor([[[0.6, 0.4]]])
    levels = {
        name: (fusionzoo.load(name)(visible=visible, infrared=infrared) * 255).tolist()[0][0]
        for name in ("average", "max")
    }
    assert levels["average"] == pytest.approx([102, 153])
    assert levels["max"] == pytest.approx([153, 204])


def test_a_composite_keeps_both_luminances_apart() -> None:
    generator = torch.Generator().manual_seed(0)
    visible = torch.rand(3, 5, 7, generator=generator)
    infrared = torch.rand(1, 5, 7, generator=generator)
    fused = fusionzoo.load("false_colour")(visible=visible, infrared=infrared)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    luminance = (visible * weights).sum(0)
    torch.testing.assert_close(fused[0], infrared[0])
    torch.testing.assert_close(fused[1], luminance, rtol=0, atol=1e-6)
    assert torch.equal(fused[1], fused[2])
    same = fusionzoo.load("false_colour")(visible=infrared, infrared=infrared)
    torch.testing.assert_close(same, infrared.expand(3, -1, -1), rtol=0, atol=1e-6)


@pytest.mark.parametrize("role", ["visible", "infrared"])
def test_copies_are_copies(role: str) -> None:
    picture = torch.rand(3, 5, 7)
    assert torch.equal(fusionzoo.load(role)(**{role: picture}), picture)


def test_laplacian_of_equal_pictures_is_the_picture() -> None:
    plane = torch.rand(2, 1, 61, 45)
    torch.testing.assert_close(laplacian.laplacian(plane, plane), plane, rtol=0, atol=1e-6)


def test_laplacian_takes_detail_from_the_stronger_source() -> None:
    flat = torch.full((1, 1, 64, 64), 0.5)
    edge = flat.clone()
    edge[..., 32:] = 0.7
    fused = laplacian.laplacian(flat, edge)
    # The mean of the sources would step by 0.1, the stronger detail steps by nearly 0.2.
    assert (fused[..., 34] - fused[..., 29]).mean() > 0.15


def test_guided_filter_weights_follow_saliency() -> None:
    generator = torch.Generator().manual_seed(0)
    textured = 0.5 + 0.2 * torch.rand(1, 1, 96, 96, generator=generator)
    flat = torch.full_like(textured, 0.2)
    fused = guided_filter.fuse(textured, flat)
    assert (fused - textured).abs().mean() < (fused - flat).abs().mean()
    torch.testing.assert_close(guided_filter.fuse(flat, flat), flat, rtol=0, atol=1e-5)


def test_guided_filter_keeps_what_it_is_guided_by() -> None:
    guide = np.random.default_rng(0).random((40, 40)).astype(np.float32)
    kept = guided.guided_filter(guide, guide, 3, 1e-8)
    np.testing.assert_allclose(kept, guide, atol=1e-4)


@pytest.mark.parametrize(
    ("dataset", "row"),
    [("fmb", "FMB"), ("m3fd", "M3FD"), ("roadscene:test50", "RoadScene"), ("tno", "TNO")],
)
def test_the_reference_table(dataset: str, row: str, shared: Path, tmp_path: Path) -> None:
    entry, split = datasets.parse(dataset)
    listing = entry.listing(shared / "data", split)
    names = ["average", "max", "laplacian"]
    methods = [fusionzoo.load(name, device="cpu") for name in names]
    chosen = metrics.select("EN,SD,SF,AG,SCD,SSIM,MS-SSIM")
    grid = bench.Grid(dataset.partition(":")[0], entry, listing, methods, chosen, tmp_path)
    for result in bench.run(grid):
        expected = TABLE["values"][f"{row}|{result.method}"]
        assert len(result.records) == expected["n"]
        assert store.read(grid.cell(methods[names.index(result.method)])).scores == result.scores
        for metric in chosen:
            symbol = metric.symbol.replace("-", "")
            assert result.scores[metric.symbol] == pytest.approx(expected[symbol], rel=5e-3)

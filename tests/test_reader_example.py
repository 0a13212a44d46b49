"""The torchvision reader of Trans4PASS's card, installed as a plug-in; needs torchvision."""

import importlib
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from fusionzoo import datasets, image, segmentation
from fusionzoo.cli import cli
from fusionzoo.metrics.miou import confusion, miou

CARD = Path(__file__).parent.parent / "methods" / "trans4pass.md"
METADATA = "Metadata-Version: 2.1\nName: my-reader\nVersion: 1\n"
POINTS = '[fusionzoo.methods]\nmy_reader = my_reader\n'  # fmt: skip


def segmenter(monkeypatch: pytest.MonkeyPatch) -> type[torch.nn.Module]:
    """The network as the card wraps it; what is missing is said when it is skipped."""
    try:
        importlib.import_module("torchvision.models.segmentation")
    except (ImportError, RuntimeError):
        pytest.skip("torchvision is not installed, or was made for another torch")
    monkeypatch.delitem(sys.modules, "my_reader", raising=False)
    return importlib.import_module("my_reader").Segmenter


def test_the_cards_reader_judges_fused_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", CARD.read_text(), re.S)
    module = tmp_path / "my_reader.py"
    module.write_text(block)
    monkeypatch.syspath_prepend(str(tmp_path))
    torch.manual_seed(0)
    network = segmenter(monkeypatch)().eval()
    for norm in (m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
    (tmp_path / "weights").mkdir()
    save_file(dict(network.state_dict()), tmp_path / "weights" / "mine.safetensors")
    sha256 = image.digest(tmp_path / "weights" / "mine.safetensors")
    module.write_text(block.replace('sha256="..."', f'sha256="{sha256}"'))
    information = tmp_path / "my_reader-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(METADATA)
    (information / "entry_points.txt").write_text(POINTS)
    monkeypatch.setenv("FUSIONZOO_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.syspath_prepend(str(tmp_path / "."))
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "my_reader")
    options = ["bench", "--methods", "average", "--datasets", "demo", "--metrics", "EN",
               "--reader", "my_reader", "--out", str(tmp_path / "out"),
               "--device", "cpu"]  # fmt: skip
    done = CliRunner().invoke(cli, options)
    assert done.exit_code == 0, done.output
    folder = tmp_path / "out" / "demo" / "readers" / "my_reader@mine"
    found = json.loads(next(folder.glob("average*.json")).read_text())
    assert found["scores"]["mIoU"] == pytest.approx(expected(network), abs=1e-4)


@torch.inference_mode()
def expected(network: torch.nn.Module) -> float:
    """MIoU of the averaged pictures, by torchvision's network alone."""
    total = 0
    for item in datasets.find("demo").listing(None, "test").items:
        sample = item.load()
        mean = (sample.images["visible"] + sample.images["infrared"]) / 2
        picture = image.to_plane(image.to_levels(mean))
        guess = segmentation.label_map(segmentation.probabilities(network(picture[None]), (0,))[0])
        total = total + confusion(guess, sample.target.numpy(), 15)
    return miou(total, "fmb14").value

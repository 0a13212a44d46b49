"""Adaptation in two processes equals one process with the doubled batch."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from test_trans4pass_adaptation import adapted, batch_of
from torch import Tensor

from fusionzoo import methods, predictor
from fusionzoo.methods.trans4pass.network import Trans4PASS
from fusionzoo.methods.trans4pass.recipe_adaptation import AdaptationSettings, Recipe

WORKER = """
import sys, torch
from pathlib import Path
sys.path.insert(0, {tests!r})
torch.set_num_threads(1)
from fusionzoo import parallel
import test_trans4pass_processes as t
with parallel.group(torch.device("cpu")):
    recipe = t.rebuilt(Path({folder!r}))
    recipe.update(t.batch_of(recipe, slice(parallel.rank(), parallel.rank() + 1)), 0)
    if parallel.is_main():
        torch.save(t.results(recipe), Path({folder!r}) / "together.pt")
"""


def rebuilt(folder: Path) -> Recipe:
    """The recipe whose settings `test_two_processes...` left in the folder."""
    settings = json.loads((folder / "settings.json").read_text())
    torch.manual_seed(1)
    return Recipe(AdaptationSettings(**settings), torch.device("cpu"))


def results(recipe: Recipe) -> dict[str, Tensor]:
    """Gradients of both networks, running statistics and prototypes after an update."""
    found = {"prototypes": recipe.bank.prototypes}
    for part, network in (("network", recipe.network), ("judge", recipe.discriminator)):
        found |= {f"{part}.{n}": p.grad for n, p in network.named_parameters()}
    running = recipe.network.state_dict().items()
    return {**found, **{name: value for name, value in running if "running" in name}}


def test_two_processes_equal_one_with_a_doubled_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Trans4PASS("nano", 15).eval()
    ready = predictor.Predictor("trans4pass", methods.find("trans4pass"), network)
    alone = adapted(
        tmp_path,
        ready,
        "mpa",
        bank_momentum=0.5,
        adversarial=1.0,
        prototypical=1.0,
        source_loss="cross_entropy",
        statistics="batch",
    )
    kept = [int((plane != 255).sum()) for plane in batch_of(alone)["target/labels"]]
    assert kept[0] != kept[1], "unequal shares are what the weighting is for"
    (tmp_path / "settings.json").write_text(json.dumps(dataclasses.asdict(alone.settings)))
    (tmp_path / "worker.py").write_text(
        WORKER.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]),
                   "OMP_NUM_THREADS": "1"}  # fmt: skip
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
               "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0",
               str(tmp_path / "worker.py")]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    together = torch.load(tmp_path / "together.pt", weights_only=True)
    alone.update(batch_of(alone), 0)
    found = results(alone)
    assert set(found) == set(together)
    # A bias in front of a normalisation has no gradient but rounding, and in the discriminator's
    # the halves of both domains nearly cancel: small ones are measured by the largest.
    for part in ("network", "judge", "running", "prototypes"):
        names = [name for name in found if part in name]
        floor = (0.1 if part == "judge" else 0.01) * max(
            float(found[name].abs().max()) for name in names
        )
        for name in names:
            scale = max(float(found[name].abs().max()), floor)
            torch.testing.assert_close(
                together[name], found[name], rtol=0, atol=1e-3 * scale, msg=name
            )

r"""Does adaptation to panoramas help? Source only, after warm-up, after MPA, several seeds.

    python benchmarks/panorama_adaptation.py runs/pilot --seeds 100 --split held_out \
        --stages source=30 --set source_loss=ohem
    python benchmarks/panorama_adaptation.py runs/adaptation --seeds 0,1,2
    python benchmarks/panorama_adaptation.py runs/long --device cuda --source train_large \
        --target train_large --split test_large --stages source=800,warm_up=800,mpa=800

The first is for choosing settings and finding causes, the last takes a GPU minutes. The source
weights (`trans4pass@zoo`, pinhole pictures of `demo`) are the same for all seeds; a seed decides
order, crops, tones and the discriminator. `--stages` names the stages and their updates:

    source         the control: training goes on with the source alone, for as many updates
    warm_up        from the source weights
    self_training  with pseudo labels, from the one of these three named before it, or the source
    mpa            likewise
    oracle         from the source weights, with true labels of panoramas: what could be had

The published order is `--stages warm_up=100,mpa=200 --teacher before`.

Each is what `fusionzoo train` and `fusionzoo pseudo-label` do; a stopped run goes on. But for the
oracle, labels of panoramas are used for measuring only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from fusionzoo import datasets, image, predictor, pseudo, segmentation
from fusionzoo.core import Item, Sample
from fusionzoo.datasets._demo.kept import VARIABLE
from fusionzoo.metrics.miou import confusion, miou
from fusionzoo.train import run

NAME = "trans4pass_adaptation"


@dataclass(frozen=True)
class Setup:
    """What is the same for all seeds.

    Attributes:
        stages: Names and updates.
        changes: Settings of all stages.
        teacher: "before" or "zoo": who makes pseudo labels.
        scales: Of the pseudo labels.
        limit: Scenes of each domain for the prototypes.
        source: Split of `demo`.
        target: Split of `demo_panorama`.
        device: Where networks run.
        precision: Of training.
    """

    stages: dict[str, int]
    changes: tuple[str, ...]
    teacher: str
    scales: tuple[float, ...]
    limit: int
    source: str
    target: str
    device: str
    precision: str

    @property
    def panoramas(self) -> list[Item]:
        return list(datasets.find("demo_panorama").listing(None, self.target).items)

    def reader(self, weights: str) -> predictor.Predictor:
        return predictor.load("trans4pass", weights, device=self.device)


def tested(ready: predictor.Predictor, samples: list[Sample]) -> np.ndarray:
    """Confusion matrices (n, K, K) of the panoramas."""
    count = len(ready.method.classes.names)
    maps = [segmentation.label_map(ready.fuse(sample)[0]) for sample in samples]
    pairs = zip(maps, samples, strict=True)
    return np.stack([confusion(guess, sample.target.numpy(), count) for guess, sample in pairs])


def stage(setup: Setup, out: Path, *changes: str) -> Path:
    given = (*changes, f"target=demo_panorama:{setup.target}", *setup.changes)
    source = f"demo:{setup.source}"
    run.train(run.Job(NAME, source, given, out, device=setup.device, precision=setup.precision))
    return out / run.WEIGHTS


def labelled(setup: Setup, out: Path, weights: str) -> Path:
    """Pseudo labels and prototypes by a segmenter."""
    if not (out / pseudo.PROTOTYPES).exists():
        ready, target = setup.reader(weights), setup.panoramas
        source = datasets.find("demo").listing(None, setup.source).items[: setup.limit]
        pseudo.label(ready, target, out, setup.scales)
        pseudo.prototypes(ready, source, target[: setup.limit], out)
    return out


def true_labels(setup: Setup, out: Path) -> Path:
    """The panoramas' own labels, where pseudo labels are looked for."""
    for item in setup.panoramas:
        truth = item.load().target
        image.write(out / f"{item.name}.png", truth.where(truth > 0, 255).numpy().astype(np.uint8))
    return out


def adapted(setup: Setup, seed: int, out: Path) -> Iterator[tuple[str, Path]]:
    """Weights after each stage of one seed."""
    before, folder = "zoo", None
    for name, steps in setup.stages.items():
        given = [f"seed={seed}", f"stage={name}", f"steps={steps}"]
        if name == "oracle":
            given[1] = "stage=self_training"
            given.append(f"pseudo={true_labels(setup, out / 'true')}")
        elif name in ("self_training", "mpa"):
            # What the source weights say is the same for all seeds.
            by, where = ("zoo", out.parent) if setup.teacher == "zoo" else (before, out)
            folder = folder or labelled(setup, where / "pseudo", by)
            given += [f"start={before}", f"pseudo={folder}"]
        weights = stage(setup, out / name, *given)
        if name not in ("source", "oracle"):
            before = str(weights)
        yield name, weights


def summary(rows: dict[str, list[np.ndarray]], names: tuple[str, ...]) -> dict[str, object]:
    """Scores of each stage over the seeds, told as they are found."""
    found: dict[str, object] = {}
    for name, tables in rows.items():
        scores = [miou(table.sum(0), "fmb14") for table in tables]
        values = [score.value for score in scores]
        classes = np.array([score.per_class for score in scores]).mean(0)
        each = {n: round(float(v), 4) for n, v in zip(names, classes, strict=True) if v == v}
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        found[name] = {
            "miou": values,
            "mean": float(np.mean(values)),
            "spread": spread,
            "classes": each,
            "tables": [table.sum(0).tolist() for table in tables],
        }
        shown = " ".join(f"{n} {v:.3f}" for n, v in each.items())
        click.echo(f"{name:8s} {np.mean(values):.4f} +- {spread:.4f} {shown}")
    return found


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seeds", default="0,1,2")
@click.option("--stages", default="source=200,mpa=200,warm_up=100", help="With their updates.")
@click.option(
    "--teacher",
    type=click.Choice(["before", "zoo"]),
    default="zoo",
    help="Pseudo labels by the source weights, or (as published) by the stage before.",
)
@click.option("--scales", default="0.75,1,1.25", help="Of the pseudo labels.")
@click.option("--prototype-limit", default=12, help="Scenes of each domain for the prototypes.")
@click.option("--precision", default="bfloat16")
@click.option("--device", default="cpu")
@click.option("--source", default="train", help="Split of demo.")
@click.option("--target", default="train", help="Panoramas that are adapted to.")
@click.option("--split", default="test", help="Panoramas that are measured on.")
@click.option("--set", "changes", multiple=True, help="Settings of all stages.")
def main(
    out: Path,
    seeds: str,
    stages: str,
    teacher: str,
    scales: str,
    prototype_limit: int,
    precision: str,
    device: str,
    source: str,
    target: str,
    split: str,
    changes: tuple[str, ...],
) -> None:
    # All stages and seeds use the same scenes, which are drawn once.
    os.environ.setdefault(VARIABLE, str(out / "drawn"))
    factors = tuple(float(text) for text in scales.split(","))
    updates = {name: int(steps) for name, steps in (part.split("=") for part in stages.split(","))}
    rest = (prototype_limit, source, target, device, precision)
    setup = Setup(updates, changes, teacher, factors, *rest)
    samples = [i.load() for i in datasets.find("demo_panorama").listing(None, split).items]
    rows = {"zoo": [tested(setup.reader("zoo"), samples)]}
    for seed in (int(text) for text in seeds.split(",")):
        for name, path in adapted(setup, seed, out / f"seed{seed}"):
            rows.setdefault(name, []).append(tested(setup.reader(str(path)), samples))
            score = miou(rows[name][-1].sum(0), "fmb14").value
            click.echo(f"seed {seed} {name}: {score:.4f}")
    plain = {
        "seeds": seeds,
        "stages": updates,
        "teacher": teacher,
        "scales": scales,
        "changes": changes,
        "device": device,
        "source_split": f"demo:{source}",
        "target_split": f"demo_panorama:{target}",
        "split": f"demo_panorama:{split}",
        "preset": "fmb14",
        **summary(rows, datasets.find("demo_panorama").classes.names),
    }
    image.write_bytes(out / f"{split}.json", json.dumps(plain).encode())


if __name__ == "__main__":
    main()

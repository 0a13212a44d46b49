r"""Does adaptation to panoramas help? Source only, after warm-up, after MPA, several seeds.

    python benchmarks/panorama_adaptation.py runs/pilot --seeds 100 --split held_out \
        --stages source=30 --set source_loss=ohem
    python benchmarks/panorama_adaptation.py runs/adaptation --seeds 0,1,2

The first is for choosing settings and finding causes. The source weights (`trans4pass@zoo`, pinhole
pictures of `demo`) are the same for all seeds; a seed decides order, crops, tones and the
discriminator. `--stages` names the stages and their updates:

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
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import numpy as np

from fusionzoo import datasets, image, predictor, pseudo, segmentation
from fusionzoo.core import Sample
from fusionzoo.datasets import demo, demo_panorama
from fusionzoo.metrics.miou import confusion, miou
from fusionzoo.train import run

NAME = "trans4pass_adaptation"


def tested(weights: str, samples: list[Sample]) -> np.ndarray:
    """Confusion matrices (n, K, K) of the panoramas."""
    ready = predictor.load("trans4pass", weights, device="cpu")
    count = len(ready.method.classes.names)
    maps = [segmentation.label_map(ready.fuse(sample)[0]) for sample in samples]
    pairs = zip(maps, samples, strict=True)
    return np.stack([confusion(guess, sample.target.numpy(), count) for guess, sample in pairs])


def stage(out: Path, precision: str, *changes: str) -> Path:
    job = run.Job(NAME, "demo:train", changes, out, device="cpu", precision=precision)
    run.train(job)
    return out / run.WEIGHTS


def labelled(out: Path, weights: str, scales: tuple[float, ...], limit: int) -> Path:
    """Pseudo labels and prototypes by a segmenter."""
    if not (out / pseudo.PROTOTYPES).exists():
        ready = predictor.load("trans4pass", weights, device="cpu")
        target = datasets.find("demo_panorama").listing(None, "train").items
        source = datasets.find("demo").listing(None, "train").items[:limit]
        pseudo.label(ready, target, out, scales)
        pseudo.prototypes(ready, source, target[:limit], out)
    return out


def true_labels(out: Path) -> Path:
    """The panoramas' own labels, where pseudo labels are looked for."""
    for item in datasets.find("demo_panorama").listing(None, "train").items:
        truth = item.load().target
        image.write(out / f"{item.name}.png", truth.where(truth > 0, 255).numpy().astype(np.uint8))
    return out


def adapted(
    out: Path,
    stages: dict[str, int],
    changes: tuple[str, ...],
    teacher: str,
    scales: tuple[float, ...],
    limit: int,
    precision: str,
) -> Iterator[tuple[str, Path]]:
    """Weights after each stage of one seed."""
    before, folder = "zoo", None
    for name, steps in stages.items():
        given = [f"stage={name}", f"steps={steps}", *changes]
        if name == "oracle":
            given[0] = "stage=self_training"
            given.append(f"pseudo={true_labels(out / 'true')}")
        elif name in ("self_training", "mpa"):
            # What the source weights say is the same for all seeds.
            by, where = ("zoo", out.parent) if teacher == "zoo" else (before, out)
            folder = folder or labelled(where / "pseudo", by, scales, limit)
            given += [f"start={before}", f"pseudo={folder}"]
        weights = stage(out / name, precision, *given)
        if name not in ("source", "oracle"):
            before = str(weights)
        yield name, weights


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
@click.option("--split", default="test", help="Panoramas that are measured on.")
@click.option("--set", "changes", multiple=True, help="Settings of both stages.")
def main(
    out: Path,
    seeds: str,
    stages: str,
    teacher: str,
    scales: str,
    prototype_limit: int,
    precision: str,
    split: str,
    changes: tuple[str, ...],
) -> None:
    # All stages and seeds use the same scenes, which are drawn once.
    for module in (demo, demo_panorama):
        module._load = cache(module._load)
    factors = tuple(float(text) for text in scales.split(","))
    items = datasets.find("demo_panorama").listing(None, split).items
    samples = [item.load() for item in items]
    names = datasets.find("demo_panorama").classes.names
    updates = {name: int(steps) for name, steps in (part.split("=") for part in stages.split(","))}
    rows: dict[str, list[np.ndarray]] = {"zoo": [tested("zoo", samples)]}
    for seed in (int(text) for text in seeds.split(",")):
        folder, given = out / f"seed{seed}", (f"seed={seed}", *changes)
        rest = (given, teacher, factors, prototype_limit, precision)
        for name, path in adapted(folder, updates, *rest):
            rows.setdefault(name, []).append(tested(str(path), samples))
            score = miou(rows[name][-1].sum(0), "fmb14").value
            click.echo(f"seed {seed} {name}: {score:.4f}")
    found = {}
    for name, tables in rows.items():
        scores = [miou(table.sum(0), "fmb14") for table in tables]
        values = [score.value for score in scores]
        each = np.array([score.per_class for score in scores])
        classes = each.mean(0)
        found[name] = {
            "miou": values,
            "mean": float(np.mean(values)),
            "spread": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            "classes": {
                n: round(float(v), 4) for n, v in zip(names, classes, strict=True) if v == v
            },
            "tables": [table.sum(0).tolist() for table in tables],
        }
        click.echo(
            f"{name:8s} {found[name]['mean']:.4f} +- {found[name]['spread']:.4f} "
            + " ".join(f"{n} {v:.3f}" for n, v in found[name]["classes"].items())
        )
    plain = {
        "seeds": seeds,
        "stages": updates,
        "teacher": teacher,
        "scales": scales,
        "changes": changes,
        "split": f"demo_panorama:{split}",
        "preset": "fmb14",
        **found,
    }
    image.write_bytes(out / "adaptation.json", json.dumps(plain, indent=1).encode())


if __name__ == "__main__":
    main()

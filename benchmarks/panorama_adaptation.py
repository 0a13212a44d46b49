r"""Does adaptation to panoramas help? Source only, after warm-up, after MPA, several seeds.

    python benchmarks/panorama_adaptation.py runs/pilot --seeds 100 --split held_out \
        --set learning_rate=4e-4
    python benchmarks/panorama_adaptation.py runs/adaptation --seeds 0,1,2

The first is for choosing settings. The source weights (`trans4pass@zoo`, pinhole pictures of
`demo`) are the same for all seeds; a seed decides order, crops, tones and the discriminator. Each
stage is what `fusionzoo train` and `fusionzoo pseudo-label` do; a stopped run goes on. Labels of
panoramas are used for measuring only.
"""

from __future__ import annotations

import json
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


def tested(weights: str | None, samples: list[Sample]) -> np.ndarray:
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


def adapted(
    out: Path,
    changes: tuple[str, ...],
    scales: tuple[float, ...],
    limit: int,
    precision: str,
) -> dict[str, Path]:
    """Weights after warm-up and after MPA of one seed."""
    warm = stage(out / "warm_up", precision, "stage=warm_up", *changes)
    ready = predictor.load("trans4pass", warm, device="cpu")
    target = datasets.find("demo_panorama").listing(None, "train").items
    source = datasets.find("demo").listing(None, "train").items[:limit]
    folder = out / "pseudo"
    pseudo.label(ready, target, folder, scales)
    if not (folder / pseudo.PROTOTYPES).exists():
        pseudo.prototypes(ready, source, target[:limit], folder)
    mpa = stage(out / "mpa", precision, "stage=mpa", f"start={warm}", f"pseudo={folder}", *changes)
    return {"warm_up": warm, "mpa": mpa}


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seeds", default="0,1,2")
@click.option("--steps", default=30, help="Of each stage.")
@click.option("--scales", default="1,1.25", help="Of the pseudo labels.")
@click.option("--prototype-limit", default=12, help="Scenes of each domain for the prototypes.")
@click.option("--precision", default="bfloat16")
@click.option("--split", default="test", help="Panoramas that are measured on.")
@click.option("--set", "changes", multiple=True, help="Settings of both stages.")
def main(
    out: Path,
    seeds: str,
    steps: int,
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
    rows: dict[str, list[np.ndarray]] = {"source": [tested(None, samples)]}
    for seed in (int(text) for text in seeds.split(",")):
        folder, given = out / f"seed{seed}", (f"seed={seed}", f"steps={steps}", *changes)
        for name, path in adapted(folder, given, factors, prototype_limit, precision).items():
            rows.setdefault(name, []).append(tested(str(path), samples))
            score = miou(rows[name][-1].sum(0), "fmb14").value
            click.echo(f"seed {seed} {name}: {score:.4f}")
    found = {}
    for name, tables in rows.items():
        scores = [miou(table.sum(0), "fmb14") for table in tables]
        values = [score.value for score in scores]
        classes = np.nanmean([score.per_class for score in scores], 0)
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
        "steps": steps,
        "scales": scales,
        "changes": changes,
        "split": f"demo_panorama:{split}",
        "preset": "fmb14",
        **found,
    }
    image.write_bytes(out / "adaptation.json", json.dumps(plain, indent=1).encode())


if __name__ == "__main__":
    main()

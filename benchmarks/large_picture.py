"""A 3840x2160 pair through SAGE: peak memory of the process, and tiles against one piece.

Weights are random unless FUSIONZOO_WEIGHTS has the published ones: neither memory nor the
equality of tiles depends on them.
"""

import resource
import time

import torch

from fusionzoo import methods, predictor, weights
from fusionzoo.layers.folding import prepare_for_inference


def load(tile: int | None) -> predictor.Predictor:
    entry = methods.find("sage")
    if weights.at_hand(entry, "official"):
        return predictor.load("sage@official", device="cpu", tile=tile)
    torch.manual_seed(0)
    network = prepare_for_inference(predictor.build(entry))
    return predictor.Predictor("sage", entry, network, tile=tile)


def main() -> None:
    torch.manual_seed(1)
    size = (2160, 3840)
    start = time.perf_counter()
    load(None)(visible=torch.rand(3, *size), infrared=torch.rand(1, *size))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"3840x2160 in tiles: {seconds:.1f} s, peak {peak:.2f} GiB")
    pair = {"visible": torch.rand(3, 768, 1024), "infrared": torch.rand(1, 768, 1024)}
    whole, tiled = load(0)(**pair), load(256)(**pair)
    print(
        f"1024x768, tiles of 256 against one piece: {(whole - tiled).abs().max() * 255:.5f} levels"
    )


if __name__ == "__main__":
    main()

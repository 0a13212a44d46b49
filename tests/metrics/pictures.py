"""Pictures that tests of metrics are made on, from integers only."""

import numpy as np


def _box(array: np.ndarray, radius: int) -> np.ndarray:
    side = 2 * radius + 1
    padded = np.pad(array, radius, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return windows.sum((2, 3)) // side**2


def _stretch(array: np.ndarray) -> np.ndarray:
    return (array - array.min()) * 255 // (array.max() - array.min())


def synthetic(height: int, width: int, seed: int) -> list[np.ndarray]:
    """Fused, infrared, visible from integers only (recipe of the reference values)."""
    generator = np.random.RandomState(seed)
    first, second, third = (generator.randint(0, 256, (height, width)) for _ in range(3))
    y, x = np.mgrid[:height, :width]
    blobs = _stretch(_box(_box(first, 9), 9))
    near = (y - height // 3) ** 2 + (x - width // 2) ** 2 < (min(height, width) // 8) ** 2
    infrared = (blobs * 3 // 4 + 120 * near + third % 5).clip(0, 255)
    stripes = np.where((x // 8 + y // 12) % 2 == 1, 70, 0)
    visible = (_stretch(_box(second, 1)) // 2 + stripes + y * 60 // height).clip(0, 255)
    mixed = (2 * np.maximum(infrared, visible) + infrared + visible + 2) // 4
    fused = (mixed + third // 43 - 3).clip(0, 255)
    return [p.astype(np.uint8) for p in (fused, infrared, visible)]


def triple(name: str) -> list[np.ndarray]:
    if name == "synB":
        return synthetic(177, 213, 11)
    pictures = synthetic(192, 256, 7)
    return pictures if name == "synA" else [p[64:112, 96:160] for p in pictures]

"""Pictures that other programs fused, as rows of a benchmark: a folder that acts like a method."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from fusionzoo import image
from fusionzoo.core import DataError, FusionZooError, ImageError, Method, Sample, hash_of
from fusionzoo.predictor import Predictor
from fusionzoo.score import index_pictures

UNFIT = frozenset("/\\@:")
"""Characters that would lead out of the results folder, or look like a weights tag or a split."""
LONGEST = 100


def _unused(*_: Tensor) -> Tensor:
    raise ImageError("a folder of pictures cannot fuse: it has only what lies in it")


@dataclass(frozen=True)
class Foreign(Predictor):
    """A folder of fused pictures, matched to scenes by stem, whatever their extension.

    Attributes:
        folder: Where they lie.
        files: Stem to file.
    """

    folder: Path = field(default_factory=Path)
    files: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, folder: Path) -> Foreign:
        """The pictures of a folder.

        Args:
            name: Of the row; any text that can be a file's name.
            folder: Holds one picture per scene.

        Raises:
            DataError: No such folder, no picture in it, two of one stem, or a name no row can have.
        """
        check_name(name)
        method = Method(network=_unused, inputs=(), colour="copy", license="unknown")
        return cls(name, method, _unused, folder=folder, files=index_pictures(folder))

    def key_for(self, name: str) -> str:
        """Hash of a scene's picture, so that another one is measured again."""
        path = self.files.get(name)
        try:
            mark = image.digest(path) if path else "missing"
        except ImageError:
            mark = "unreadable"
        return hash_of(self.name, mark)

    def fuse(self, sample: Sample) -> tuple[Tensor, float]:
        """The scene's picture (C, H, W) in [0, 1]; how long it took to make is not known: 0.

        Raises:
            ImageError: It is missing, damaged, or of another size than the sources.
        """
        path = self.files.get(sample.name)
        if path is None:
            raise ImageError(f"no picture of {sample.name} in {self.folder}")
        plane = image.to_plane(image.eight_bit(image.read(path)))
        size = tuple(next(iter(sample.images.values())).shape[-2:])
        if tuple(plane.shape[-2:]) != size:
            raise ImageError(
                f"{path} is {plane.shape[-1]}x{plane.shape[-2]}, the scene {size[1]}x{size[0]}: "
                "metrics never resize"
            )
        return plane, 0.0


def check_name(name: str) -> None:
    """Refuse names of rows that cannot be names of files.

    Raises:
        DataError: Empty, too long, with a leading dot, or with characters that do not fit.
    """
    fits = name.isprintable() and not UNFIT & set(name) and not name.startswith(".")
    if not name.strip() or not fits or len(name.encode()) > LONGEST:
        raise DataError(
            f"'{name}' cannot name a row: give up to {LONGEST} bytes of text without / \\ @ : and "
            "without a leading dot"
        )


def parse(spec: str) -> tuple[str, Path]:
    """Name and folder of "NAME=FOLDER".

    Raises:
        FusionZooError: Not of that form, no such folder, or a name no row can have.
    """
    name, joint, folder = spec.partition("=")
    if not joint or not folder:
        raise FusionZooError(f"--fused takes NAME=FOLDER, got '{spec}'")
    check_name(name)
    if not Path(folder).is_dir():
        raise DataError(f"--fused {spec}: {folder} is not a folder")
    return name, Path(folder)


def row(name: str, folder: Path, dataset: str, alone: bool) -> Foreign | None:
    """The row that a folder gives for a dataset; None if its pictures are of others.

    Args:
        name: Of the row.
        folder: A subfolder of the dataset's name is used if there is one.
        dataset: Catalogue name.
        alone: Whether it is the only dataset, so that the folder itself can be meant.

    Raises:
        DataError: No picture in it, or two of one stem.
    """
    if (folder / dataset).is_dir():
        return Foreign.of(name, folder / dataset)
    return Foreign.of(name, folder) if alone else None

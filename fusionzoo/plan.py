"""What one dataset's cells are computed from, and how another process rebuilds it from names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from torch import Tensor

from fusionzoo import scenes, store
from fusionzoo.core import Dataset, Item, Listing, Metric, Sample, hash_of
from fusionzoo.foreign import Foreign
from fusionzoo.predictor import Predictor

SHEET_PICTURES = 3
"""Pictures of each dataset that are kept for the contact sheet."""


class Corruption(Protocol):
    """Damage that is done to the sources before methods see them; metrics compare with clean ones.

    It travels to other processes, so an instance is hashable and can be pickled (a frozen
    dataclass), and its result depends on nothing but itself and the sample.
    """

    @property
    def condition(self) -> str:
        """How files and tables name it, such as "noise-3": letters, digits, _ and -."""
        ...

    @property
    def key(self) -> str:
        """Hash of everything the damage depends on; results are void when it changes."""
        ...

    def __call__(self, sample: Sample) -> Mapping[str, Tensor]:
        """The damaged pictures by role, of the sample's sizes; other roles stay as they are."""
        ...


@dataclass(frozen=True)
class Grid:
    """Everything that one dataset's cells are computed from.

    Attributes:
        name: Catalogue name of the dataset.
        dataset: Its entry.
        listing: Its scenes.
        predictors: Methods whose inputs the dataset offers.
        metrics: Metrics asked for.
        out: Folder of the results.
        convention: Metric convention.
        corruption: What is done to the sources; None: nothing.
        keep: How many pictures are kept, the first ones; None: all.
        data: Data root that the listing came from; None: the default places.
        device: Where networks run on workers, if that is not where `predictors` are.
        threads: Of the networks of each worker; None: of this process.
        prints: Fingerprints of the scenes asked for so far.
    """

    name: str
    dataset: Dataset
    listing: Listing
    predictors: Sequence[Predictor]
    metrics: Sequence[Metric]
    out: Path
    convention: str = "standard"
    corruption: Corruption | None = None
    keep: int | None = SHEET_PICTURES
    data: Path | None = None
    device: str = ""
    threads: int | None = None
    prints: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def condition(self) -> str:
        """Name of the corruption, or ""."""
        return self.corruption.condition if self.corruption else ""

    def cell(self, predictor: Predictor) -> Path:
        """Where a method's result lies."""
        split, default = self.listing.split, self.dataset.default_split
        return store.cell_path(self.out, self.name, split, default, predictor.label,
                               self.convention, self.condition)  # fmt: skip

    def picture(self, predictor: Predictor, name: str) -> Path:
        """Where a method's picture lies, if it is kept."""
        return self.cell(predictor).parent / "pictures" / predictor.label / f"{name}.png"

    def kept(self) -> set[str]:
        """Names of the pictures that are kept."""
        return {item.name for item in self.listing.items[: self.keep]}

    def applicable(self) -> list[Metric]:
        """Metrics whose reference this dataset has."""
        clean = ("target",) if self.dataset.target == "clean" else ()
        return scenes.applicable(self.metrics, (*self.dataset.roles, *clean))

    def versions(self) -> dict[str, str]:
        """Version and convention of each applicable metric, by symbol."""
        return {m.symbol: version_of(m, self.convention) for m in self.applicable()}

    def key(self, predictor: Predictor, item: Item) -> str:
        """Hash of everything that a method's record of a scene depends on.

        Raises:
            FusionZooError: The scene's files cannot be read.
        """
        damage = [self.corruption.key] if self.corruption else []
        own = predictor.key_for(item.name) if isinstance(predictor, Foreign) else predictor.key
        return hash_of(own, self.fingerprint(item), *damage)

    def fingerprint(self, item: Item) -> str:
        """Hash of what the scene is loaded from, computed once.

        Raises:
            FusionZooError: The scene's files cannot be read.
        """
        if item.name not in self.prints:
            self.prints[item.name] = item.fingerprint()
        return self.prints[item.name]

    @cached_property
    def _items(self) -> dict[str, Item]:
        return {item.name: item for item in self.listing.items}

    def item(self, name: str) -> Item:
        """A scene, which is damaged when it is loaded if that is asked for.

        Raises:
            KeyError: No such scene.
        """
        found = self._items[name]
        if self.corruption is None:
            return found
        return replace(found, load=partial(damaged, found, self.corruption))


def version_of(metric: Metric, convention: str) -> str:
    """How a record names what measured a value."""
    return f"{metric.version}/{convention}"


def damaged(item: Item, corruption: Corruption) -> Sample:
    """The scene with damaged sources; the clean ones are what metrics compare with."""
    sample = item.load()
    images = {**sample.images, **corruption(sample)}
    return replace(sample, images=images, references=sample.references or sample.images)


Due = Mapping[str, Mapping[int, str]]
"""Picture to what must be measured on it: position of the method, and key of the new record."""

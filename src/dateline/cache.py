"""What a rebuild need not make again: the index of seed files whose records are what they were, and what each shard was.

It lies in .dateline/cache/, under a name for all but the records that rows follow from (engine, versions, settings, schemas,
corpus-level tables): under another name nothing of it counts. Each file in it is sealed by its digest, and names the files of the
dataset that it speaks of by theirs; what is not as it was is made again. It is written beside, and takes the place of the old one
once the dataset is in place.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from dateline.compile.before import Before
from dateline.compile.index import Indexed
from dateline.compile.places import cache_of, stem_of
from dateline.compile.shard import ShardFacts
from dateline.project import Project


class Cache:
    """The cache of a project, as one rebuild finds it and leaves it; with `known` false it finds nothing."""

    def __init__(self, project: Project, work: Path, ground: str, *, known: bool) -> None:
        self._home = cache_of(project)
        self._old = self._home / ground[:32] if known else None
        self._new = work / "cache" / ground[:32]
        self._new.mkdir(parents=True)
        self._dataset = project.dataset
        self.parsed = self.compiled = 0
        """How many records were parsed, and how many articles compiled."""

    def index_of(self, name: str) -> Path | None:
        """Where the index of a seed file may lie."""
        return self._old / f"{stem_of(name)}.index" if self._old is not None else None

    def before(self, stem: str) -> Before | None:
        """Where the state of a shard may lie."""
        return Before(self._old / f"{stem}.shard", self._dataset) if self._old is not None else None

    def note_index(self, name: str, made: Indexed) -> None:
        """Note the index of a seed file for the next time, and where its records stand for whoever asks for one of them."""
        self.parsed += made.again
        if made.kept is not None:
            made.kept.replace(self._new / f"{stem_of(name)}.index")
        if made.places is not None:
            made.places.replace(self._new / f"{stem_of(name)}.places")

    def note_shard(self, stem: str, made: ShardFacts) -> None:
        """Note what a shard is for the next time."""
        self.compiled += made.again
        if made.state is not None:
            made.state.replace(self._new / f"{stem}.shard")

    def keep(self, ground: str | None = None) -> None:
        """Put what was noted in the place of what was there; where that cannot be, the next rebuild makes all.

        `ground` is its name now, where what was written since (a version) changed that.
        """
        with contextlib.suppress(OSError):
            shutil.rmtree(self._home, ignore_errors=True)
            if ground is not None:
                self._new = self._new.rename(self._new.with_name(ground[:32]))
            self._new.parent.replace(self._home)

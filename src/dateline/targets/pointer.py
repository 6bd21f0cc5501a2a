"""What readers of a folder or a bucket are pointed to: `releases.json`, before and after a publish. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dateline.errors import RefusedError
from dateline.layout import RELEASES, Published, Releases, with_release


@dataclass(frozen=True)
class Pointer:
    """The release that is published, and all that its project took back so far."""

    name: str
    release: Published
    yanked: Mapping[str, dict[str, str]] = field(default_factory=dict)
    """By version: `reason` and `date`."""
    retracted: Sequence[dict[str, Any]] = ()

    def after(self, before: Releases | None, where: str) -> Releases:
        """What `releases.json` is to say. What others took back stays: this project may be a clone that does not know it yet."""
        may_follow(before, self.name, self.release.version, self.release.content_digest, where)
        before = before or Releases(self.name)
        gone = {entry["article_id"]: entry for entry in (*before.retracted, *self.retracted)}
        added = with_release(before, [self.release], [gone[article] for article in sorted(gone)])
        marked = [replace(one, yanked=self._mark(one, before)) for one in added.releases]
        return replace(added, releases=marked)

    def _mark(self, one: Published, before: Releases) -> dict[str, str] | None:
        known = before.of(one.version)
        return self.yanked.get(one.version) or one.yanked or (known.yanked if known else None)


def may_follow(before: Releases | None, name: str, version: str, content_digest: str, where: str) -> None:
    """Raise RefusedError if `releases.json` belongs to another dataset, or says that this version has other data."""
    if before is None:
        return
    if before.name != name:
        raise RefusedError(f"{where}: holds releases of {before.name}, and this is {name}; publish to another place")
    known = before.of(version)
    if known and known.content_digest != content_digest:
        raise RefusedError(
            f"{where}/{RELEASES}: says that {known.version} has the content {known.content_digest[:12]}, and this has "
            f"{content_digest[:12]}; a version is never replaced"
        )

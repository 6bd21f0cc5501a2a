"""Why an article is in its group, and why in its split: the plan's decisions told again, of one article. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol

import numpy as np

Json = dict[str, Any]


class Released(Protocol):
    """What is asked of the ledger's entry of an article."""

    @property
    def split(self) -> str:
        """The split that it was released in."""

    @property
    def added_in(self) -> str:
        """The release that first held it."""


@dataclass(frozen=True)
class Member:
    """What one article of a group says of itself: the group that it names, which article it supersedes; its signature."""

    article_id: str
    group: str | None = None
    split: str | None = None
    supersedes: str | None = None
    signature: bytes | None = None


@dataclass(frozen=True)
class Reason:
    """One reason: `why` names it, `of` is the other article or the release, `agreement` that of near-duplicates' signatures."""

    why: str
    of: str | None = None
    agreement: float | None = None

    def as_json(self) -> Json:
        """The reason as plain JSON types."""
        return {"why": self.why, "of": self.of, "agreement": self.agreement}


def why_group(
    article: Member, group: str, others: Sequence[Member], ledger: Mapping[str, Released], threshold: float | None
) -> list[Reason]:
    """Why an article is in `group`, whose other members are `others`; `threshold` is that of near-duplicates, None for none.

    `named`: the record says so. `alone`: it is a group by itself. `released`: the ledger says so. `supersedes`, `superseded-by`,
    `near-duplicate`: what connects it with other articles. `named-after-it`: others are connected with it, and the group has
    its id. `connected`: by none of these, so through articles that are not in the dataset.
    """
    found = [Reason("released", ledger[article.article_id].added_in)] if article.article_id in ledger else []
    if article.group == group:
        found.append(Reason("named"))
    links = [reason for other in others for reason in _links(article, other, threshold)]
    if not links and not found and group == article.article_id:
        return [Reason("named-after-it" if others else "alone")]
    return [*found, *links] or [Reason("connected")]


def why_split(
    article: Member,
    others: Sequence[Member],
    ledger: Mapping[str, Released],
    mode: str,
    assigned: Collection[str] = (),
    gone: Collection[str] = (),
) -> Reason:
    """Why an article is in its split: `given` by the record, `released` there, `joined` what was released (of the group, `gone`
    are the retracted ones), `assigned` by the settings (patterns of groups in `assigned`), or a `quota`.
    """
    if mode == "given":
        return Reason("given")
    if article.article_id in ledger:
        return Reason("released", ledger[article.article_id].added_in)
    released = sorted(other.article_id for other in others if other.article_id in ledger)
    if released or gone:
        return Reason("joined", min(released or gone))
    groups = {member.group for member in (article, *others) if member.group is not None}
    named = any(fnmatchcase(group, pattern) for group in groups for pattern in assigned)
    return Reason("assigned" if named else "quota")


def _links(article: Member, other: Member, threshold: float | None) -> Iterator[Reason]:
    if article.supersedes == other.article_id:
        yield Reason("supersedes", other.article_id)
    if other.supersedes == article.article_id:
        yield Reason("superseded-by", other.article_id)
    share = _agreement(article.signature, other.signature)
    if threshold is not None and share is not None and share >= threshold:
        yield Reason("near-duplicate", other.article_id, round(share, 3))


def _agreement(one: bytes | None, other: bytes | None) -> float | None:
    """The share of equal numbers in two signatures; None where one is missing, or they were made otherwise."""
    if one is None or other is None or len(one) != len(other):
        return None
    return float(np.mean(np.frombuffer(one, "<u4") == np.frombuffer(other, "<u4")))

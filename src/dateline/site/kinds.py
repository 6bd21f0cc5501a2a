"""The kinds of pages that there are, in the order of the navigation."""

from __future__ import annotations

from dateline.site import (
    article,
    articles,
    contrast,
    disagreement,
    lookup,
    overview,
    provenance,
    search,
    story,
    tables,
    validation,
    versions,
)
from dateline.site.pages import Kind

KINDS: tuple[Kind, ...] = (
    overview.KIND,
    articles.KIND,
    article.KIND,
    story.KIND,
    contrast.KIND,
    disagreement.KIND,
    tables.KIND,
    validation.KIND,
    provenance.KIND,
    versions.KIND,
    search.KIND,
    lookup.KIND,
)
